import { expect, it } from 'vitest';
import { parsePlain, writePlain } from './plainSearch';

it('keeps what looks like a number, a boolean or a list as it was written', () => {
  const query = '?text=12345678901234567890&a=1.20&b=true&c=%5B1%5D&modality=CT&modality=MR&d=0012';
  expect(parsePlain(query)).toEqual({
    text: '12345678901234567890',
    a: '1.20',
    b: 'true',
    c: '[1]',
    modality: ['CT', 'MR'],
    d: '0012',
  });
  expect(writePlain(parsePlain(query))).toBe(query);
  expect(writePlain({ empty: '', none: undefined })).toBe('');
});
