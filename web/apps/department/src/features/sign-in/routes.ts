import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { publicRoute } from '../../app/roots';
import { isElsewhere, localPath } from '../session/next';
import { sessionQuery } from '../session/session';

const signIn = createRoute({
  getParentRoute: () => publicRoute,
  path: '/sign-in',
  // What the validation leaves out, the router would take from the address as it stands: every name
  // is given a value here.
  validateSearch: (search: Record<string, unknown>): { next?: string; error?: string | undefined } => ({
    next: localPath(search['next']),
    error: typeof search['error'] === 'string' ? search['error'].slice(0, 100) : undefined,
  }),
  beforeLoad: async ({ context, search }) => {
    const session = await context.queryClient.fetchQuery(sessionQuery);
    if (session === null) return;
    const href = localPath(search.next);
    throw redirect({ href, replace: true, reloadDocument: isElsewhere(href) });
  },
  component: lazyRouteComponent(() => import('./SignInPage'), 'SignInPage'),
  staticData: { title: { en: 'Sign in', fr: 'Connexion' } },
});

export const signInRoutes = [signIn] as const;
