import { IconListDetails } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const studies = createRoute({
  getParentRoute: () => shellRoute,
  path: '/studies',
  component: lazyRouteComponent(() => import('./StudiesPage'), 'StudiesPage'),
  staticData: {
    title: { en: 'Studies', fr: 'Examens' },
    needs: 'query',
    nav: {
      label: { en: 'Studies', fr: 'Examens' },
      group: 'work',
      order: 10,
      icon: IconListDetails,
      shortcut: 'g s',
    },
  },
});

export const studiesRoutes = [studies] as const;
