import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { publicRoute } from '../../app/roots';

const link = createRoute({
  getParentRoute: () => publicRoute,
  path: '/link/$secret',
  component: lazyRouteComponent(() => import('./LinkPage'), 'LinkPage'),
  staticData: { title: { en: 'Shared study', fr: 'Examen partagé' } },
});

export const linkRoutes = [link] as const;
