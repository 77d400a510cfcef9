import { Problem, request } from '@negatoscope/api-client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';

const SETTLE_MS = 600;

/** A value, or what it becomes of the latest one. */
export type Next<T> = T | ((before: T) => T);

function kept(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(`negatoscope.${key}`) ?? 'null');
  } catch {
    return null;
  }
}

/**
 * Something a person keeps: this browser's memory at once, the account's when it answers. A change
 * is seen at once and written a moment later.
 *
 * What is changed may be a function of the latest value: two changes in one frame are both kept.
 *
 * @param read Makes a value of what was kept, by an older version perhaps, or of nothing.
 */
export function usePreference<T>(
  key: string,
  read: (kept: unknown) => T,
): readonly [T, (next: Next<T>) => void] {
  const client = useQueryClient();
  const latest = useRef(read);
  latest.current = read;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { data } = useQuery({
    queryKey: ['preference', key],
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: () => kept(key),
    queryFn: async ({ signal }): Promise<unknown> => {
      try {
        const response = await request(`/api/v1/me/preferences/${key}`, { signal });
        return response.status === 204 ? kept(key) : await response.json();
      } catch (error) {
        if (error instanceof Problem && error.status === 403) return kept(key);
        throw error;
      }
    },
  });
  const change = useCallback(
    (given: Next<T>) => {
      const queryKey = ['preference', key];
      const next =
        typeof given === 'function'
          ? (given as (before: T) => T)(latest.current(client.getQueryData(queryKey) ?? kept(key)))
          : given;
      void client.cancelQueries({ queryKey }); // what is on its way is older
      client.setQueryData(queryKey, next);
      const body = JSON.stringify(next);
      try {
        localStorage.setItem(`negatoscope.${key}`, body);
      } catch {
        // A browser that keeps nothing.
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        const headers = { 'content-type': 'application/json' };
        request(`/api/v1/me/preferences/${key}`, { method: 'PUT', headers, body, keepalive: true }).catch(
          () => {
            // This browser's memory has to do.
          },
        );
      }, SETTLE_MS);
    },
    [client, key],
  );
  return [read(data ?? null), change];
}
