import type { Appointment } from '@negatoscope/api-client';
import type { Colour } from './search';

const MODALITIES: Readonly<Record<string, string>> = {
  CT: 'var(--mantine-color-blue-6)',
  MR: 'var(--mantine-color-violet-6)',
  US: 'var(--mantine-color-teal-6)',
  DX: 'var(--mantine-color-orange-6)',
  CR: 'var(--mantine-color-orange-6)',
  RF: 'var(--mantine-color-yellow-6)',
  MG: 'var(--mantine-color-pink-6)',
  XA: 'var(--mantine-color-red-6)',
  NM: 'var(--mantine-color-lime-6)',
  PT: 'var(--mantine-color-green-6)',
  PX: 'var(--mantine-color-cyan-6)',
  BMD: 'var(--mantine-color-indigo-6)',
};
export const STATES: Readonly<Record<'BOOKED' | 'ARRIVED' | 'FULFILLED' | 'NOSHOW', string>> = {
  BOOKED: 'var(--mantine-color-blue-6)',
  ARRIVED: 'var(--mantine-color-yellow-6)',
  FULFILLED: 'var(--mantine-color-green-6)',
  NOSHOW: 'var(--mantine-color-gray-6)',
};
const OTHER = 'var(--mantine-color-gray-6)';

export function tintOfModality(modality: string): string {
  return MODALITIES[modality] ?? OTHER;
}

export function tintOf(appointment: Appointment, modality: string, colour: Colour): string {
  if (colour === 'modality') return tintOfModality(modality);
  return appointment.state in STATES ? STATES[appointment.state as keyof typeof STATES] : OTHER;
}
