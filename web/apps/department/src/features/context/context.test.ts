import type { CalledStudy, Meaning } from '@negatoscope/api-client';
import { describe, expect, it } from 'vitest';
import { targetOf } from './ViewPage';

const STUDY = { study_instance_uid: '1.2.3', patient_key: 7 } as CalledStudy;

function meaning(state: Meaning['state'], studies: CalledStudy[], viewer = 'NEGATOSCOPE'): Meaning {
  return { state, studies, viewer, outside_scope: null, registered_patient: null };
}

describe('the call of another application', () => {
  it('leads on at once where nothing is to be chosen', () => {
    expect(targetOf(meaning('study', [STUDY]))).toBe('/viewer?studyUID=1.2.3');
    expect(targetOf(meaning('study', [STUDY], 'OHIF'))).toBe('/ohif/viewer?StudyInstanceUIDs=1.2.3');
    expect(targetOf(meaning('patient', [STUDY, STUDY]))).toBe('/patients/7');
  });

  it('opens the file of the department where there are no images', () => {
    expect(targetOf({ ...meaning('registered-patient', []), registered_patient: 12 })).toBe(
      '/patients/registered/12',
    );
  });

  it('never chooses between patients', () => {
    for (const state of ['several-patients', 'several-studies'] as const) {
      expect(targetOf(meaning(state, [STUDY, STUDY]))).toBeNull();
    }
    expect(targetOf(meaning('unknown', []))).toBeNull();
  });
});
