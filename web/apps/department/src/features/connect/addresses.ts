import { call } from '@negatoscope/api-client';
import { queryOptions } from '@tanstack/react-query';

/** Where this server is reached by other programs; whether OHIF is there. */
export const addressesQuery = queryOptions({
  queryKey: ['addresses'],
  staleTime: 300_000,
  queryFn: ({ signal }) => call('GET /api/v1/addresses', { signal }),
});
