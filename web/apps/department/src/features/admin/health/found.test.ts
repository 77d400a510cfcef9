import { describe, expect, it } from 'vitest';
import { foundIn } from './found';

describe('what health found, in French', () => {
  it.each([
    ['12.3 GB free, refuses below 1.0 GB', '12.3 Go libres, refuse sous 1.0 Go'],
    ['DICOM over TLS listens on 0.0.0.0:2762', 'DICOM sur TLS écoute sur 0.0.0.0:2762'],
    ['HTTP listens on 0.0.0.0:8042', 'HTTP écoute sur 0.0.0.0:8042'],
    ['4 heard of: dicom, hl7, http, worker', '4 se manifestent : dicom, hl7, http, worker'],
    [
      'prefers TLSv1.3 TLS_AES_256_GCM_SHA384; takes nothing weak',
      'préfère TLSv1.3 TLS_AES_256_GCM_SHA384 ; n’accepte rien de faible',
    ],
  ])('%s', (detail, french) => {
    expect(foundIn('fr', detail)).toBe(french);
  });

  it('leaves what it does not know, and English readers their own words', () => {
    expect(foundIn('fr', '/data: Permission denied')).toBeNull();
    expect(foundIn('en', 'answers')).toBeNull();
  });
});
