import type { Slot } from '@negatoscope/api-client';
import { describe, expect, it } from 'vitest';
import { different } from './slots';

const PARIS = 'Europe/Paris';
const slot = (start_at: string, room: number) => ({ start_at, steps: [{ room }] }) as unknown as Slot;
const times = (slots: readonly Slot[]) =>
  slots.map((one) => `${one.start_at.slice(11, 16)}/${one.steps[0]?.room}`);

describe('proposed slots', () => {
  const night = [1, 2, 3, 4].map((hour) => slot(`2026-11-25T0${hour}:00:00Z`, 9));
  const day = ['07:00', '07:20', '07:40', '08:00'].map((time) => slot(`2026-11-25T${time}:00Z`, 1));
  const later = slot('2026-11-25T09:00:00Z', 2);

  it('are by day, and not all of one room', () => {
    expect(times(different([...night, ...day, later], PARIS, false))).toEqual([
      '07:00/1',
      '07:20/1',
      '07:40/1',
      '08:00/1',
      '09:00/2',
    ]);
    const many = Array.from({ length: 20 }, (_, n) =>
      slot(`2026-11-25T10:${String(n).padStart(2, '0')}:00Z`, 3),
    );
    expect(times(different([later, ...many], PARIS, false)).slice(0, 3)).toEqual([
      '09:00/2',
      '10:00/3',
      '10:01/3',
    ]);
    expect(different([...many, slot('2026-11-25T18:00:00Z', 4)], PARIS, false).at(-1)?.steps[0]?.room).toBe(
      4,
    );
  });

  it('of the night are for who is urgent, or when nothing else is free', () => {
    expect(times(different([...night, ...day], PARIS, true)).slice(0, 2)).toEqual(['01:00/9', '02:00/9']);
    expect(times(different(night, PARIS, false))).toHaveLength(4);
  });
});
