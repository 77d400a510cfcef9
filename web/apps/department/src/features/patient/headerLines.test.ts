import type { Element, Header } from '@negatoscope/api-client';
import { expect, it } from 'vitest';
import { linesOf, matching } from './headerLines';

function element(depth: number, tag: string, value: string, more: Partial<Element> = {}): Element {
  return {
    kind: tag === '' ? 'item' : 'element',
    depth,
    tag,
    vr: 'LO',
    length: value.length,
    keyword: null,
    name: null,
    creator: null,
    number: tag === '' ? 1 : 0,
    value,
    is_cut: false,
    ...more,
  };
}

const header = (elements: Element[]): Header => ({ elements }) as unknown as Header;
const first = header([
  element(0, '(0010,0010)', 'DUPONT^Éloïse', { keyword: 'PatientName' }),
  element(0, '(0008,1110)', '', { kind: 'sequence' }),
  element(1, '', ''),
  element(2, '(0008,1155)', '1.2.3'),
  element(0, '(0019,1002)', '912', { creator: 'GEMS_ACQU_01', name: 'Detector Channel' }),
]);
const nothing = { privates: false, differences: false };

it('finds lines by every word, accents aside, and keeps what they stand under', () => {
  const lines = linesOf(first, null);
  expect(matching(lines, 'eloise patientname', nothing).map((one) => one.element.tag)).toEqual([
    '(0010,0010)',
  ]);
  expect(matching(lines, '00081155', nothing).map((one) => one.path)).toEqual([
    '/(0008,1110)',
    '/(0008,1110)/1',
    '/(0008,1110)/1/(0008,1155)',
  ]);
  expect(matching(lines, 'detector', nothing)).toHaveLength(1);
  expect(matching(lines, '', { ...nothing, privates: true })).toHaveLength(1);
  expect(lines.map((one) => one.hasChildren)).toEqual([false, true, true, false, false]);
});

it('puts two instances side by side by place', () => {
  const second = header([
    element(0, '(0010,0010)', 'DUPONT^Éloïse'),
    element(0, '(0008,1110)', '', { kind: 'sequence' }),
    element(1, '', ''),
    element(2, '(0008,1155)', '9.9'),
    element(0, '(0020,0013)', '7'),
  ]);
  const changed = matching(linesOf(first, second), '', { ...nothing, differences: true });
  expect(changed.filter((one) => one.differs).map((one) => [one.path, one.element.value, one.other])).toEqual(
    [
      ['/(0008,1110)/1/(0008,1155)', '1.2.3', '9.9'],
      ['/(0019,1002)', '912', ''],
      ['/(0020,0013)', '', '7'],
    ],
  );
});
