import { useRouter } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useSession } from '../features/session/session';
import type { NavEntry } from './roots';

/** The routes that stand in the menu for this account, in their order. */
export function useNavEntries(): readonly { readonly to: string; readonly nav: NavEntry }[] {
  const router = useRouter();
  const { functions } = useSession();
  return useMemo(
    () =>
      Object.values(router.routesById)
        .flatMap((route) => {
          const { nav, needs } = route.options.staticData ?? {};
          if (nav === undefined || (needs !== undefined && !functions.includes(needs))) return [];
          return [{ to: route.fullPath as string, nav }];
        })
        .sort((a, b) => a.nav.order - b.nav.order),
    [router, functions],
  );
}
