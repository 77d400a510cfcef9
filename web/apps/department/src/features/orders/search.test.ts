import { describe, expect, it } from 'vitest';
import { dayStart, readSearch } from './search';

describe('filters of the list of orders', () => {
  it('keeps what can be looked for', () => {
    const given = {
      text: 'durand',
      state: 'ON HOLD',
      priority: 'STAT',
      modality: 'CT',
      vetting: 'WAITING',
      from: '2026-11-24',
      patient: '7',
      unknown: 'true',
    };
    expect(readSearch(given)).toEqual({ ...given, patient: 7, unknown: true });
  });

  it('drops what nobody can look for', () => {
    expect(
      readSearch({
        text: '',
        state: 'GONE',
        modality: '<b>',
        from: '2026-13-40',
        patient: -1,
        unknown: 'no',
      }),
    ).toEqual({});
  });

  it('takes a day as it begins for the reader', () => {
    expect(new Date(dayStart('2026-11-24')).getHours()).toBe(0);
    expect(Date.parse(dayStart('2026-11-24', 1)) - Date.parse(dayStart('2026-11-24'))).toBe(86_400_000);
  });
});
