import { IconPlugConnected } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const connect = createRoute({
  getParentRoute: () => shellRoute,
  path: '/connect',
  component: lazyRouteComponent(() => import('./ConnectPage'), 'ConnectPage'),
  staticData: {
    title: { en: 'Connect', fr: 'Se raccorder' },
    needs: 'query',
    nav: { label: { en: 'Connect', fr: 'Se raccorder' }, group: 'work', order: 90, icon: IconPlugConnected },
  },
});

export const connectRoutes = [connect] as const;
