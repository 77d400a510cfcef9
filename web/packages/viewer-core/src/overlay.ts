/** The texts in the four corners of a pane. */

import type { DisplaySet } from './dicom/displaySets';
import type { Frame, StudyInfo } from './dicom/instance';
import { sayMeasure } from './measurement';
import { type MessageKey, type Messages, say } from './messages';
import type { Pane } from './state/model';
import { type Range, toWindow } from './windowing';

export interface Corners {
  readonly topLeft: readonly string[];
  readonly topRight: readonly string[];
  readonly bottomLeft: readonly string[];
  readonly bottomRight: readonly string[];
}

/** ``20261120`` as the language writes a date; what is no date is given as it is. */
export function sayDate(date: string, language: string): string {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(date);
  if (!found) return date;
  const at = new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])));
  return new Intl.DateTimeFormat(language, {
    timeZone: 'UTC',
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
  }).format(at);
}

/** ``134502.12`` as ``13:45``. */
export function sayTime(time: string): string {
  const found = /^(\d{2})(\d{2})/.exec(time);
  return found ? `${found[1]}:${found[2]}` : '';
}

/** Whole years between two dates of DICOM, or null. */
export function ageAt(birthDate: string, studyDate: string): number | null {
  if (!/^\d{8}$/.test(birthDate) || !/^\d{8}$/.test(studyDate)) return null;
  return Math.max(0, Math.floor((Number(studyDate) - Number(birthDate)) / 10000));
}

/** (0020,0062): unpaired organs have no side to tell. */
const SIDES: Readonly<Record<string, MessageKey>> = {
  L: 'laterality.L',
  R: 'laterality.R',
  B: 'laterality.B',
};

export function corners(
  study: StudyInfo | undefined,
  set: DisplaySet,
  frame: Frame | undefined,
  pane: Pane,
  shown: { readonly voi: Range | null; readonly zoom: number | null },
  words: Messages,
  language: string,
): Corners {
  const age = study ? ageAt(study.birthDate, study.studyDate) : null;
  const sex = study?.sex
    ? say(words, study.sex === 'F' ? 'sex.F' : study.sex === 'M' ? 'sex.M' : 'sex.O')
    : '';
  const window = shown.voi === null ? null : toWindow(shown.voi);
  const round = (value: number) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0 }).format(value);
  const count = set.frames.length;
  const thickness = frame?.sliceThickness;
  const side = SIDES[frame?.instance.laterality.slice(0, 1) ?? ''];
  return {
    topLeft: [
      study?.patientName ?? '',
      [study?.patientID, sex, age === null ? '' : say(words, 'overlay.age', { age })]
        .filter(Boolean)
        .join(' · '),
      study?.birthDate ? sayDate(study.birthDate, language) : '',
    ].filter(Boolean),
    topRight: [
      study?.institution ?? '',
      study ? [sayDate(study.studyDate, language), sayTime(study.studyTime)].filter(Boolean).join(' ') : '',
      study?.description ?? '',
    ].filter(Boolean),
    bottomLeft: [
      [set.modality, set.seriesNumber ? `S${set.seriesNumber}` : '', set.description]
        .filter(Boolean)
        .join(' · '),
      count > 0 ? say(words, 'overlay.image', { index: pane.index + 1, count }) : '',
      [
        side ? say(words, side) : '',
        frame?.instance.viewPosition ?? '',
        thickness
          ? say(words, 'overlay.thickness', { mm: sayMeasure({ value: thickness, unit: 'mm' }, language) })
          : '',
      ]
        .filter(Boolean)
        .join(' · '),
    ].filter(Boolean),
    bottomRight: [
      window === null
        ? ''
        : say(words, 'overlay.window', { center: round(window.center), width: round(window.width) }),
      shown.zoom === null ? '' : say(words, 'overlay.zoom', { percent: Math.round(shown.zoom * 100) }),
      frame?.instance.isLossy ? say(words, 'overlay.lossy') : '',
    ].filter(Boolean),
  };
}
