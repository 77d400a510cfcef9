import { Problem } from '@negatoscope/api-client';
import { QueryClient } from '@tanstack/react-query';

const MAX_WAIT_MS = 30_000;

/** Reads are repeated while the server is away, and never when it has refused. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Whether the server answers is found by asking it; a browser knows of its own network only.
      networkMode: 'always',
      staleTime: 10_000,
      retry: (count, error) => error instanceof Problem && error.isTransient && count < 1000,
      retryDelay: (count, error) => {
        const told = error instanceof Problem ? error.retryAfter : undefined;
        return told === undefined ? Math.min(500 * 2 ** count, MAX_WAIT_MS) : told * 1000;
      },
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});
