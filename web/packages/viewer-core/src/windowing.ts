/** Windows: which values are black and which are white (PS3.3 §C.11.2). */

import type { Frame, Window } from './dicom/instance';

/** Bounds of a window, in units after the Modality LUT. */
export interface Range {
  readonly lower: number;
  readonly upper: number;
}

/** Values shown as the darkest and the brightest (PS3.3 §C.11.2.1.2.1, LINEAR). */
export function toRange({ center, width }: Pick<Window, 'center' | 'width'>): Range {
  return { lower: center - 0.5 - (width - 1) / 2, upper: center - 0.5 + (width - 1) / 2 };
}

/** The window of a pair of bounds: the inverse of ``toRange``. */
export function toWindow({ lower, upper }: Range): { readonly center: number; readonly width: number } {
  return { center: (lower + upper) / 2 + 0.5, width: upper - lower + 1 };
}

export interface Preset {
  readonly id: string;
  readonly center: number;
  readonly width: number;
}

/** Windows that radiologists ask by name; keys 1 to 9 in this order. */
export const CT_PRESETS: readonly Preset[] = [
  { id: 'abdomen', center: 50, width: 400 },
  { id: 'lung', center: -600, width: 1500 },
  { id: 'bone', center: 400, width: 1800 },
  { id: 'brain', center: 40, width: 80 },
  { id: 'stroke', center: 35, width: 35 },
  { id: 'mediastinum', center: 40, width: 350 },
  { id: 'liver', center: 90, width: 150 },
  { id: 'angio', center: 300, width: 600 },
];

/** Presets for a modality; other than of CT the values have no common unit. */
export const presetsFor = (modality: string): readonly Preset[] => (modality === 'CT' ? CT_PRESETS : []);

/** The window an image opens with, or null when it tells none. */
export const initialWindow = (frame: Frame | undefined): Window | null => frame?.windows[0] ?? null;

/** A window from the values themselves: all but half a percent of them at each end.
 *
 * Args: values: samples after the Modality LUT; padding: value that is no measurement.
 */
export function automatic(values: ArrayLike<number>, padding?: number): Range | null {
  const stride = Math.max(1, Math.floor(values.length / 65536));
  const kept: number[] = [];
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i];
    if (value !== undefined && Number.isFinite(value) && value !== padding) kept.push(value);
  }
  if (kept.length === 0) return null;
  kept.sort((a, b) => a - b);
  const lower = kept[Math.floor(kept.length * 0.005)] ?? 0;
  const upper = kept[Math.min(kept.length - 1, Math.floor(kept.length * 0.995))] ?? 0;
  return upper > lower ? { lower, upper } : { lower: lower - 0.5, upper: lower + 0.5 };
}
