import { describe, expect, it } from 'vitest';
import { localPath } from './next';

describe('localPath', () => {
  it.each(['/studies?text=a%26b#top', '/patients/1%5E2', '/viewer?studyUID=1.2'])('keeps %s', (path) => {
    expect(localPath(path)).toBe(path);
  });

  it.each([
    'https://elsewhere.example/',
    '//elsewhere.example/',
    '/\\elsewhere.example/',
    '/\t/elsewhere.example/',
    '\\\\elsewhere.example',
    'javascript:alert(1)',
    '/sign-in?next=/sign-in',
    '/..//elsewhere.example',
    '',
    null,
    undefined,
    ['/studies'],
    `/${'a'.repeat(3000)}`,
  ])('leads home instead of to %s', (wanted) => {
    expect(localPath(wanted)).toBe('/');
  });
});
