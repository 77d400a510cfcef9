import { type Credentials, call, type Session } from '@negatoscope/api-client';
import { queryOptions } from '@tanstack/react-query';

/** By which ways one can sign in here. */
export const providersQuery = queryOptions({
  queryKey: ['session', 'providers'],
  staleTime: 60_000,
  queryFn: ({ signal }) => call('GET /api/v1/session/providers', { signal }),
});

/**
 * Sign in with an account of this system.
 *
 * @throws {Problem} `invalid-credentials`, `totp-required`, `too-many-attempts`, `local-sign-in-closed`, or no answer.
 */
export function signIn(credentials: Credentials): Promise<Session> {
  return call('POST /api/v1/session', { body: credentials });
}
