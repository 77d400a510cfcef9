import { IconBook2 } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const catalogue = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/catalogue',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./CataloguePage'), 'CataloguePage'),
  staticData: {
    title: { en: 'Catalogue', fr: 'Catalogue' },
    needs: 'catalogue',
    nav: {
      label: { en: 'Catalogue', fr: 'Catalogue' },
      group: 'administration',
      order: 30,
      icon: IconBook2,
    },
  },
});

export const catalogueRoutes = [catalogue] as const;
