import { IconListDetails } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

export interface PerformedSearch {
  readonly show?: 'progress' | 'all';
  /** The performed step that is open. */
  readonly open?: number;
}

const performed = createRoute({
  getParentRoute: () => shellRoute,
  path: '/performed-steps',
  validateSearch: (given: Record<string, unknown>): PerformedSearch => {
    const open = Number(given['open']);
    return {
      ...(given['show'] === 'progress' || given['show'] === 'all' ? { show: given['show'] } : {}),
      ...(Number.isSafeInteger(open) && open > 0 ? { open } : {}),
    };
  },
  component: lazyRouteComponent(() => import('./PerformedPage'), 'PerformedPage'),
  staticData: {
    title: { en: 'Performed steps', fr: 'Étapes réalisées' },
    needs: "read the department's work",
    nav: {
      label: { en: 'Performed steps', fr: 'Étapes réalisées' },
      group: 'work',
      order: 5,
      icon: IconListDetails,
    },
  },
});

export const performedRoutes = [performed] as const;
