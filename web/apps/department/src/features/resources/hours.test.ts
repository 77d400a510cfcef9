import { describe, expect, it } from 'vitest';
import { hoursInWords } from './hours';

describe('hours in words', () => {
  it('join days that are alike', () => {
    const at = (weekday: number, opens: string, closes: string) => ({ weekday, opens, closes });
    const week = [1, 2, 3, 4, 5].flatMap((day) => [
      at(day, '08:00:00', '12:30:00'),
      at(day, '13:30:00', '18:00:00'),
    ]);
    expect(hoursInWords([...week, at(7, '09:00:00', '12:00:00')], 'fr')).toBe(
      'lun.–ven. 08:00–12:30, 13:30–18:00 · dim. 09:00–12:00',
    );
    expect(hoursInWords([at(6, '08:00:00', '13:00:00')], 'en')).toBe('Sat 08:00–13:00');
    expect(hoursInWords([], 'fr')).toBe('');
  });
});
