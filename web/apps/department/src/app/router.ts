import { createRouter } from '@tanstack/react-router';
import { parsePlain, writePlain } from './plainSearch';
import { queryClient } from './queryClient';
import { routeTree } from './routes';

export const router = createRouter({
  routeTree,
  context: { queryClient },
  parseSearch: parsePlain,
  stringifySearch: writePlain,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
