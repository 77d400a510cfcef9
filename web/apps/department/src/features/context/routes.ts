import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const view = createRoute({
  getParentRoute: () => shellRoute,
  path: '/view',
  component: lazyRouteComponent(() => import('./ViewPage'), 'ViewPage'),
  staticData: { title: { en: 'Call of another application', fr: 'Appel d’une autre application' } },
});

export const contextRoutes = [view] as const;
