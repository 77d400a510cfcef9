import { Crash, Loading, type Translated, useLanguage } from '@negatoscope/ui';
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  Outlet,
  redirect,
  useMatches,
} from '@tanstack/react-router';
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect } from 'react';
import { BreakGlassBanner } from '../features/break-glass/BreakGlassBanner';
import { type Action, sessionQuery, useSession } from '../features/session/session';
import { useKeptAppearance } from '../features/session/useKeptAppearance';
import { Banners } from './Banners';
import { NotFound } from './pages';
import { Shell } from './Shell';
import { SignedOut } from './SignedOut';

const Required = lazy(async () => ({ default: (await import('../features/account/Required')).Required }));

/** An entry of the menu; shown to who has the function that its route needs. */
export interface NavEntry {
  readonly label: Translated;
  /** Groups of the menu, in this order. */
  readonly group: 'work' | 'administration';
  /** Within the group, ascending. */
  readonly order: number;
  /** Of `@tabler/icons-react`. */
  readonly icon: ComponentType<{ readonly size?: number | string; readonly stroke?: number | string }>;
  /** Typed anywhere: `g s`. */
  readonly shortcut?: string;
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

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Root,
  notFoundComponent: () => (
    <main>
      <NotFound />
    </main>
  ),
});

function Root(): ReactNode {
  const { language } = useLanguage();
  const title = useMatches({
    select: (matches) => matches.findLast((one) => one.staticData.title)?.staticData.title,
  });
  useEffect(() => {
    document.title = title === undefined ? 'Negatoscope' : `${title[language]} · Negatoscope`;
  }, [title, language]);
  return (
    <>
      <Banners />
      <Outlet />
    </>
  );
}

/** Parent of what is open to everybody: sign-in, set-up, links. */
export const publicRoute = createRoute({ getParentRoute: () => rootRoute, id: 'public', component: Outlet });

/** Parent of what fills the window: the viewer. Somebody is signed in. */
export const bareRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session === null) throw redirect({ to: '/sign-in', search: { next: location.href } });
    return { session };
  },
  component: SignedIn,
  pendingComponent: Loading,
  errorComponent: ({ error, reset }) => <Crash error={error} onRetry={reset} />,
});

function SignedIn(): ReactNode {
  const { required } = useSession();
  useKeptAppearance();
  return (
    <>
      {required.length > 0 ? (
        <Suspense fallback={<Loading />}>
          <Required />
        </Suspense>
      ) : (
        <>
          <BreakGlassBanner />
          <Outlet />
        </>
      )}
      <SignedOut />
    </>
  );
}

/** Parent of every ordinary page: header and menu stand around it. Somebody is signed in. */
export const shellRoute = createRoute({
  getParentRoute: () => bareRoute,
  id: 'shell',
  component: Shell,
  notFoundComponent: NotFound,
});
