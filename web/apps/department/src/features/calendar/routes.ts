import { IconCalendar } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const calendar = createRoute({
  getParentRoute: () => shellRoute,
  path: '/calendar',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./CalendarPage'), 'CalendarPage'),
  staticData: {
    title: { en: 'Calendar', fr: 'Agenda' },
    needs: "read the department's work",
    nav: {
      label: { en: 'Calendar', fr: 'Agenda' },
      group: 'work',
      order: 6,
      icon: IconCalendar,
      shortcut: 'g c',
    },
  },
});

export const calendarRoutes = [calendar] as const;
