import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { publicRoute } from '../../app/roots';

const setup = createRoute({
  getParentRoute: () => publicRoute,
  path: '/setup/$secret',
  component: lazyRouteComponent(() => import('./SetupPage'), 'SetupPage'),
  staticData: { title: { en: 'Set up', fr: 'Installation' } },
});

export const setupRoutes = [setup] as const;
