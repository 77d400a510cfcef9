/** What a pane really shows, read from its viewport after each drawing. */

import type { Types } from '@cornerstonejs/core';
import {
  type DisplaySet,
  displaySetIn,
  type EdgeLabels,
  edgeLabels,
  type Frame,
  letterAlong,
  orientationLabel,
  type Plane,
  type Point2,
  paneAt,
  paneCount,
  pixelSizeAt,
  type Range,
  referenceLine,
  toPatient,
  type Vector,
  type ViewerState,
} from '@negatoscope/viewer-core';

export interface Shown {
  readonly voi: Range | null;
  /** Pixels of the screen for one of the image. */
  readonly zoom: number | null;
  readonly edges: EdgeLabels;
  /** Millimetres of the patient for one pixel of the pane, where that is known. */
  readonly mmPerPixel: number | null;
  /** Segments in pixels of the pane: where the images of other panes cut this one. */
  readonly lines: readonly { readonly from: Point2; readonly to: Point2; readonly isActive: boolean }[];
}

export const NOTHING_SHOWN: Shown = {
  voi: null,
  zoom: null,
  edges: { top: '', right: '', bottom: '', left: '' },
  mmPerPixel: null,
  lines: [],
};

const minus = (a: Types.Point3, b: Types.Point3): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** Directions of the pane in patient space: towards the right and towards the bottom. */
export function directions(viewport: Pick<Types.IViewport, 'canvasToWorld'>): {
  readonly right: Vector;
  readonly down: Vector;
} {
  const origin = viewport.canvasToWorld([0, 0]);
  return {
    right: minus(viewport.canvasToWorld([100, 0]), origin),
    down: minus(viewport.canvasToWorld([0, 100]), origin),
  };
}

const length = ([x, y, z]: Vector) => Math.hypot(x, y, z);

function edgesOf(frame: Frame | undefined, right: Vector, down: Vector): EdgeLabels {
  if (frame?.plane) return edgeLabels(orientationLabel(right), orientationLabel(down));
  const letters = frame?.instance.patientOrientation ?? [];
  return edgeLabels(letterAlong([right[0], right[1]], letters), letterAlong([down[0], down[1]], letters));
}

function linesOn(state: ViewerState, pane: number, viewport: Types.IViewport, target: Plane): Shown['lines'] {
  const found: { from: Point2; to: Point2; isActive: boolean }[] = [];
  const mine = displaySetIn(state, pane);
  for (let other = 0; other < paneCount(state.layout); other += 1) {
    if (other === pane) continue;
    const set = displaySetIn(state, other);
    const plane = set?.frames[paneAt(state, other).index]?.plane;
    if (!set || !plane || !mine?.frameOfReferenceUID || set.frameOfReferenceUID !== mine.frameOfReferenceUID)
      continue;
    const cut = referenceLine(plane, target);
    if (cut === null) continue;
    const [from, to] = cut.map((point) => {
      const [x, y, z] = toPatient(target, point);
      const [cx, cy] = viewport.worldToCanvas([x, y, z]);
      return [cx, cy] as Point2;
    });
    if (from && to) found.push({ from, to, isActive: other === state.activePane });
  }
  return found;
}

/** Reads a stack's viewport. */
export function readStack(
  state: ViewerState,
  pane: number,
  set: DisplaySet,
  viewport: Types.IStackViewport,
): Shown {
  const frame = set.frames[paneAt(state, pane).index];
  const { right, down } = directions(viewport);
  const perPixel = length(right) / 100;
  const size = frame === undefined ? null : pixelSizeAt(frame, []);
  const columnWidth = frame?.spacing.kind === 'none' || frame === undefined ? 1 : frame.spacing.mm[1];
  const isPatient = frame?.spacing.kind === 'patient';
  const { voiRange } = viewport.getProperties();
  const isColour = (frame?.instance.samplesPerPixel ?? 1) > 1;
  return {
    voi: voiRange && !isColour ? { lower: voiRange.lower, upper: voiRange.upper } : null,
    zoom: perPixel > 0 ? (columnWidth / perPixel) * (window.devicePixelRatio || 1) : null,
    edges: edgesOf(frame, right, down),
    mmPerPixel: isPatient && size !== null ? perPixel : null,
    lines: frame?.plane && state.overlays.referenceLines ? linesOn(state, pane, viewport, frame.plane) : [],
  };
}

/** Reads a plane of a volume. */
export function readPlane(viewport: Types.IVolumeViewport): Shown {
  const { right, down } = directions(viewport);
  const voiRange = viewport.getProperties()?.voiRange;
  return {
    voi: voiRange ? { lower: voiRange.lower, upper: voiRange.upper } : null,
    zoom: null,
    edges: edgeLabels(orientationLabel(right), orientationLabel(down)),
    mmPerPixel: length(right) / 100,
    lines: [],
  };
}
