import { call, Problem, type Session } from '@negatoscope/api-client';
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useCallback } from 'react';

export type { Session };

/** What an account may do: `Action` of `negatoscope.domain.identity`. */
export type Action = Session['functions'][number];

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async ({ client, queryKey, signal }): Promise<Session | null> => {
    try {
      return await call('GET /api/v1/session', { signal });
    } catch (error) {
      const isStranger = error instanceof Problem && error.status === 401;
      // A session that ended leaves its pages as they are: the password is asked for over them.
      if (isStranger && (client.getQueryData<Session | null>(queryKey) ?? null) === null) return null;
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

/** End the session, at the provider too, and forget everything that was read in it. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(async () => {
    const { provider_url } = await call('DELETE /api/v1/session');
    client.clear();
    window.location.assign(provider_url ?? '/sign-in');
  }, [client]);
}
