import { useRouter, useRouterState } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { type Criteria, readCriteria, writeCriteria } from './criteria';

const KEPT = 'negatoscope.board.search';

/** The criteria, in the address; those of the last visit where the address has none. */
export function useCriteria(): readonly [Criteria, (next: Criteria) => void] {
  const router = useRouter();
  const query = useRouterState({ select: ({ location }) => location.searchStr });
  const criteria = useMemo(() => readCriteria(query), [query]);
  const change = useCallback(
    (next: Criteria) => {
      const text = writeCriteria(next);
      sessionStorage.setItem(KEPT, text);
      void router.navigate({ href: text === '' ? '/board' : `/board?${text}`, replace: true });
    },
    [router],
  );
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    const kept = sessionStorage.getItem(KEPT);
    if (query === '' && kept !== null && kept !== '')
      void router.navigate({ href: `/board?${kept}`, replace: true });
  }, [query, router]);
  return [criteria, change];
}
