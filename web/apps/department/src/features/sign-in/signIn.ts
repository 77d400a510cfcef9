import { Problem, request } from '@negatoscope/api-client';
import { queryOptions } from '@tanstack/react-query';

export interface Credentials {
  readonly name: string;
  readonly password: string;
  readonly totp?: string;
}

export interface Provider {
  readonly name: string;
  readonly label: string;
  readonly url: string;
}

export interface Providers {
  readonly local: boolean;
  readonly providers: readonly Provider[];
  readonly setup_needed: boolean;
}

const ALONE: Providers = { local: true, providers: [], setup_needed: false };

/** By which ways one can sign in here. */
export const providersQuery = queryOptions({
  queryKey: ['session', 'providers'],
  staleTime: 300_000,
  queryFn: async ({ signal }): Promise<Providers> => {
    try {
      return {
        ...ALONE,
        ...((await (await request('/api/v1/session/providers', { signal })).json()) as Providers),
      };
    } catch (error) {
      if (error instanceof Problem && [401, 404, 422].includes(error.status)) return ALONE;
      throw error;
    }
  },
});

/**
 * Sign in with an account of this system.
 *
 * @throws {Problem} `invalid-credentials`, `totp-required`, `too-many-attempts`, or no answer.
 */
export async function signIn(credentials: Credentials): Promise<void> {
  try {
    await request('/api/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(credentials),
    });
    return;
  } catch (error) {
    if (!(error instanceof Problem) || !['unauthenticated', 'not-found'].includes(error.code)) throw error;
  }
  // A server that has no session resource yet.
  const answer = await fetch('/sign-in', {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ name: credentials.name, password: credentials.password, next: '/' }),
  });
  if (answer.type === 'opaqueredirect') return;
  const seconds = Number(answer.headers.get('retry-after') ?? 1);
  throw new Problem(
    answer.status,
    { code: answer.status === 429 ? 'too-many-attempts' : 'invalid-credentials' },
    seconds,
  );
}
