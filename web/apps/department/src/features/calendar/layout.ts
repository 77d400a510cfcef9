import type { Appointment, CalendarResource } from '@negatoscope/api-client';
import { minutesOf } from './time';

/** A column of the grid: a room on a day. */
export interface Column {
  readonly key: string;
  readonly room: number;
  readonly day: string;
}

/** What an appointment takes up of one column, in minutes of its day. */
export interface Block {
  readonly key: string;
  readonly appointment: Appointment;
  readonly room: number;
  readonly start: number;
  readonly end: number;
  /** The visit ends here: it can be made longer. */
  readonly isLast: boolean;
  readonly modality: string;
  readonly description: string;
  readonly isOverbooked: boolean;
  /** Of blocks that overlap: which of how many beside each other. */
  readonly lane: number;
  readonly lanes: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  readonly reason: string;
}

const DAY = 1440;

/** The blocks of every column, overlapping ones beside each other. */
export function blocksOf(
  columns: readonly Column[],
  appointments: readonly Appointment[],
  zone: string,
): ReadonlyMap<string, readonly Block[]> {
  const found = new Map<string, Block[]>(columns.map((column) => [column.key, []]));
  for (const appointment of appointments) {
    const rooms = new Set(appointment.steps.map((step) => step.room).filter((room) => room !== null));
    for (const room of rooms) {
      const steps = appointment.steps.filter((step) => step.room === room);
      const starts = steps.map((step) => Date.parse(step.start_at ?? appointment.start_at ?? ''));
      const ends = steps.map((step) => Date.parse(step.end_at ?? appointment.end_at ?? ''));
      const first = new Date(Math.min(...starts));
      const last = new Date(Math.max(...ends));
      if (Number.isNaN(first.getTime()) || Number.isNaN(last.getTime())) continue;
      for (const column of columns) {
        if (column.room !== room) continue;
        const start = Math.max(0, minutesOf(first, column.day, zone));
        const end = Math.min(DAY, minutesOf(last, column.day, zone));
        if (end <= start || start >= DAY) continue;
        found.get(column.key)?.push({
          key: `${appointment.id}-${column.key}`,
          appointment,
          room,
          start,
          end,
          isLast: last.getTime() === Date.parse(appointment.end_at ?? ''),
          modality: steps[0]?.modality ?? '',
          description: [...new Set(steps.map((step) => step.description))].join(', '),
          isOverbooked: appointment.overbooked.includes(room) || appointment.overbooking_reason !== '',
          lane: 0,
          lanes: 1,
        });
      }
    }
  }
  return new Map([...found].map(([key, blocks]) => [key, inLanes(blocks)]));
}

/** Give blocks that overlap lanes beside each other. */
export function inLanes<B extends { readonly start: number; readonly end: number }>(
  blocks: readonly B[],
): readonly (B & { readonly lane: number; readonly lanes: number })[] {
  const sorted = [...blocks].sort((a, b) => a.start - b.start || b.end - a.end);
  const done: (B & { lane: number; lanes: number })[] = [];
  let cluster: (B & { lane: number; lanes: number })[] = [];
  let free: number[] = [];
  const close = () => {
    for (const one of cluster) one.lanes = free.length;
    done.push(...cluster);
    cluster = [];
    free = [];
  };
  for (const block of sorted) {
    if (free.length > 0 && free.every((end) => end <= block.start)) close();
    let lane = free.findIndex((end) => end <= block.start);
    if (lane === -1) lane = free.length;
    free[lane] = block.end;
    cluster.push({ ...block, lane, lanes: 1 });
  }
  close();
  return done;
}

/** When a column is closed: outside its hours, and for a reason. */
export function closedOf(
  column: Column,
  background: CalendarResource | undefined,
  zone: string,
): readonly Span[] {
  if (background === undefined) return [];
  const within = (start: string, end: string) => ({
    start: Math.max(0, minutesOf(new Date(start), column.day, zone)),
    end: Math.min(DAY, minutesOf(new Date(end), column.day, zone)),
  });
  const spans: Span[] = [];
  let until = 0;
  const open = background.open
    .map((one) => within(one.start_at, one.end_at))
    .filter((one) => one.end > one.start)
    .sort((a, b) => a.start - b.start);
  for (const one of [...open, { start: DAY, end: DAY }]) {
    if (one.start > until) spans.push({ start: until, end: one.start, kind: 'CLOSED', reason: '' });
    until = Math.max(until, one.end);
  }
  for (const one of background.closed) {
    const { start, end } = within(one.start_at, one.end_at);
    if (end > start) spans.push({ start, end, kind: one.kind, reason: one.reason });
  }
  return spans;
}

/** The part of the day that is worth showing, on whole hours. */
export function rangeOf(
  closed: readonly (readonly Span[])[],
  blocks: readonly (readonly Block[])[],
): readonly [number, number] {
  let first = DAY;
  let last = 0;
  for (const spans of closed) {
    const edges = spans.filter((one) => one.kind === 'CLOSED');
    const early = edges.find((one) => one.start === 0)?.end ?? 0;
    const late = edges.find((one) => one.end === DAY)?.start ?? DAY;
    if (early >= late) continue;
    first = Math.min(first, early);
    last = Math.max(last, late);
  }
  for (const block of blocks.flat()) {
    first = Math.min(first, block.start);
    last = Math.max(last, block.end);
  }
  if (first >= last) return [7 * 60, 20 * 60];
  return [Math.floor(first / 60) * 60, Math.ceil(last / 60) * 60];
}
