import { IconHistory } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const audit = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/audit',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./AuditPage'), 'AuditPage'),
  staticData: {
    title: { en: 'Audit trail', fr: 'Journal des accès' },
    needs: 'read audit',
    nav: {
      label: { en: 'Audit trail', fr: 'Journal des accès' },
      group: 'administration',
      order: 60,
      icon: IconHistory,
      shortcut: 'g j',
    },
  },
});

export const auditRoutes = [audit] as const;
