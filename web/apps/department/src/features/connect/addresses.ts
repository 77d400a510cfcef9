import { call } from '@negatoscope/api-client';
import { queryOptions, useQuery } from '@tanstack/react-query';

/** Where this server is reached by other programs; whether OHIF is there. */
export const addressesQuery = queryOptions({
  queryKey: ['addresses'],
  staleTime: 300_000,
  queryFn: ({ signal }) => call('GET /api/v1/addresses', { signal }),
});

/** Whether the other viewer can be opened; false until it is known. */
export function useHasOhif(): boolean {
  return useQuery(addressesQuery).data?.has_ohif ?? false;
}
