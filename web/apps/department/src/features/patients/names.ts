import type { PatientIdentifier, RegisteredPatient } from '@negatoscope/api-client';
import type { Format } from '@negatoscope/ui';

/** `DURAND Zoé`: family name in capitals, then the given name. */
export function shownName(patient: RegisteredPatient, format: Format): string {
  return format.personName(`${patient.family_name}^${patient.given_name}`);
}

/** The birth name, where it is another than the one shown; else empty. */
export function birthNameIfOther(patient: RegisteredPatient, format: Format): string {
  const { family, given } = patient.birth_name;
  const isSameGiven = given === '' || given === patient.given_name;
  if (isSameGiven && (family === '' || family === patient.family_name)) return '';
  return format.personName(isSameGiven ? `${family}^` : `${family}^${given}`);
}

/** A birth date as far as it is known: `YYYY`, `YYYYMM`, `YYYYMMDD`, unknown parts as `00`. */
export function partialDate(value: string, format: Format): string {
  const known = value.replace(/(00)+$/, (zeros) => (value.length === 4 ? zeros : ''));
  if (known.length === 8) return format.date(known);
  if (known.length === 6) return `${known.slice(4)}/${known.slice(0, 4)}`;
  return known;
}

/** Years since a birth date; null where the year is not known. */
export function ageOf(birthDate: string, today: Date = new Date()): number | null {
  if (!/^\d{4}/.test(birthDate)) return null;
  const now = `${today.getFullYear()}${two(today.getMonth() + 1)}${two(today.getDate())}`;
  const born = birthDate.padEnd(8, '0');
  const years = Number(now.slice(0, 4)) - Number(born.slice(0, 4)) - (now.slice(4) < born.slice(4) ? 1 : 0);
  return years >= 0 && years < 150 ? years : null;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The hospital's numbers first, the national identity last. */
export function orderedIdentifiers<One extends PatientIdentifier>(all: readonly One[]): readonly One[] {
  const rank = (one: PatientIdentifier) => (one.type_code === 'PI' ? 0 : one.type_code === 'INS' ? 2 : 1);
  return [...all].sort((a, b) => rank(a) - rank(b));
}
