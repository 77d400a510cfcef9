import type { PerformedStepPage } from '@negatoscope/api-client';

export type PerformedStep = PerformedStepPage['items'][number];

/** First part of the keys under which they are kept. */
export const PERFORMED = ['performed-steps'];

export function nameOf(one: Pick<PerformedStep, 'patient_family_name' | 'patient_given_name'>): string {
  return [one.patient_family_name.toLocaleUpperCase(), one.patient_given_name].filter(Boolean).join(' ');
}
