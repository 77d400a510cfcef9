import { expect, test } from 'vitest';
import { codeName, codesOf, type Protocol, sentProtocol } from './protocol';

const KNOWN = [
  { code_value: 'TAP', coding_scheme_designator: '99LOCAL', code_meaning: 'Thorax, abdomen' },
  { code_value: 'T1', coding_scheme_designator: '99LOCAL', code_meaning: '' },
];
const BEFORE: Protocol = {
  text: '',
  codes: [KNOWN[0] as (typeof KNOWN)[0]],
  agent: 'Iode',
  modality: 'CT',
  room: 0,
};

test('known names are their codes, other words become codes of ours', () => {
  const codes = codesOf(
    ['Thorax, abdomen', 'T1', 'Coupes fines épaule', 'Coupes fines épaule !', '  '],
    KNOWN,
  );
  expect(codes.map((one) => one.code_value)).toEqual(['TAP', 'T1', 'COUPESFINESEPAUL', 'COUPESFINESEPAU2']);
  expect(codes.map(codeName)).toEqual([
    'Thorax, abdomen',
    'T1',
    'Coupes fines épaule',
    'Coupes fines épaule !',
  ]);
});

test('words without a letter that a code takes have a code all the same', () => {
  expect(codesOf(['超音波'], [])[0]).toMatchObject({ code_value: 'PROTOCOL', code_meaning: '超音波' });
});

test('what the catalogue says besides a code is not sent', () => {
  const found = [{ ...(KNOWN[1] as (typeof KNOWN)[0]), modalities: ['CT'] }];
  const now = { ...BEFORE, codes: codesOf(['T1'], found) };
  expect(sentProtocol(now, BEFORE).protocol_codes).toEqual([
    { code_value: 'T1', coding_scheme_designator: '99LOCAL', code_meaning: 'T1' },
  ]);
});

test('what is as it was is not sent', () => {
  expect(sentProtocol(BEFORE, BEFORE)).toEqual({
    protocol: '',
    protocol_codes: null,
    contrast_agent: null,
    wished_room: null,
  });
  const now = { ...BEFORE, text: ' In prone ', codes: [], agent: '', room: 7 };
  expect(sentProtocol(now, BEFORE)).toEqual({
    protocol: 'In prone',
    protocol_codes: [],
    contrast_agent: '',
    wished_room: 7,
  });
});
