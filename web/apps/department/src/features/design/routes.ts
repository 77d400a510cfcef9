import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const design = createRoute({
  getParentRoute: () => shellRoute,
  path: '/design',
  component: lazyRouteComponent(() => import('./DesignPage'), 'DesignPage'),
  staticData: {
    title: { en: 'Components', fr: 'Composants' },
    needs: 'administer',
  },
});

export const designRoutes = [design] as const;
