import { IconUsersGroup } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const desk = createRoute({
  getParentRoute: () => shellRoute,
  path: '/reconciliation',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./ReconciliationPage'), 'ReconciliationPage'),
  staticData: {
    title: { en: 'Reconciliation', fr: 'Rapprochement' },
    needs: 'reconcile',
    nav: {
      label: { en: 'Reconciliation', fr: 'Rapprochement' },
      group: 'work',
      order: 60,
      icon: IconUsersGroup,
      shortcut: 'g r',
    },
  },
});

export const reconciliationRoutes = [desk] as const;
