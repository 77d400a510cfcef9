import { describe, expect, it } from 'vitest';
import { addDays, clock, dayOf, instantOf, minutesOf, mondayOf, weekdayOf } from './time';

const PARIS = 'Europe/Paris';

describe('the clocks of the department', () => {
  it('go back and forth in winter and summer', () => {
    for (const day of ['2026-01-15', '2026-07-15']) {
      const at = instantOf(day, 8 * 60 + 35, PARIS);
      expect(dayOf(at, PARIS)).toBe(day);
      expect(minutesOf(at, day, PARIS)).toBe(8 * 60 + 35);
    }
    expect(instantOf('2026-07-15', 0, PARIS).toISOString()).toBe('2026-07-14T22:00:00.000Z');
  });

  it('know days of 23 and 25 hours', () => {
    const hours = (day: string) =>
      (instantOf(addDays(day, 1), 0, PARIS).getTime() - instantOf(day, 0, PARIS).getTime()) / 3_600_000;
    expect([hours('2026-03-29'), hours('2026-10-25'), hours('2026-06-01')]).toEqual([23, 25, 24]);
    expect(minutesOf(instantOf('2026-03-29', 600, PARIS), '2026-03-29', PARIS)).toBe(600);
  });

  it('are the same wherever the browser is', () => {
    expect(instantOf('2026-11-24', 480, 'America/Cayenne').toISOString()).toBe('2026-11-24T11:00:00.000Z');
  });

  it('begin a week on Monday', () => {
    expect(weekdayOf('2026-11-29')).toBe(7);
    expect(mondayOf('2026-11-29')).toBe('2026-11-23');
    expect(mondayOf('2026-11-23')).toBe('2026-11-23');
    expect(clock(485)).toBe('08:05');
  });
});
