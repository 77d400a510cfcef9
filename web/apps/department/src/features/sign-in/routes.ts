import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { publicRoute } from '../../app/roots';
import { localPath } from '../session/next';
import { sessionQuery } from '../session/session';

const signIn = createRoute({
  getParentRoute: () => publicRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string; error?: string } => {
    const next = localPath(search['next']);
    const error = search['error'];
    return { ...(next === '/' ? {} : { next }), ...(typeof error === 'string' ? { error } : {}) };
  },
  beforeLoad: async ({ context, search }) => {
    const session = await context.queryClient.fetchQuery(sessionQuery);
    if (session !== null) throw redirect({ href: search.next ?? '/', replace: true });
  },
  component: lazyRouteComponent(() => import('./SignInPage'), 'SignInPage'),
  staticData: { title: { en: 'Sign in', fr: 'Connexion' } },
});

export const signInRoutes = [signIn] as const;
