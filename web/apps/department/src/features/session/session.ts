import { call, Problem, request } from '@negatoscope/api-client';
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useCallback } from 'react';

/** What an account may do: the strings of `Action` in `negatoscope.domain.identity`. */
export type Action = string;

export interface Session {
  readonly user: { readonly name: string; readonly display_name: string; readonly roles: readonly string[] };
  /** The server decides again at every door; these only shape what is shown. */
  readonly functions: readonly Action[];
  readonly language?: string | null;
  readonly expires_at?: string | null;
  readonly must_change_password?: boolean;
}

const ALL: readonly Action[] = ['query', 'retrieve', 'store', 'administer', 'read audit'];

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      const response = await request('/api/v1/session', { signal });
      return (await response.json()) as Session;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) return null;
      if (error.status !== 404 && error.status !== 405) throw error;
    }
    // A server that has no session resource yet.
    try {
      const me = await call('GET /api/v1/me', { signal });
      const functions = me.roles.includes('administrator') ? ALL : ALL.slice(0, 3);
      return { user: { name: me.name, display_name: me.name, roles: me.roles }, functions };
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
});

/** Who is signed in, on pages where somebody is. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery);
  if (data === null) throw new Problem(401, { code: 'unauthenticated', title: 'Nobody is signed in' });
  return data;
}

/** Whether this account has a function. */
export function useMay(wanted: Action): boolean {
  return useSession().functions.includes(wanted);
}

/** End the session and forget everything that was read in it. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(async () => {
    try {
      await request('/api/v1/session', { method: 'DELETE' });
    } catch (error) {
      if (!(error instanceof Problem) || (error.status !== 401 && error.status !== 404)) throw error;
    }
    client.clear();
    window.location.assign('/sign-in');
  }, [client]);
}
