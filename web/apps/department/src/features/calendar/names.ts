import type { AppointmentPatient } from '@negatoscope/api-client';
import type { Format } from '@negatoscope/ui';

/** A patient in a calendar: family name in capitals, given name. */
export function patientName(patient: AppointmentPatient | null, format: Format): string {
  return patient === null ? '' : format.personName(`${patient.family}^${patient.given}`);
}
