import { describe, expect, it } from 'vitest';
import { openOf, readSearch } from './search';

describe('what the address says of the list of messages', () => {
  it('takes what it knows and drops the rest', () => {
    expect(readSearch({ direction: 'out', state: 'FAILED', destination: '3', open: 'out-9', x: 1 })).toEqual({
      direction: 'out',
      state: 'FAILED',
      destination: 3,
      open: 'out-9',
    });
    expect(readSearch({ direction: 'up', state: 'ODD', destination: '-1', open: 'out-0', tab: '' })).toEqual(
      {},
    );
  });

  it('takes a number alone for one that came', () => {
    expect(openOf('7')).toEqual({ direction: 'in', id: 7 });
    expect(openOf('in-7')).toEqual({ direction: 'in', id: 7 });
    expect(openOf('out-7')).toEqual({ direction: 'out', id: 7 });
    expect(openOf('sideways-7')).toBeNull();
  });
});
