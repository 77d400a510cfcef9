import { IconMessages } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const messages = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/messages',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./MessagesPage'), 'MessagesPage'),
  staticData: {
    title: { en: 'HL7 messages', fr: 'Messages HL7' },
    needs: 'administer',
    nav: {
      label: { en: 'HL7 messages', fr: 'Messages HL7' },
      group: 'administration',
      order: 60,
      icon: IconMessages,
      shortcut: 'g m',
    },
  },
});

export const messageRoutes = [messages] as const;
