import type { BoardDay, BoardRow } from '@negatoscope/api-client';
import { describe, expect, it } from 'vitest';
import { isFiltered, NOTHING, queryOf, readCriteria, writeCriteria } from './criteria';
import { byRoom, delayOf, gather, initialsOf, nameOf, patched, possible, spanOf, waitingOf } from './rows';

function row(step: number, more: Partial<BoardRow> = {}): BoardRow {
  return {
    step,
    procedure: step * 10,
    request: step * 100,
    appointment: null,
    version: 1,
    state: 'SCHEDULED',
    start_at: `2026-11-24T09:${String(step).padStart(2, '0')}:00Z`,
    room: 1,
    room_name: 'Scanner 1',
    room_location: '',
    instance_count: 0,
    mpps_state: null,
    started_at: null,
    arrived_at: null,
    identity_checked_at: null,
    birth_name: { family: 'Lefèvre', given: 'Élise' },
    used_name: { family: '', given: '' },
    flags: [],
    ...more,
  } as unknown as BoardRow;
}

function day(rows: readonly BoardRow[]): BoardDay {
  return { rows, unordered: [], now: '2026-11-24T09:40:00Z' } as unknown as BoardDay;
}

describe('criteria of the board', () => {
  it('are the same after a trip through the address', () => {
    const wanted = {
      ...NOTHING,
      day: '2026-11-24',
      text: 'lefèvre & co',
      modality: ['CT', 'MR'],
      room: [3, 12],
      state: ['ARRIVED', 'READY'] as const,
      priority: ['STAT'] as const,
      unit: '2031',
      isGrouped: false,
      view: 'waiting' as const,
    };
    expect(readCriteria(writeCriteria(wanted))).toEqual(wanted);
    expect(queryOf(wanted)).toEqual({
      day: '2026-11-24',
      text: 'lefèvre & co',
      modality: ['CT', 'MR'],
      room: [3, 12],
      priority: ['STAT'],
      unit: '2031',
    });
    expect(queryOf({ ...NOTHING, state: ['CANCELED'] })).toEqual({ canceled: true });
  });

  it('leave aside what cannot be meant', () => {
    expect(readCriteria('day=never&state=GONE&room=0&room=x&priority=NOW&view=3d&modality=%3Cb%3E')).toEqual(
      NOTHING,
    );
    expect(isFiltered({ ...NOTHING, day: '2026-11-24', view: 'waiting', isGrouped: false })).toBe(false);
    expect(isFiltered({ ...NOTHING, unit: 'x' })).toBe(true);
  });
});

describe('rows of the board', () => {
  it('take in what changed, lose what left and say what is new', () => {
    const before = day([row(1), row(2), row(3)]);
    const changed = gather([
      { request: 100, procedure: 10, step: 1, appointment: 7 },
      { request: 300, procedure: null, step: null, appointment: null },
      { request: 900, procedure: 90, step: 9, appointment: null },
    ]);
    expect(changed).toEqual({
      changed_step: [1, 9],
      changed_procedure: [],
      changed_request: [300],
      changed_appointment: [7],
    });
    const [after, fresh] = patched(before, day([row(9), row(1, { state: 'ARRIVED', version: 2 })]), changed);
    expect(after.rows.map((one) => one.step)).toEqual([1, 2, 9]);
    expect(fresh).toEqual(new Set([1, 9]));
    const [, same] = patched(after, day([row(1, { state: 'ARRIVED', version: 2 })]), gather([]));
    expect(same.size).toBe(0);
  });

  it('stand by room, in the order people count in', () => {
    const rows = [
      row(1, { room: 1, room_name: 'Scanner 10' }),
      row(2, { room: null, room_name: '' }),
      row(3, { room: 2, room_name: 'Scanner 9' }),
      row(4, { room: 1, room_name: 'Scanner 10' }),
    ];
    expect(byRoom(rows, 'fr').map((one) => [one.name, one.rows.length])).toEqual([
      ['Scanner 9', 1],
      ['Scanner 10', 2],
      ['', 1],
    ]);
  });

  it('name people, and on a wall do not', () => {
    expect(nameOf(row(1))).toBe('LEFÈVRE Élise');
    expect(nameOf(row(1, { used_name: { family: 'Dubois', given: '' } }))).toBe('DUBOIS Élise');
    expect(initialsOf(row(1))).toBe('É. L.');
    expect(initialsOf(row(1, { birth_name: { family: '𠮷野', given: '' } }))).toBe('𠮷.');
  });

  it('count delays until now, or until it began', () => {
    const now = Date.parse('2026-11-24T09:31:00Z');
    expect(delayOf(row(1), now)).toBe(30);
    expect(delayOf(row(1, { state: 'STARTED', started_at: '2026-11-24T08:58:00Z' }), now)).toBe(-3);
    expect(delayOf(row(1, { state: 'COMPLETED' }), now)).toBeNull();
    expect(waitingOf(row(1, { state: 'ARRIVED', arrived_at: '2026-11-24T09:11:00Z' }), now)).toBe(20);
    expect(waitingOf(row(1), now)).toBeNull();
    expect([spanOf(5), spanOf(738)]).toEqual(['5\u00A0min', '12\u00A0h\u00A018']);
  });

  it('offer what comes next first', () => {
    expect(possible(row(1))[0]).toBe('arrive');
    expect(possible(row(1, { state: 'ARRIVED' }))[0]).toBe('identity');
    expect(possible(row(1, { state: 'ARRIVED', identity_checked_at: '2026-11-24T09:11:00Z' }))[0]).toBe(
      'start',
    );
    expect(possible(row(1, { state: 'STARTED' }))[0]).toBe('end');
    expect(possible(row(1, { state: 'CANCELED' }))).toEqual([]);
  });
});
