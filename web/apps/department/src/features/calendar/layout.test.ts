import type { Appointment, CalendarResource } from '@negatoscope/api-client';
import { describe, expect, it } from 'vitest';
import { blocksOf, closedOf, inLanes, rangeOf } from './layout';

const PARIS = 'Europe/Paris';
const column = { key: 'a', room: 1, day: '2026-11-24' };

function visit(id: number, ...steps: readonly (readonly [room: number, start: string, end: string])[]) {
  return {
    id,
    start_at: steps[0]?.[1] ?? null,
    end_at: steps.at(-1)?.[2] ?? null,
    overbooked: [],
    overbooking_reason: '',
    steps: steps.map(([room, start_at, end_at]) => ({
      room,
      start_at,
      end_at,
      modality: 'CT',
      description: 'x',
    })),
  } as unknown as Appointment;
}

describe('blocks', () => {
  it('stand in the column of their room, as long as their steps there', () => {
    const one = visit(
      7,
      [1, '2026-11-24T08:00:00Z', '2026-11-24T08:20:00Z'],
      [1, '2026-11-24T08:20:00Z', '2026-11-24T08:30:00Z'],
      [2, '2026-11-24T09:00:00Z', '2026-11-24T09:30:00Z'],
    );
    const found = blocksOf([column, { ...column, key: 'b', room: 2 }], [one], PARIS);
    expect(found.get('a')?.map(({ start, end, isLast }) => [start, end, isLast])).toEqual([
      [540, 570, false],
    ]);
    expect(found.get('b')?.map(({ start, isLast }) => [start, isLast])).toEqual([[600, true]]);
  });

  it('of a night are cut at midnight', () => {
    const night = visit(8, [1, '2026-11-24T22:30:00Z', '2026-11-24T23:30:00Z']);
    const next = { ...column, key: 'b', day: '2026-11-25' };
    const found = blocksOf([column, next], [night], PARIS);
    expect(found.get('a')?.map(({ start, end }) => [start, end])).toEqual([[1410, 1440]]);
    expect(found.get('b')?.map(({ start, end }) => [start, end])).toEqual([[0, 30]]);
  });

  it('that overlap stand beside each other, and only those', () => {
    const at = (start: number, end: number) => ({ start, end });
    const lanes = inLanes([at(0, 30), at(10, 20), at(20, 40), at(40, 50)]).map((b) => [
      b.start,
      b.lane,
      b.lanes,
    ]);
    expect(lanes).toEqual([
      [0, 0, 2],
      [10, 1, 2],
      [20, 1, 2],
      [40, 0, 1],
    ]);
  });
});

describe('the background', () => {
  const background: CalendarResource = {
    resource: 1,
    kind: 'ROOM',
    name: 'CT',
    open: [
      { start_at: '2026-11-24T07:00:00Z', end_at: '2026-11-24T11:00:00Z' },
      { start_at: '2026-11-24T12:30:00Z', end_at: '2026-11-24T17:00:00Z' },
    ],
    closed: [
      {
        start_at: '2026-11-24T08:00:00Z',
        end_at: '2026-11-24T08:30:00Z',
        kind: 'MAINTENANCE',
        reason: 'tube',
        downtime: 3,
      },
    ],
  };

  it('says when and why a room is closed', () => {
    const spans = closedOf(column, background, PARIS).map((one) => [one.start, one.end, one.kind]);
    expect(spans).toEqual([
      [0, 480, 'CLOSED'],
      [720, 810, 'CLOSED'],
      [1080, 1440, 'CLOSED'],
      [540, 570, 'MAINTENANCE'],
    ]);
  });

  it('leaves out what is of no use of a day, never an appointment', () => {
    const closed = [closedOf(column, background, PARIS)];
    expect(rangeOf(closed, [])).toEqual([480, 1080]);
    const late = blocksOf([column], [visit(1, [1, '2026-11-24T18:10:00Z', '2026-11-24T18:40:00Z'])], PARIS);
    expect(rangeOf(closed, [...late.values()])).toEqual([480, 1200]);
    expect(rangeOf([], [])).toEqual([420, 1200]);
  });
});
