import { describe, expect, it } from 'vitest';
import { errorsOf, fromSearch, NO_TRAITS, readDate, writeDate } from './traits';

describe('a birth date', () => {
  it('is read as people type it, as far as it is known', () => {
    expect(['3/5/1961', '03.05.1961', '1961-05-03', '05/1961', '1961', '19610503', ''].map(readDate)).toEqual(
      ['19610503', '19610503', '19610503', '196105', '1961', '19610503', ''],
    );
  });

  it('is refused where there is no such day, or not yet', () => {
    expect(['31/02/1961', '13/1961', '61', '1/1/2999', 'hier', '29/02/1900'].map(readDate)).toEqual(
      Array(6).fill(null),
    );
  });

  it('is written back as it is typed', () => {
    expect(['19610503', '196105', '1961', '19610500'].map(writeDate)).toEqual([
      '03/05/1961',
      '05/1961',
      '1961',
      '05/1961',
    ]);
  });
});

describe('a new patient', () => {
  it('begins with what was searched', () => {
    const typed = fromSearch(' dupuy léa 3/5/1961 ');
    expect([typed.birthFamily, typed.birthGiven, typed.birthDate]).toEqual(['DUPUY', 'Léa', '3/5/1961']);
  });

  it('needs a name, a date that exists and a code of five', () => {
    expect(errorsOf(NO_TRAITS)).toEqual({ birthFamily: 'needName' });
    expect(
      errorsOf({ ...NO_TRAITS, usedFamily: 'X', birthDate: '31/2/1990', birthPlaceCode: '2c004' }),
    ).toEqual({ birthDate: 'badDate', birthPlaceCode: 'badPlace' });
    expect(errorsOf({ ...NO_TRAITS, birthFamily: 'X', birthPlaceCode: '2a004' })).toEqual({});
  });
});
