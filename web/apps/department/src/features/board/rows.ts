import type { BoardDay, BoardRow } from '@negatoscope/api-client';
import type { Change } from '../live/useChanges';

export interface Changed {
  readonly changed_step: readonly number[];
  readonly changed_procedure: readonly number[];
  readonly changed_request: readonly number[];
  readonly changed_appointment: readonly number[];
}

/** The narrowest thing that each change is about. */
export function gather(changes: readonly Change[]): Changed {
  const numbers = (pick: (change: Change) => number | null): readonly number[] => [
    ...new Set(changes.map(pick).filter((one): one is number => one !== null)),
  ];
  return {
    changed_step: numbers((one) => one.step),
    changed_procedure: numbers((one) => (one.step === null ? one.procedure : null)),
    changed_request: numbers((one) => (one.step === null && one.procedure === null ? one.request : null)),
    changed_appointment: numbers((one) => one.appointment),
  };
}

export function isConcerned(row: BoardRow, changed: Changed): boolean {
  return (
    changed.changed_step.includes(row.step) ||
    changed.changed_procedure.includes(row.procedure) ||
    changed.changed_request.includes(row.request) ||
    (row.appointment !== null && changed.changed_appointment.includes(row.appointment))
  );
}

/** What of a row is seen to change. */
function signature(row: BoardRow): string {
  return [row.version, row.state, row.instance_count, row.mpps_state, row.room, row.flags.join()].join(' ');
}

/** The day after a change: rows that are concerned and did not come back have left it. */
export function patched(day: BoardDay, news: BoardDay, changed: Changed): [BoardDay, ReadonlySet<number>] {
  const before = new Map(day.rows.map((row) => [row.step, signature(row)]));
  const given = new Set(news.rows.map((row) => row.step));
  const kept = day.rows.filter((row) => !given.has(row.step) && !isConcerned(row, changed));
  const rows = [...kept, ...news.rows].sort(
    (a, b) => Date.parse(a.start_at) - Date.parse(b.start_at) || a.step - b.step,
  );
  const fresh = new Set(
    news.rows.filter((row) => before.get(row.step) !== signature(row)).map((row) => row.step),
  );
  return [{ ...day, rows, unordered: news.unordered, now: news.now }, fresh];
}

export interface Group {
  readonly room: number | null;
  readonly name: string;
  readonly location: string;
  readonly rows: readonly BoardRow[];
}

/** Rows by room, rooms by name; what has no room comes last. */
export function byRoom(rows: readonly BoardRow[], locale: string): readonly Group[] {
  const groups = new Map<number | null, BoardRow[]>();
  for (const row of rows) {
    const group = groups.get(row.room);
    if (group === undefined) groups.set(row.room, [row]);
    else group.push(row);
  }
  const collator = new Intl.Collator(locale, { numeric: true });
  return [...groups]
    .map(([room, members]) => ({
      room,
      name: members[0]?.room_name ?? '',
      location: members[0]?.room_location ?? '',
      rows: members,
    }))
    .sort((a, b) => Number(a.room === null) - Number(b.room === null) || collator.compare(a.name, b.name));
}

/** A patient as the department calls them: the name in use, else the one of birth. */
export function nameOf(row: Pick<BoardRow, 'birth_name' | 'used_name'>): string {
  const family = row.used_name.family || row.birth_name.family;
  const given = row.used_name.given || row.birth_name.given;
  return [family.toLocaleUpperCase(), given].filter((part) => part !== '').join(' ');
}

/** First letters: what a wall may show of a name. */
export function initialsOf(row: Pick<BoardRow, 'birth_name' | 'used_name'>): string {
  const first = (name: string): string => {
    const letter = [...name.trim()][0];
    return letter === undefined ? '' : `${letter.toLocaleUpperCase()}.`;
  };
  return [
    first(row.used_name.given || row.birth_name.given),
    first(row.used_name.family || row.birth_name.family),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const OPEN = new Set(['SCHEDULED', 'ARRIVED', 'READY']);

/** Minutes after the planned time: until now, or until it began. */
export function delayOf(row: BoardRow, now: number): number | null {
  const planned = Date.parse(row.start_at);
  if (row.started_at !== null) return Math.round((Date.parse(row.started_at) - planned) / 60_000);
  return OPEN.has(row.state) ? Math.round((now - planned) / 60_000) : null;
}

/** Minutes as people say them: `25 min`, and from two hours on `12 h 18`. */
export function spanOf(minutes: number): string {
  if (minutes < 120) return `${minutes}\u00A0min`;
  return `${Math.floor(minutes / 60)}\u00A0h\u00A0${String(minutes % 60).padStart(2, '0')}`;
}

/** Minutes since somebody came, while they wait. */
export function waitingOf(row: BoardRow, now: number): number | null {
  if (row.arrived_at === null || (row.state !== 'ARRIVED' && row.state !== 'READY')) return null;
  return Math.max(0, Math.round((now - Date.parse(row.arrived_at)) / 60_000));
}

export type StepAction = 'arrive' | 'identity' | 'start' | 'end' | 'discontinue' | 'undo';

/** What can be done with a step now; the first is what comes next. */
export function possible(row: BoardRow): readonly StepAction[] {
  switch (row.state) {
    case 'SCHEDULED':
      return ['arrive', 'identity'];
    case 'ARRIVED':
      return row.identity_checked_at === null ? ['identity', 'undo'] : ['start', 'undo'];
    case 'READY':
      return ['start', 'undo'];
    case 'STARTED':
      return ['end', 'discontinue', 'undo'];
    case 'COMPLETED':
    case 'DISCONTINUED':
      return ['undo'];
    default:
      return [];
  }
}
