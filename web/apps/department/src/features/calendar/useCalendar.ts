import {
  type Appointment,
  type AppointmentList,
  call,
  type DepartmentResource,
} from '@negatoscope/api-client';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { useChanges } from '../live/useChanges';
import { type Listed, withDone } from './lists';
import type { CalendarSearch } from './search';
import { addDays, dayOf, instantOf, mondayOf } from './time';

/** How often the days are read again while nobody tells of changes, and while somebody does. */
const REFRESH_MS = 10_000;
const SLOW_REFRESH_MS = 30_000;
/** Between two readings that changes ask for. */
const REST_MS = 500;
export const APPOINTMENTS = ['calendar', 'appointments'];
export const TO_BOOK = ['calendar', 'to-book'];
/** Until the server has said it. */
const USUAL_ZONE = 'Europe/Paris';
let lastZone = USUAL_ZONE;

/** Rooms of the department with what stands in them. */
export function useRooms() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['resources', 'active'],
    queryFn: ({ signal }) => call('GET /api/v1/resources', { query: { is_active: true }, signal }),
    staleTime: 60_000,
  });
  return useMemo(() => {
    const devices = (data ?? []).filter((one) => one.kind === 'DEVICE');
    const rooms = (data ?? []).filter((one) => one.kind === 'ROOM');
    const modalitiesOf = new Map<number, string[]>(rooms.map((room) => [room.id, []]));
    for (const device of devices) {
      if (device.room !== null && device.room !== undefined && device.modality)
        modalitiesOf.get(device.room)?.push(device.modality);
    }
    rooms.sort((a, b) => rank(a, modalitiesOf) - rank(b, modalitiesOf) || byName(a, b));
    const modalities = [...new Set(devices.map((one) => one.modality ?? ''))].filter(Boolean).sort();
    const names = new Map((data ?? []).map((one) => [one.id, one.name]));
    return { rooms, modalitiesOf, modalities, names, error, isPending, refetch };
  }, [data, error, isPending, refetch]);
}

const ORDER = ['CT', 'MR', 'US', 'DX', 'CR', 'RF', 'MG', 'XA', 'NM', 'PT'];

function rank(room: DepartmentResource, modalities: ReadonlyMap<number, readonly string[]>): number {
  const found = ORDER.indexOf(modalities.get(room.id)?.[0] ?? '');
  return found === -1 ? ORDER.length : found;
}

function byName(a: DepartmentResource, b: DepartmentResource): number {
  return a.name.localeCompare(b.name, undefined, { numeric: true });
}

/** The days that are shown, and what is on them. */
export function useDays(search: CalendarSearch, rooms: readonly number[]) {
  const reload = useReload();
  const isLive = useLive(reload);
  const zone = lastZone;
  const today = dayOf(new Date(), zone);
  const chosen = search.day ?? today;
  const first = search.view === 'week' ? mondayOf(chosen) : chosen;
  const count = search.view === 'week' ? 7 : 1;
  const range = useMemo(
    () => ({
      start_at: instantOf(first, 0, zone).toISOString(),
      end_at: instantOf(addDays(first, count), 0, zone).toISOString(),
    }),
    [first, count],
  );
  const only = search.view === 'week' ? [...rooms] : null;
  const background = useQuery({
    queryKey: ['calendar', 'background', range, only],
    queryFn: async ({ signal }) => {
      const found = await call('GET /api/v1/calendar', { query: { ...range, resource: only }, signal });
      lastZone = found.time_zone;
      return found;
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    enabled: only === null || only.length > 0,
  });
  const appointments = useQuery({
    queryKey: [...APPOINTMENTS, { ...range, only }],
    queryFn: ({ signal }) =>
      call('GET /api/v1/appointments', { query: { ...range, resource: only }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? SLOW_REFRESH_MS : REFRESH_MS,
    enabled: only === null || only.length > 0,
  });
  const days = useMemo(
    () => Array.from({ length: count }, (_, index) => addDays(first, index)),
    [first, count],
  );
  return {
    zone: background.data?.time_zone ?? zone,
    today,
    chosen,
    days,
    background,
    appointments,
    isLive,
    reload,
  };
}

/** Read again what the calendar shows; resolves when it is there. */
function useReload(): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(async () => {
    const keys = [APPOINTMENTS, TO_BOOK, ['calendar', 'open'], ['calendar', 'slots']];
    await Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
  }, [client]);
}

/** Show what the server answered, without waiting for the next reading: a second change begins with its version. */
export function useTakeDone(): (done: Appointment) => void {
  const client = useQueryClient();
  return useCallback(
    (done) => {
      void client.cancelQueries({ queryKey: APPOINTMENTS }); // what was asked before knows less
      for (const [queryKey, list] of client.getQueriesData<AppointmentList>({ queryKey: APPOINTMENTS })) {
        if (list === undefined) continue;
        const appointments = [...withDone(list.appointments, queryKey.at(-1) as Listed, done)];
        client.setQueryData<AppointmentList>(queryKey, { ...list, appointments });
      }
    },
    [client],
  );
}

/** Read again when somebody changed something. Changes that come during a reading cause one more. */
function useLive(reload: () => Promise<void>): boolean {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const state = useRef({ isReading: false, isAskedAgain: false });
  const read = useCallback(() => {
    const now = state.current;
    if (now.isReading) {
      now.isAskedAgain = true;
      return;
    }
    now.isReading = true;
    now.isAskedAgain = false;
    void reload().finally(() => {
      timer.current = setTimeout(() => {
        now.isReading = false;
        if (now.isAskedAgain) read();
      }, REST_MS);
    });
  }, [reload]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useChanges({
    onChanges: ({ changes }) => {
      if (changes.length > 0) read();
    },
    onMissed: read,
  });
}
