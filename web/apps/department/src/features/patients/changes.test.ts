import { createFormat } from '@negatoscope/ui';
import { describe, expect, it } from 'vitest';
import { differences } from './changes';

const format = createFormat('fr', 'fr-FR', 'UTC');

describe('a change of a file', () => {
  it('says what was and what is, and leaves out what says nothing', () => {
    const change = {
      before: { birth_date: '1961', used_name: { family: '', given: '', further: '' }, sex: '' },
      after: {
        birth_date: '19610503',
        used_name: { family: 'MARTIN', given: 'Zoé', further: 'Zoé Anne' },
        sex: '',
        is_deceased: false,
        identity_attributes: ['DOUT', 'HOMA'],
        identifiers: [{ value: '1', authority: 'CHU', universal_id: '', type_code: 'PI' }],
        into: 7,
      },
    };
    expect(differences(change, format)).toEqual([
      { name: 'identifiers', before: '', after: '1 (CHU)' },
      { name: 'used_name', before: '', after: 'MARTIN Zoé (Zoé Anne)' },
      { name: 'birth_date', before: '1961', after: '03/05/1961' },
      { name: 'identity_attributes', before: '', after: 'DOUT, HOMA' },
    ]);
  });
});
