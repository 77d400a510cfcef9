import { IconAlertTriangle } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const reviews = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/break-glass',
  component: lazyRouteComponent(() => import('./ReviewsPage'), 'ReviewsPage'),
  staticData: {
    title: { en: 'Emergency accesses', fr: 'Accès en urgence' },
    needs: 'read audit',
    nav: {
      label: { en: 'Emergency accesses', fr: 'Accès en urgence' },
      group: 'administration',
      order: 24,
      icon: IconAlertTriangle,
    },
  },
});

export const breakGlassRoutes = [reviews] as const;
