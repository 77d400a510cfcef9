/** The whole state of the viewer: one value, changed only by ``reduce``. */

import type { DisplaySet } from '../dicom/displaySets';
import type { StudyInfo } from '../dicom/instance';
import type { Link } from '../scrolling';
import type { VolumeLimits } from '../volume';
import type { Range } from '../windowing';

export const LAYOUTS = ['1x1', '1x2', '2x1', '2x2'] as const;
/** Rows x columns. */
export type Layout = (typeof LAYOUTS)[number];

export const TOOLS = [
  'window',
  'scroll',
  'zoom',
  'pan',
  'length',
  'angle',
  'ellipse',
  'rectangle',
  'freehand',
  'probe',
  'arrow',
  'crosshair',
] as const;
/** What the primary button or one finger does. */
export type Tool = (typeof TOOLS)[number];

export const OVERLAYS = ['text', 'orientation', 'referenceLines', 'measures', 'scale'] as const;
export type Overlay = (typeof OVERLAYS)[number];

export type Projection = 'none' | 'maximum' | 'minimum' | 'average';

/** How a picture is shown: everything but its pixels. */
export interface Presentation {
  /** Null is the image's own window. */
  readonly voi: Range | null;
  readonly isInverted: boolean;
  /** Degrees clockwise: 0, 90, 180, 270. */
  readonly rotation: number;
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
  /** 1 fits the pane. */
  readonly zoom: number;
  /** Pixels of the pane. */
  readonly pan: readonly [number, number];
}

export const NEUTRAL: Presentation = {
  voi: null,
  isInverted: false,
  rotation: 0,
  flipHorizontal: false,
  flipVertical: false,
  zoom: 1,
  pan: [0, 0],
};

/** What went wrong with a picture, and what is shown instead. */
export interface FrameTrouble {
  readonly reason: 'missing' | 'undecodable' | 'forbidden' | 'network';
  /** The server draws it: there is a picture but no values. */
  readonly isRendered: boolean;
}

export interface Cine {
  readonly isPlaying: boolean;
  readonly framesPerSecond: number;
  readonly direction: 1 | -1;
  readonly loop: 'loop' | 'sweep' | 'once';
}

export interface Pane {
  readonly displaySetId: string | null;
  readonly index: number;
  readonly presentation: Presentation;
  readonly cine: Cine;
}

/** Three planes of a volume. */
export interface Volume {
  readonly displaySetId: string;
  readonly projection: Projection;
  readonly slabMm: number;
}

export type Dialog = 'help' | 'shortcuts' | 'volumeWarning' | null;

export interface ViewerState {
  readonly studies: Readonly<Record<string, StudyInfo>>;
  /** Study Instance UIDs in the order they were opened; the first is the one asked for. */
  readonly studyOrder: readonly string[];
  readonly displaySets: Readonly<Record<string, DisplaySet>>;
  /** Of each study, in order. */
  readonly displaySetOrder: Readonly<Record<string, readonly string[]>>;
  readonly layout: Layout;
  /** Always four; a layout shows the first ones. */
  readonly panes: readonly [Pane, Pane, Pane, Pane];
  readonly activePane: number;
  readonly tool: Tool;
  readonly overlays: Readonly<Record<Overlay, boolean>>;
  /** Panes that follow the active one, by their number; null when scrolling is not linked. */
  readonly links: Readonly<Record<number, LinkAnchor>> | null;
  readonly volume: Volume | null;
  /** Where each display set was left. */
  readonly remembered: Readonly<Record<string, Pick<Pane, 'index' | 'presentation'>>>;
  /** By ``sopInstanceUID/frame``. */
  readonly troubles: Readonly<Record<string, FrameTrouble>>;
  readonly dialog: Dialog;
  /** What this machine can hold. */
  readonly limits: VolumeLimits;
  readonly isSidebarOpen: boolean;
}

/** Where two linked panes stood when they were linked. */
export interface LinkAnchor {
  readonly link: Link;
  readonly leaderPane: number;
  readonly leaderIndex: number;
}

const EMPTY_PANE: Pane = {
  displaySetId: null,
  index: 0,
  presentation: NEUTRAL,
  cine: { isPlaying: false, framesPerSecond: 12, direction: 1, loop: 'loop' },
};

export const INITIAL: ViewerState = {
  studies: {},
  studyOrder: [],
  displaySets: {},
  displaySetOrder: {},
  layout: '1x1',
  panes: [EMPTY_PANE, EMPTY_PANE, EMPTY_PANE, EMPTY_PANE],
  activePane: 0,
  tool: 'window',
  overlays: { text: true, orientation: true, referenceLines: true, measures: true, scale: true },
  links: null,
  volume: null,
  remembered: {},
  troubles: {},
  dialog: null,
  limits: { maxTextureSize: 2048, maxBytes: 1024 ** 3 },
  isSidebarOpen: true,
};

/** Panes that a layout shows. */
export function paneCount(layout: Layout): number {
  return { '1x1': 1, '1x2': 2, '2x1': 2, '2x2': 4 }[layout];
}

export const paneAt = (state: ViewerState, pane: number): Pane => state.panes[pane] ?? EMPTY_PANE;
export const activePane = (state: ViewerState): Pane => paneAt(state, state.activePane);

export function displaySetIn(state: ViewerState, pane: number): DisplaySet | null {
  const id = paneAt(state, pane).displaySetId;
  return id === null ? null : (state.displaySets[id] ?? null);
}

export const activeSet = (state: ViewerState): DisplaySet | null => displaySetIn(state, state.activePane);

/** Display sets in the order of the side list. */
export function setsInOrder(
  state: Pick<ViewerState, 'studyOrder' | 'displaySetOrder' | 'displaySets'>,
): readonly DisplaySet[] {
  return state.studyOrder.flatMap((study) =>
    (state.displaySetOrder[study] ?? []).flatMap((id) => state.displaySets[id] ?? []),
  );
}
