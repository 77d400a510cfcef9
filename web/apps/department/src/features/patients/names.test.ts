import { createFormat } from '@negatoscope/ui';
import { describe, expect, it } from 'vitest';
import { ageOf, partialDate } from './names';

const format = createFormat('fr', 'fr-FR', 'UTC');

describe('a birth date', () => {
  it('is shown as far as it is known', () => {
    expect(
      ['19610503', '196105', '1961', '19610500', '19610000', '2000', ''].map((one) =>
        partialDate(one, format),
      ),
    ).toEqual(['03/05/1961', '05/1961', '1961', '05/1961', '1961', '2000', '']);
  });

  it('makes an age, a birthday at a time', () => {
    expect(ageOf('19610503', new Date(2026, 4, 2))).toBe(64);
    expect(ageOf('19610503', new Date(2026, 4, 3))).toBe(65);
    expect(ageOf('1961', new Date(2026, 0, 1))).toBe(65);
    expect(ageOf('', new Date())).toBeNull();
  });
});
