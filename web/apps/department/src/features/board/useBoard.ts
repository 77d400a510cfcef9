import { type BoardDay, call } from '@negatoscope/api-client';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useChanges } from '../live/useChanges';
import { type Criteria, queryOf } from './criteria';
import { type Changed, gather, patched } from './rows';

const FRESH_MS = 4000;
const TICK_MS = 20_000;
const SLOW_REFRESH_MS = 120_000;

export interface LiveBoard {
  readonly day: BoardDay | undefined;
  readonly isPending: boolean;
  readonly isStale: boolean;
  readonly error: unknown;
  /** The stream of changes is open; until then what is shown may be old. */
  readonly isLive: boolean;
  /** Steps that changed a moment ago. */
  readonly fresh: ReadonlySet<number>;
  /** The server's clock, in milliseconds; it goes on. */
  readonly now: number;
  readonly reload: () => void;
  /** Read some steps again now: one was changed here. */
  readonly reread: (changed: Changed) => Promise<void>;
}

/** The rows of a day, kept as the department's work goes on. */
export function useBoard(criteria: Criteria): LiveBoard {
  const client = useQueryClient();
  const query = useMemo(() => queryOf(criteria), [criteria]);
  const key = useMemo(() => ['board', query] as const, [query]);
  const list = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => call('GET /api/v1/board', { query, signal }),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    refetchInterval: SLOW_REFRESH_MS,
  });
  const [fresh, setFresh] = useState<ReadonlySet<number>>(new Set());
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());

  const flash = useCallback((steps: ReadonlySet<number>) => {
    if (steps.size === 0) return;
    setFresh((before) => new Set([...before, ...steps]));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setFresh((before) => new Set([...before].filter((step) => !steps.has(step))));
    }, FRESH_MS);
    timers.current.add(timer);
  }, []);
  useEffect(
    () => () => {
      for (const timer of timers.current) clearTimeout(timer);
    },
    [],
  );

  const reread = useCallback(
    async (changed: Changed) => {
      const news = await call('GET /api/v1/board', {
        query: {
          ...query,
          changed: true,
          changed_step: [...changed.changed_step],
          changed_procedure: [...changed.changed_procedure],
          changed_request: [...changed.changed_request],
          changed_appointment: [...changed.changed_appointment],
        },
      });
      const known = client.getQueryData<BoardDay>(key);
      if (known === undefined) return;
      if (known.day !== news.day) {
        void client.invalidateQueries({ queryKey: key }); // midnight
        return;
      }
      const [day, steps] = patched(known, news, changed);
      client.setQueryData(key, day);
      flash(steps);
    },
    [client, flash, key, query],
  );
  const reload = useCallback(() => void client.invalidateQueries({ queryKey: ['board'] }), [client]);

  const day = list.data;
  const isLive = useChanges({
    onChanges: ({ changes, studies }) => {
      const uids = new Set(studies.map((one) => one.study_instance_uid));
      const concerned = (day?.rows ?? []).filter(
        (row) => uids.has(row.study_instance_uid) || row.study_instance_uids.some((uid) => uids.has(uid)),
      );
      const changed = gather([
        ...changes,
        ...concerned.map(({ procedure }) => ({ request: null, procedure, step: null, appointment: null })),
      ]);
      void reread(changed).catch(reload);
    },
    onMissed: reload,
  });

  const offset = useMemo(() => (day === undefined ? 0 : Date.parse(day.now) - Date.now()), [day]);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);

  return {
    day,
    isPending: list.isPending,
    isStale: list.isPlaceholderData,
    error: list.error,
    isLive,
    fresh,
    now: Math.max(now, Date.now() - TICK_MS) + offset,
    reload,
    reread,
  };
}
