/** From the instances of a series to what is put in a pane. */

import { along, isParallel, normal } from '../geometry';
import { type Frame, framesOf, type Instance } from './instance';
import { text } from './json';

export type DisplaySetKind = 'images' | 'pdf' | 'text' | 'video' | 'waveform' | 'presentation' | 'other';

/** One or several instances that are looked at together. */
export interface DisplaySet {
  /** Unique in the page, stable over reloads. */
  readonly id: string;
  readonly kind: DisplaySetKind;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly seriesNumber: number;
  readonly modality: string;
  readonly description: string;
  readonly frameOfReferenceUID: string;
  /** In the order of scrolling; empty unless ``kind`` is images. */
  readonly frames: readonly Frame[];
  readonly instances: readonly Instance[];
  /** Why no planes can be cut through it, or null when they can. */
  readonly noVolume: NoVolume | null;
}

export type NoVolume = 'not-images' | 'too-few' | 'no-geometry' | 'not-parallel' | 'uneven' | 'colour';

const DOCUMENTS: readonly (readonly [RegExp, DisplaySetKind])[] = [
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\.1$/, 'pdf'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(88\.|104\.2)/, 'text'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\./, 'waveform'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.11\./, 'presentation'],
  [/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.(1|2|4)\.1$/, 'video'],
];

/** How an instance is shown. */
export function kindOf(instance: Instance): DisplaySetKind {
  for (const [pattern, kind] of DOCUMENTS) if (pattern.test(instance.sopClassUID)) return kind;
  return instance.rows > 0 && instance.columns > 0 ? 'images' : 'other';
}

const ORIENTED = (frame: Frame) => {
  if (frame.plane === null) return '';
  return [...frame.plane.row, ...frame.plane.column]
    .map((cosine) => cosine.toFixed(2).replace('-0.00', '0.00'))
    .join(',');
};

/** Modalities whose images are views: each is looked at by itself, beside the others. */
export const PROJECTIONS: ReadonlySet<string> = new Set(['CR', 'DX', 'MG', 'IO', 'PX', 'RG']);

function stackOf(instance: Instance): string {
  if (instance.frameCount > 1) return `multi|${instance.sopInstanceUID}`;
  if (PROJECTIONS.has(instance.modality)) return `projection|${instance.sopInstanceUID}`;
  const [frame] = framesOf(instance);
  const size = `${instance.rows}x${instance.columns}x${instance.samplesPerPixel}`;
  const scout = instance.isLocalizer ? 'localizer' : '';
  return ['stack', size, scout, frame?.plane ? ORIENTED(frame) : '', instance.modality].join('|');
}

/** Positions along the stack's normal, when all frames have a plane and are parallel. */
function positions(frames: readonly Frame[]): readonly number[] | null {
  const first = frames[0]?.plane;
  if (!first) return null;
  const axis = normal(first);
  const found: number[] = [];
  for (const { plane } of frames) {
    if (plane === null || !isParallel(plane, first)) return null;
    found.push(along(plane, axis));
  }
  return found;
}

/** Order of scrolling: by position, then by acquisition, then by number. */
export function sortFrames(frames: readonly Frame[]): readonly Frame[] {
  const found = positions(frames);
  const distinct = found === null ? 0 : new Set(found.map((position) => position.toFixed(2))).size;
  const byNumber = (a: Frame, b: Frame) =>
    a.instance.instanceNumber - b.instance.instanceNumber ||
    a.frame - b.frame ||
    a.sopInstanceUID.localeCompare(b.sopInstanceUID);
  if (found === null || distinct < 2) return [...frames].sort(byNumber);
  const place = new Map(frames.map((frame, i) => [frame, found[i] ?? 0]));
  // Time by time when the same places come several times, as a dynamic series does.
  const times = frames.length / distinct;
  if (Number.isInteger(times) && times > 1) {
    const inOrder = [...frames].sort(byNumber);
    const seen = new Map<string, number>();
    const round = new Map<Frame, number>();
    for (const frame of inOrder) {
      const key = (place.get(frame) ?? 0).toFixed(2);
      const count = seen.get(key) ?? 0;
      round.set(frame, count);
      seen.set(key, count + 1);
    }
    return inOrder.sort(
      (a, b) =>
        (round.get(a) ?? 0) - (round.get(b) ?? 0) ||
        order(place.get(a) ?? 0, place.get(b) ?? 0) ||
        byNumber(a, b),
    );
  }
  // The first image as numbered begins, so that the direction is the department's own.
  const numbered = [...frames].sort(byNumber);
  const [head, tail] = [numbered[0], numbered[numbered.length - 1]];
  const isDescending = head && tail ? (place.get(head) ?? 0) > (place.get(tail) ?? 0) : false;
  const sign = isDescending ? -1 : 1;
  return [...frames].sort((a, b) => sign * order(place.get(a) ?? 0, place.get(b) ?? 0) || byNumber(a, b));
}

const order = (a: number, b: number) => (Math.abs(a - b) < 0.005 ? 0 : a - b);

/** Whether planes can be cut through a stack, and if not why (evenness within 10 % or 0.1 mm of the step). */
export function volumeObstacle(frames: readonly Frame[]): NoVolume | null {
  if (frames.length < 3) return 'too-few';
  if (frames.some(({ instance }) => instance.samplesPerPixel > 1)) return 'colour';
  if (frames.some(({ plane }) => plane === null)) return 'no-geometry';
  const found = positions(frames);
  if (found === null) return 'not-parallel';
  const steps = found.slice(1).map((position, i) => position - (found[i] ?? 0));
  const step = steps.reduce((sum, value) => sum + value, 0) / steps.length;
  const tolerance = Math.max(0.1, Math.abs(step) * 0.1);
  if (Math.abs(step) < 0.01 || steps.some((value) => Math.abs(value - step) > tolerance)) return 'uneven';
  return null;
}

/** Groups the instances of one series into what is shown together. */
export function displaySetsOf(instances: readonly Instance[]): readonly DisplaySet[] {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    const kind = kindOf(instance);
    const key = kind === 'images' ? stackOf(instance) : `${kind}|${instance.sopInstanceUID}`;
    const group = groups.get(key);
    if (group) group.push(instance);
    else groups.set(key, [instance]);
  }
  const sets = [...groups.values()].map((group): DisplaySet | null => {
    const first = group[0];
    if (first === undefined) return null;
    const kind = kindOf(first);
    const frames = kind === 'images' ? sortFrames(group.flatMap((instance) => framesOf(instance))) : [];
    const head = frames[0]?.instance ?? first;
    return {
      id: `${first.seriesInstanceUID}/${lowest(group)}`,
      kind,
      studyInstanceUID: first.studyInstanceUID,
      seriesInstanceUID: first.seriesInstanceUID,
      seriesNumber: Number.parseInt(text(first.item, '00200011'), 10) || 0,
      modality: first.modality,
      description: describe(first),
      frameOfReferenceUID: head.frameOfReferenceUID,
      frames,
      instances: frames.length > 0 ? [...new Set(frames.map((frame) => frame.instance))] : group,
      noVolume: kind === 'images' ? volumeObstacle(frames) : 'not-images',
    };
  });
  return sets
    .filter((set): set is DisplaySet => set !== null)
    .sort((a, b) => viewRank(a) - viewRank(b) || firstNumber(a) - firstNumber(b) || a.id.localeCompare(b.id));
}

const lowest = (group: readonly Instance[]) =>
  group.map(({ sopInstanceUID }) => sopInstanceUID).sort()[0] ?? '';

/** What a series is called; a view of several says which. */
function describe(first: Instance): string {
  const described = text(first.item, '0008103E') || first.documentTitle;
  if (!PROJECTIONS.has(first.modality)) return described;
  const side = /^[LRB]/.test(first.laterality) ? first.laterality.slice(0, 1) : '';
  const view = [side, first.viewPosition].filter(Boolean).join('-');
  return [view, described].filter(Boolean).join(' · ');
}

/** Mammograms hang as they are read: CC above MLO, the right breast on the left. */
function viewRank({ instances, modality }: DisplaySet): number {
  const [first] = instances;
  if (modality !== 'MG' || first === undefined) return 0;
  const view = ['CC', 'MLO', 'ML', 'LM'].indexOf(first.viewPosition);
  return (view < 0 ? 9 : view) * 2 + (first.laterality.startsWith('R') ? 0 : 1);
}

const firstNumber = (set: DisplaySet) =>
  Math.min(...set.instances.map((instance) => instance.instanceNumber));
