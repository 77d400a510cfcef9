import { describe, expect, it } from 'vitest';
import { isEmpty, NOTHING, queryOf, readCriteria, writeCriteria } from './criteria';
import { csvOf } from './csv';

describe('criteria', () => {
  it('come back from the address as they were written', () => {
    const query = 'text=00123&patient_name=O%27HARA+%26+fils&first=7d&modality=CT&modality=MR&order=-name';
    expect(writeCriteria(readCriteria(query))).toBe(query);
    expect(isEmpty(readCriteria('order=name'))).toBe(true);
    expect(isEmpty(readCriteria('modality=CT'))).toBe(false);
  });

  it('leave aside what is none', () => {
    expect(readCriteria('first=soon&last=x&order=age&modality=%3Cb%3E&patient_key=3')).toEqual(NOTHING);
  });

  it('count spans of days back from today', () => {
    const today = new Date(2026, 2, 5);
    expect(queryOf(readCriteria('first=today'), today)).toMatchObject({
      first: '2026-03-05',
      last: '2026-03-05',
    });
    expect(queryOf(readCriteria('first=7d'), today)).toMatchObject({ first: '2026-02-26' });
    expect(queryOf(readCriteria('first=1y'), today)).toMatchObject({ first: '2025-03-05' });
  });
});

describe('csv', () => {
  it('quotes what must be quoted and lets no spreadsheet run it', () => {
    const csv = csvOf(
      ['Nom', 'n'],
      [
        ['DUPONT "Zoé"; fils', 3],
        ['=HYPERLINK("http://evil")', null],
        ['-1\n', '@x'],
      ],
      ';',
    );
    expect(csv).toBe(
      '\uFEFFNom;n\r\n"DUPONT ""Zoé""; fils";3\r\n"\'=HYPERLINK(""http://evil"")";\r\n"\'-1\n";\'@x\r\n',
    );
  });
});
