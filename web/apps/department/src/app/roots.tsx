import type { Translated } from '@negatoscope/ui';
import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, Outlet, redirect } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type Action, sessionQuery } from '../features/session/session';
import { Shell } from './Shell';

/** An entry of the menu; shown to who has `needs`. */
export interface NavEntry {
  readonly label: Translated;
  /** Groups of the menu, in this order. */
  readonly group: 'work' | 'administration';
  /** Within the group, ascending. */
  readonly order: number;
  readonly icon?: () => ReactNode;
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /** Shown in the menu. */
    nav?: NavEntry;
    /** Without this function the route says that it is not for this account. */
    needs?: Action;
    /** Of the browser's tab. */
    title?: Translated;
  }
}

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });

/** Parent of what is open to everybody: sign-in, set-up, links. */
export const publicRoute = createRoute({ getParentRoute: () => rootRoute, id: 'public', component: Outlet });

/** Parent of what fills the window: the viewer. Somebody is signed in. */
export const bareRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session === null)
      throw redirect({ href: `/sign-in?next=${encodeURIComponent(location.href)}`, reloadDocument: true });
    return { session };
  },
  component: Outlet,
});

/** Parent of every ordinary page: header and menu stand around it. Somebody is signed in. */
export const shellRoute = createRoute({ getParentRoute: () => bareRoute, id: 'shell', component: Shell });
