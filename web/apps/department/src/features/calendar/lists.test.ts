import type { Appointment } from '@negatoscope/api-client';
import { describe, expect, it } from 'vitest';
import { type Listed, withDone } from './lists';

const DAY: Listed = { start_at: '2026-11-23T23:00:00Z', end_at: '2026-11-24T23:00:00Z', only: null };

function visit(id: number, version: number, start: string, room = 1, state = 'BOOKED') {
  const end_at = new Date(Date.parse(start) + 20 * 60_000).toISOString();
  return { id, version, state, start_at: start, end_at, steps: [{ room }] } as unknown as Appointment;
}

const told = (list: readonly Appointment[]) => list.map((one) => [one.id, one.version]);

describe('a list after something was done', () => {
  const before = [visit(1, 1, '2026-11-24T08:00:00Z'), visit(2, 5, '2026-11-24T09:00:00Z')];

  it('has the version that the server gave: the next change is made of it', () => {
    expect(told(withDone(before, DAY, visit(1, 2, '2026-11-24T10:00:00Z')))).toEqual([
      [2, 5],
      [1, 2],
    ]);
  });

  it('loses what went to another day or was called off', () => {
    expect(told(withDone(before, DAY, visit(1, 2, '2026-11-25T10:00:00Z')))).toEqual([[2, 5]]);
    expect(told(withDone(before, DAY, visit(1, 2, '2026-11-24T08:00:00Z', 1, 'CANCELLED')))).toEqual([
      [2, 5],
    ]);
  });

  it('gets what was not in it, if it is of its rooms', () => {
    const week = { ...DAY, only: [1] };
    expect(told(withDone(before, week, visit(3, 1, '2026-11-24T10:00:00Z'))).length).toBe(3);
    expect(told(withDone(before, week, visit(3, 1, '2026-11-24T10:00:00Z', 2))).length).toBe(2);
  });
});
