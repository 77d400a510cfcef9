import { describe, expect, it, vi } from 'vitest';
import { instantOf, queryOf, readSearch, tabOf } from './search';

describe('the address of an audit search', () => {
  it('is read with what it means and without what it cannot', () => {
    const read = readSearch({
      patient: 4711,
      from: '2026-02-30x',
      to: '2026-03-01',
      classes: ['view', 'king'],
      outcomes: 'REFUSED',
      tab: 'nowhere',
      text: ['a'],
    });
    expect(read).toMatchObject({
      patient: '4711',
      to: '2026-03-01',
      classes: ['view'],
      outcomes: ['REFUSED'],
    });
    expect(read.from).toBeUndefined();
    expect(read.text).toBeUndefined();
    expect(tabOf(read)).toBe('patient');
    expect(tabOf({ ...read, tab: 'events' })).toBe('events');
    expect(tabOf({})).toBe('events');
  });

  it('takes no number for an identifier it is not', () => {
    vi.stubGlobal('location', { search: '?patient=12345678901234567890&user=1e5' });
    expect(readSearch({ patient: 12345678901234567000, user: 100000 })).toMatchObject({
      patient: '12345678901234567890',
      user: '1e5',
    });
    vi.unstubAllGlobals();
    expect(readSearch({ patient: 1.2 }).patient).toBeUndefined();
  });

  it('names whole days of the reader’s zone', () => {
    const start = instantOf('2026-03-01', 'start') ?? '';
    const end = instantOf('2026-03-01', 'end') ?? '';
    expect(Date.parse(end) - Date.parse(start)).toBe(86_400_000);
    expect(new Date(start).getHours()).toBe(0);
    expect(queryOf({ from: '2026-03-01', user: 'ana' })).toMatchObject({ actor: 'ana', after: start });
  });
});
