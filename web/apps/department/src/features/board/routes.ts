import { IconLayoutBoardSplit } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { bareRoute, shellRoute } from '../../app/roots';

const board = createRoute({
  getParentRoute: () => shellRoute,
  path: '/board',
  component: lazyRouteComponent(() => import('./BoardPage'), 'BoardPage'),
  staticData: {
    title: { en: 'Board', fr: 'Tableau' },
    needs: "read the department's work",
    nav: {
      label: { en: 'Board', fr: 'Tableau' },
      group: 'work',
      order: 4,
      icon: IconLayoutBoardSplit,
      shortcut: 'g b',
    },
  },
});

/** For a screen on a wall: it fills the window and names nobody. */
const wall = createRoute({
  getParentRoute: () => bareRoute,
  path: '/board/wall',
  component: lazyRouteComponent(() => import('./WallPage'), 'WallPage'),
  staticData: { title: { en: 'Board', fr: 'Tableau' }, needs: "read the department's work" },
});

export const boardRoutes = [board] as const;
export const wallRoutes = [wall] as const;
