import { IconExternalLink } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const view = createRoute({
  getParentRoute: () => shellRoute,
  path: '/view',
  component: lazyRouteComponent(() => import('./ViewPage'), 'ViewPage'),
  staticData: { title: { en: 'Call of another application', fr: 'Appel d’une autre application' } },
});

/** The path that RAD-106 names. */
const invoke = createRoute({
  getParentRoute: () => shellRoute,
  path: '/IHEInvokeImageDisplay',
  component: lazyRouteComponent(() => import('./ViewPage'), 'ViewPage'),
  staticData: { title: { en: 'Call of another application', fr: 'Appel d’une autre application' } },
});

const calls = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/calls',
  component: lazyRouteComponent(() => import('./CallsPage'), 'CallsPage'),
  staticData: {
    title: { en: 'Other applications', fr: 'Autres applications' },
    needs: 'administer',
    nav: {
      label: { en: 'Other applications', fr: 'Autres applications' },
      group: 'administration',
      order: 62,
      icon: IconExternalLink,
    },
  },
});

export const contextRoutes = [view, invoke, calls] as const;
