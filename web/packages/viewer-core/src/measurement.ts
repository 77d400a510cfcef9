/** What is written beside a measure: the right unit, or an honest "px". */

import type { Frame } from './dicom/instance';
import type { Point2 } from './geometry';

export type LengthUnit = 'mm' | 'px';

/** Millimetres of a pixel where a measure may be given in them: ``[between rows, between columns]``; null says "px".
 *
 * An ultrasound image counts only inside one of its calibrated regions, and a measure across two is none.
 */
export function pixelSizeAt(frame: Frame, points: readonly Point2[]): readonly [number, number] | null {
  if (frame.spacing.kind === 'patient') return frame.spacing.mm;
  const region = frame.instance.regions.find(({ x0, y0, x1, y1 }) =>
    points.every(([x, y]) => x >= x0 && x <= x1 && y >= y0 && y <= y1),
  );
  return region?.mm ?? null;
}

export interface Measured {
  readonly value: number;
  readonly unit: string;
}

/** Distance between two positions of an image. */
export function distance(frame: Frame, a: Point2, b: Point2): Measured {
  const size = pixelSizeAt(frame, [a, b]);
  const [row, column] = size ?? [1, 1];
  const value = Math.hypot((b[0] - a[0]) * column, (b[1] - a[1]) * row);
  return { value, unit: size === null ? 'px' : 'mm' };
}

/** Area of so many pixels' worth: cm², mm² below a tenth of a cm², or px². */
export function area(frame: Frame, pixels: number, points: readonly Point2[]): Measured {
  const size = pixelSizeAt(frame, points);
  if (size === null) return { value: pixels, unit: 'px²' };
  const mm2 = pixels * size[0] * size[1];
  return mm2 < 10 ? { value: mm2, unit: 'mm²' } : { value: mm2 / 100, unit: 'cm²' };
}

/** Angle at the middle of three positions, degrees, in the patient's proportions. */
export function angle(frame: Frame, a: Point2, apex: Point2, b: Point2): Measured {
  const [row, column] = frame.spacing.kind === 'none' ? [1, 1] : frame.spacing.mm;
  const u = [(a[0] - apex[0]) * column, (a[1] - apex[1]) * row] as const;
  const v = [(b[0] - apex[0]) * column, (b[1] - apex[1]) * row] as const;
  const size = Math.hypot(...u) * Math.hypot(...v);
  const cosine = size === 0 ? 1 : (u[0] * v[0] + u[1] * v[1]) / size;
  return { value: (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI, unit: '°' };
}

/** Pixels inside a polygon: the shoelace formula. */
export function polygonPixels(points: readonly Point2[]): number {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] ?? [x, y];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

const DECIMALS: Readonly<Record<string, number>> = {
  mm: 1,
  'mm²': 2,
  'cm²': 2,
  px: 0,
  'px²': 0,
  '°': 1,
  HU: 0,
};

/** A measure as a person of that language reads it; the space before a unit does not break. */
export function sayMeasure({ value, unit }: Measured, language: string): string {
  const digits = DECIMALS[unit] ?? (Math.abs(value) < 10 ? 2 : 0);
  const shown = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
  if (unit === '') return shown;
  return unit === '°' ? `${shown}°` : `${shown}\u00a0${unit}`;
}

/** The unit of the values of a picture as this language writes it: French says UH. */
export function valueUnit(unit: string, language: string): string {
  return unit === 'HU' && language.startsWith('fr') ? 'UH' : unit;
}
