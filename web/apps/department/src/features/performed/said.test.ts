import { describe, expect, it } from 'vitest';
import { codesOf, remarksOf, seriesOf, textOf } from './said';

const data = {
  '00400310': { vr: 'ST', Value: ['DLP 412'] },
  '0018115E': { vr: 'DS', Value: [12.5] },
  '00400300': { vr: 'US' },
  '00400260': { vr: 'SQ', Value: [{ '00080104': { vr: 'LO', Value: ['Thorax'] } }] },
  '00400340': {
    vr: 'SQ',
    Value: [
      {
        '0020000E': { vr: 'UI', Value: ['1.2.3'] },
        '00181030': { vr: 'LO', Value: ['Thorax 1 mm'] },
        '00081070': { vr: 'PN', Value: [{ Alphabetic: 'LEROY^Anna' }] },
        '00081140': { vr: 'SQ', Value: [{}, {}] },
        '00400220': { vr: 'SQ', Value: [{}] },
      },
      { '0020000E': { vr: 'UI', Value: ['1.2.4'] }, '00081140': { vr: 'SQ' } },
    ],
  },
};

describe('what a modality said', () => {
  it('is its series with their images and other objects', () => {
    expect(seriesOf(data).map(({ uid, images, operators }) => [uid, images, operators])).toEqual([
      ['1.2.3', 3, 'LEROY Anna'],
      ['1.2.4', 0, ''],
    ]);
    expect(seriesOf({})).toEqual([]);
  });

  it('is radiation with units, and nothing of what is empty', () => {
    expect(remarksOf(data)).toEqual([
      ['doseComments', 'DLP 412'],
      ['doseArea', '12.5\u00A0dGy·cm²'],
    ]);
    expect(codesOf(data, '00400260')).toEqual(['Thorax']);
    expect(textOf({ x: { Value: [null] } }, 'x')).toBe('');
  });
});
