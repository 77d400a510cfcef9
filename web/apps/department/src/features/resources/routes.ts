import { IconDoor } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const resources = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/resources',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./ResourcesPage'), 'ResourcesPage'),
  staticData: {
    title: { en: 'Resources', fr: 'Ressources' },
    needs: 'catalogue',
    nav: {
      label: { en: 'Resources', fr: 'Ressources' },
      group: 'administration',
      order: 31,
      icon: IconDoor,
    },
  },
});

export const resourceRoutes = [resources] as const;
