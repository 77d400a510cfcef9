import { describe, expect, it } from 'vitest';
import { dayFormat, isWhole, parseDay } from './day';

describe('a day in figures', () => {
  it.each([
    ['fr-FR', 'DD/MM/YYYY', 'dmy'],
    ['en-GB', 'DD/MM/YYYY', 'dmy'],
    ['en-US', 'MM/DD/YYYY', 'mdy'],
    ['fr-CA', 'YYYY-MM-DD', 'ymd'],
    ['fr-CH', 'DD.MM.YYYY', 'dmy'],
  ])('is written as in %s', (locale, pattern, order) => {
    expect(dayFormat(locale)).toEqual({ pattern, order });
  });

  const today = new Date(2026, 10, 24);
  it.each([
    ['03/05/1961', 'dmy', '1961-05-03'],
    ['3/5/61', 'dmy', '1961-05-03'],
    ['3.5.46', 'dmy', '2046-05-03'],
    ['3-5-47', 'dmy', '1947-05-03'],
    ['03051961', 'dmy', '1961-05-03'],
    ['030561', 'dmy', '1961-05-03'],
    ['05/03/1961', 'mdy', '1961-05-03'],
    ['610503', 'ymd', '1961-05-03'],
    ['1961-05-03', 'dmy', '1961-05-03'],
    [' 29/02/2028 ', 'dmy', '2028-02-29'],
    ['29/02/2027', 'dmy', null],
    ['31/02/2026', 'dmy', null],
    ['12/13/2026', 'dmy', null],
    ['0/1/2026', 'dmy', null],
    ['3/5/1', 'dmy', null],
    ['3/5', 'dmy', null],
    ['03/05/196', 'dmy', null],
    ['03/05/0961', 'dmy', null],
    ['', 'dmy', null],
    ['demain', 'dmy', null],
  ])('%s (%s) is %s', (text, order, expected) => {
    expect(parseDay(text, order, today)).toBe(expected);
  });

  it.each([
    ['3/5/1961', true],
    ['03051961', true],
    ['1961-05-03', true],
    ['3/5/19', false],
    ['030519', false],
    ['0305196', false],
  ])('%s is whole: %s', (text, expected) => {
    expect(isWhole(text)).toBe(expected);
  });
});
