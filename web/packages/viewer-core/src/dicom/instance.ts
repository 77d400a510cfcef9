/** What the viewer knows of an instance and of each of its frames. */

import { cross, type Plane, type Vector } from '../geometry';
import { type Item, items, number, numbers, personName, text, texts } from './json';

/** What its pixels measure. */
export type Spacing =
  /** Distances in the patient: cross sections, or a projection that was calibrated. */
  | { readonly kind: 'patient'; readonly mm: readonly [number, number] }
  /** Distances on the detector only (0018,1164): no measure of the patient. */
  | { readonly kind: 'detector'; readonly mm: readonly [number, number] }
  | { readonly kind: 'none' };

/** A window: Window Center and Width (0028,1050/1051), in units after the Modality LUT. */
export interface Window {
  readonly center: number;
  readonly width: number;
  readonly name: string;
}

/** A calibrated area of an ultrasound image (0018,6011); limits in pixels, inclusive. */
export interface UltrasoundRegion {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** mm between pixel centres: ``[between rows, between columns]``. */
  readonly mm: readonly [number, number];
}

export interface Frame {
  readonly sopInstanceUID: string;
  /** From 1. */
  readonly frame: number;
  readonly instance: Instance;
  readonly plane: Plane | null;
  readonly spacing: Spacing;
  readonly windows: readonly Window[];
  /** mm, (0018,0050). */
  readonly sliceThickness: number | undefined;
}

export interface Instance {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly modality: string;
  readonly instanceNumber: number;
  readonly rows: number;
  readonly columns: number;
  readonly frameCount: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly photometric: string;
  readonly isLossy: boolean;
  readonly isRescaled: boolean;
  /** Unit after the Modality LUT: HU of CT, (0028,1054) or (0054,1001) of others; empty when none is told. */
  readonly unit: string;
  readonly frameOfReferenceUID: string;
  readonly laterality: string;
  readonly viewPosition: string;
  /** (0020,0020): letters towards the right and the bottom, for images without a plane. */
  readonly patientOrientation: readonly string[];
  /** Frames per second recommended, or null. */
  readonly framesPerSecond: number | null;
  readonly regions: readonly UltrasoundRegion[];
  readonly isLocalizer: boolean;
  readonly acquisitionTime: string;
  /** Data that tell apart the stacks of one series: echo, b-value, temporal position, image type… */
  readonly stackKey: string;
  readonly documentTitle: string;
  /** Present when the instance was made from metadata: what Cornerstone is given. */
  readonly item: Item;
}

const PROJECTIONS =
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|1\.[123](\.\d)?|12\.[123](\.1)?|13\.1\.[345]|77\..*|481\.1)$/;
const CALIBRATED = new Set(['GEOMETRY', 'FIDUCIAL']);

function pair(found: readonly number[]): readonly [number, number] | null {
  const [row, column] = found;
  return row !== undefined && column !== undefined && row > 0 && column > 0 ? [row, column] : null;
}

/** What the spacing of an image is worth (PS3.3 §10.7.1.3). */
export function spacingOf(item: Item, measures: Item = item): Spacing {
  const pixel = pair(numbers(measures, '00280030'));
  const detector = pair(numbers(item, '00181164'));
  const isProjection = PROJECTIONS.test(text(item, '00080016'));
  if (!isProjection) return pixel === null ? { kind: 'none' } : { kind: 'patient', mm: pixel };
  const isCalibrated =
    CALIBRATED.has(text(item, '00280A02')) ||
    (pixel !== null && detector !== null && (pixel[0] !== detector[0] || pixel[1] !== detector[1]));
  if (pixel !== null && isCalibrated) return { kind: 'patient', mm: pixel };
  const mm = detector ?? pixel;
  return mm === null ? { kind: 'none' } : { kind: 'detector', mm };
}

function windowsOf(item: Item): readonly Window[] {
  const [centers, widths, names] = [
    numbers(item, '00281050'),
    numbers(item, '00281051'),
    texts(item, '00281055'),
  ];
  return centers.flatMap((center, i) => {
    const width = widths[i];
    return width !== undefined && width >= 1 ? [{ center, width, name: names[i]?.trim() ?? '' }] : [];
  });
}

function planeOf(
  position: Item,
  orientation: Item,
  spacing: Spacing,
  rows: number,
  columns: number,
): Plane | null {
  const origin = numbers(position, '00200032');
  const cosines = numbers(orientation, '00200037');
  if (origin.length !== 3 || cosines.length !== 6 || spacing.kind === 'none') return null;
  const [x = 0, y = 0, z = 0] = origin;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = cosines;
  const [row, column]: [Vector, Vector] = [
    [a, b, c],
    [d, e, f],
  ];
  const area = Math.hypot(...cross(row, column));
  if (Math.abs(area - 1) > 0.01) return null; // no directions of a plane
  return { origin: [x, y, z], row, column, spacing: spacing.mm, rows, columns };
}

function regionsOf(item: Item): readonly UltrasoundRegion[] {
  return items(item, '00186011').flatMap((region) => {
    const of = (tag: string) => number(region, tag) ?? 0;
    if (of('00186024') !== 3 || of('00186026') !== 3) return []; // both in cm
    const mm: [number, number] = [Math.abs(of('0018602E')) * 10, Math.abs(of('0018602C')) * 10];
    if (!(mm[0] > 0) || !(mm[1] > 0)) return [];
    return [{ x0: of('00186018'), y0: of('0018601A'), x1: of('0018601C'), y1: of('0018601E'), mm }];
  });
}

function rateOf(item: Item): number | null {
  const rate = number(item, '00182144') ?? number(item, '00180040') ?? number(item, '00082144');
  if (rate !== undefined && rate > 0) return rate;
  const time = number(item, '00181063');
  return time !== undefined && time > 0 ? 1000 / time : null;
}

function unitOf(item: Item): string {
  const told = text(item, '00281054') || text(item, '00541001');
  if (told === 'US' || told === 'NONE') return '';
  if (told) return told === 'BQML' ? 'Bq/ml' : told;
  return text(item, '00080060') === 'CT' && number(item, '00281053') !== undefined ? 'HU' : '';
}

/** Read the metadata of one instance. */
export function readInstance(item: Item): Instance {
  const imageType = texts(item, '00080008');
  const shared = items(item, '52009229')[0];
  const frameCount = Math.max(1, Math.floor(number(item, '00280008') ?? 1));
  return {
    studyInstanceUID: text(item, '0020000D'),
    seriesInstanceUID: text(item, '0020000E'),
    sopInstanceUID: text(item, '00080018'),
    sopClassUID: text(item, '00080016'),
    modality: text(item, '00080060'),
    instanceNumber: number(item, '00200013') ?? 0,
    rows: number(item, '00280010') ?? 0,
    columns: number(item, '00280011') ?? 0,
    frameCount,
    samplesPerPixel: number(item, '00280002') ?? 1,
    bitsAllocated: number(item, '00280100') ?? 16,
    photometric: text(item, '00280004'),
    isLossy: text(item, '00282110') === '01',
    isRescaled: number(item, '00281053') !== undefined || items(shared ?? {}, '00289145').length > 0,
    unit: unitOf(item),
    frameOfReferenceUID: text(item, '00200052'),
    laterality: text(item, '00200062') || text(item, '00200060'),
    viewPosition: text(item, '00185101'),
    patientOrientation: texts(item, '00200020'),
    framesPerSecond: rateOf(item),
    regions: regionsOf(item),
    isLocalizer: imageType.includes('LOCALIZER'),
    acquisitionTime: text(item, '00080032'),
    stackKey: [text(item, '00180086'), text(item, '00189087'), imageType.slice(2).join('/')].join('|'),
    documentTitle: text(item, '00420010'),
    item,
  };
}

/** The frames of an image, functional groups (PS3.3 §C.7.6.16) applied. */
export function framesOf(instance: Instance): readonly Frame[] {
  const { item } = instance;
  const shared = items(item, '52009229')[0] ?? {};
  const perFrame = items(item, '52009230');
  return Array.from({ length: instance.frameCount }, (_, index) => {
    const own = perFrame[index] ?? {};
    const group = (tag: string): Item => items(own, tag)[0] ?? items(shared, tag)[0] ?? item;
    const spacing = spacingOf(item, group('00289110'));
    const windows = windowsOf(group('00289132'));
    return {
      sopInstanceUID: instance.sopInstanceUID,
      frame: index + 1,
      instance,
      spacing,
      plane: planeOf(group('00209113'), group('00209116'), spacing, instance.rows, instance.columns),
      windows: windows.length > 0 ? windows : windowsOf(item),
      sliceThickness: number(group('00289110'), '00180050') ?? number(item, '00180050'),
    };
  });
}

/** What overlays say of the patient and the study. */
export interface StudyInfo {
  readonly studyInstanceUID: string;
  readonly patientName: string;
  readonly patientID: string;
  readonly issuerOfPatientID: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly description: string;
  readonly accessionNumber: string;
  readonly institution: string;
  readonly modalities: readonly string[];
}

/** Read a study from a QIDO-RS match or an instance's metadata. */
export function readStudy(item: Item): StudyInfo {
  const modalities = texts(item, '00080061');
  return {
    studyInstanceUID: text(item, '0020000D'),
    patientName: personName(text(item, '00100010')),
    patientID: text(item, '00100020'),
    issuerOfPatientID: text(item, '00100021'),
    birthDate: text(item, '00100030'),
    sex: text(item, '00100040'),
    studyDate: text(item, '00080020'),
    studyTime: text(item, '00080030'),
    description: text(item, '00081030'),
    accessionNumber: text(item, '00080050'),
    institution: text(item, '00080080'),
    modalities: modalities.length > 0 ? modalities : [text(item, '00080060')].filter(Boolean),
  };
}
