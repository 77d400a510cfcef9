import { expect, it } from 'vitest';
import { differing } from './difference';
import { pairOf, readSearch } from './search';

function marked(a: string, b: string): readonly string[] {
  return differing(a, b).map((side) =>
    side.map((one) => (one.isDifferent ? `[${one.text}]` : one.text)).join(''),
  );
}

it('marks the letters that differ', () => {
  expect(marked('LEFEBVRE', 'LEFEVRE')).toEqual(['LEFE[B]VRE', 'LEFEVRE']);
  expect(marked('19700203', '19700213')).toEqual(['197002[0]3', '197002[1]3']);
  expect(marked('', 'ANNE')).toEqual(['', '[ANNE]']);
  expect(marked('VAN DEN BOSSCHE', 'INCONNU')).toEqual(['[VAN DEN BOSSCHE]', '[INCONNU]']);
  expect(marked('same', 'same')).toEqual(['same', 'same']);
});

it('takes letters of another case for the same, and shows that they are not', () => {
  expect(marked('Anne', 'ANNE')).toEqual(['A[nne]', 'A[NNE]']);
});

it('reads the address and nothing strange in it', () => {
  expect(readSearch({ tab: 'journal', open: '12-34', dismissed: true })).toEqual({
    tab: 'journal',
    open: '12-34',
    dismissed: true,
  });
  expect(readSearch({ tab: 'x', open: '<script>', dismissed: 'true' })).toEqual({});
  expect(pairOf('12-34')).toEqual([12, 34]);
  expect(pairOf('1.2.3')).toBeNull();
});
