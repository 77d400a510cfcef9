/** The one place where state changes: a pure function of a state and a command. */

import { type DisplaySet, PROJECTIONS } from '../dicom/displaySets';
import type { StudyInfo } from '../dicom/instance';
import { mirrored } from '../geometry';
import { clampIndex, follow, linkBetween, nextFrame } from '../scrolling';
import { type VolumeLimits, volumeVerdict } from '../volume';
import type { Range } from '../windowing';
import {
  activeSet,
  type Cine,
  type Dialog,
  displaySetIn,
  type FrameTrouble,
  type Layout,
  type LinkAnchor,
  NEUTRAL,
  type Overlay,
  type Pane,
  type Presentation,
  type Projection,
  paneAt,
  paneCount,
  setsInOrder,
  type Tool,
  type ViewerState,
} from './model';

export type Command =
  | { readonly type: 'studyOpened'; readonly study: StudyInfo }
  | { readonly type: 'seriesLoaded'; readonly study: string; readonly sets: readonly DisplaySet[] }
  | { readonly type: 'studyClosed'; readonly study: string }
  | { readonly type: 'layout'; readonly layout: Layout }
  | { readonly type: 'activate'; readonly pane: number }
  | { readonly type: 'nextPane'; readonly by: number }
  | { readonly type: 'place'; readonly pane: number; readonly displaySetId: string }
  | { readonly type: 'nextSeries'; readonly by: number }
  | { readonly type: 'scroll'; readonly pane: number; readonly by: number }
  | { readonly type: 'goTo'; readonly pane: number; readonly index: number }
  | { readonly type: 'tool'; readonly tool: Tool }
  | { readonly type: 'window'; readonly pane: number; readonly voi: Range | null }
  | { readonly type: 'present'; readonly pane: number; readonly change: Partial<Presentation> }
  | { readonly type: 'turn'; readonly pane: number; readonly degrees: number }
  | { readonly type: 'mirror'; readonly pane: number; readonly axis: 'horizontal' | 'vertical' }
  | { readonly type: 'resetView'; readonly pane: number }
  | { readonly type: 'overlay'; readonly overlay: Overlay; readonly isShown?: boolean }
  | { readonly type: 'link'; readonly isLinked: boolean }
  | { readonly type: 'cine'; readonly pane: number; readonly change: Partial<Cine> }
  | { readonly type: 'tick'; readonly pane: number }
  | { readonly type: 'openVolume'; readonly projection?: Projection; readonly isConfirmed?: boolean }
  | { readonly type: 'closeVolume' }
  | { readonly type: 'slab'; readonly slabMm?: number; readonly projection?: Projection }
  | { readonly type: 'trouble'; readonly frame: string; readonly trouble: FrameTrouble | null }
  | { readonly type: 'dialog'; readonly dialog: Dialog }
  | { readonly type: 'limits'; readonly limits: VolumeLimits }
  | { readonly type: 'sidebar'; readonly isOpen: boolean };

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export const frameKey = (frame: { readonly sopInstanceUID: string; readonly frame: number }): string =>
  `${frame.sopInstanceUID}/${frame.frame}`;

function withPane(state: ViewerState, pane: number, change: Partial<Pane>): ViewerState {
  const panes = state.panes.map((one, i) => (i === pane ? { ...one, ...change } : one));
  const [a, b, c, d] = panes;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return state;
  const next: ViewerState = { ...state, panes: [a, b, c, d] };
  const { displaySetId, index, presentation } = paneAt(next, pane);
  if (displaySetId === null) return next;
  return { ...next, remembered: { ...next.remembered, [displaySetId]: { index, presentation } } };
}

/** Speed a film starts with: the image's own, or 12 a second; never faster than a screen shows. */
function cineOf(set: DisplaySet): Cine {
  const rate = set.frames[0]?.instance.framesPerSecond ?? 12;
  return {
    isPlaying: false,
    framesPerSecond: Math.min(60, Math.max(1, Math.round(rate))),
    direction: 1,
    loop: 'loop',
  };
}

function place(state: ViewerState, { pane, displaySetId }: Of<'place'>): ViewerState {
  const set = state.displaySets[displaySetId];
  if (set === undefined || pane < 0 || pane > 3) return state;
  const left = state.remembered[displaySetId];
  const placed = withPane(state, pane, {
    displaySetId,
    index: left?.index ?? startIndex(set),
    presentation: left?.presentation ?? NEUTRAL,
    cine: cineOf(set),
  });
  return leftVolume(relinked(placed));
}

/** Back from three planes to the stacks. */
function leftVolume(state: ViewerState): ViewerState {
  if (state.volume === null) return state;
  const id = state.volume.displaySetId;
  const from = state.panes.findIndex(({ displaySetId }) => displaySetId === id);
  const pane = from >= 0 && from < paneCount(state.layout) ? from : 0;
  return {
    ...state,
    volume: null,
    activePane: pane,
    tool: state.tool === 'crosshair' ? 'window' : state.tool,
  };
}

/** Views of one examination hang side by side when it is opened; other studies as the person left the page. */
function hung(state: ViewerState, sets: readonly DisplaySet[]): ViewerState {
  if (state.panes.some(({ displaySetId }) => displaySetId !== null)) return state;
  const views = sets.filter(({ kind, modality }) => kind === 'images' && PROJECTIONS.has(modality)).length;
  return views < 2 ? state : { ...state, layout: views === 2 ? '1x2' : '2x2' };
}

const PICTURES: ReadonlySet<DisplaySet['kind']> = new Set(['images', 'video', 'waveform']);

/** A stack opens in its middle when it is a volume, else at its first image. */
const startIndex = (set: DisplaySet) => (set.noVolume === null ? set.frames.length >> 1 : 0);

/** Fills the empty panes of a layout with the series that are not shown yet; a document only where there is nothing else. */
function filled(state: ViewerState): ViewerState {
  let next = state;
  const shown = new Set(
    state.panes.slice(0, paneCount(state.layout)).map(({ displaySetId }) => displaySetId),
  );
  const waiting = setsInOrder(state).filter(({ id }) => !shown.has(id));
  const queue = waiting.filter(({ kind }) => PICTURES.has(kind));
  if (shown.size === 1 && shown.has(null) && queue.length === 0) queue.push(...waiting.slice(0, 1));
  for (let pane = 0; pane < paneCount(state.layout); pane += 1) {
    if (paneAt(next, pane).displaySetId !== null) continue;
    const set = queue.shift();
    if (set === undefined) break;
    next = place(next, { type: 'place', pane, displaySetId: set.id });
  }
  return next;
}

function anchors(state: ViewerState): Readonly<Record<number, LinkAnchor>> {
  const leader = activeSet(state);
  const found: Record<number, LinkAnchor> = {};
  if (leader === null) return found;
  const leaderIndex = paneAt(state, state.activePane).index;
  for (let pane = 0; pane < paneCount(state.layout); pane += 1) {
    const set = displaySetIn(state, pane);
    if (pane === state.activePane || set === null || set.frames.length === 0) continue;
    const link = linkBetween(leader, leaderIndex, set, paneAt(state, pane).index);
    found[pane] = { link, leaderPane: state.activePane, leaderIndex };
  }
  return found;
}

const relinked = (state: ViewerState): ViewerState =>
  state.links === null ? state : { ...state, links: anchors(state) };

function goTo(state: ViewerState, { pane, index }: Of<'goTo'>): ViewerState {
  const set = displaySetIn(state, pane);
  if (set === null || set.frames.length === 0) return state;
  const wanted = clampIndex(index, set.frames.length);
  if (wanted === paneAt(state, pane).index) return state;
  let next = withPane(state, pane, { index: wanted });
  if (state.links === null) return next;
  const linked = pane === state.activePane ? state.links : anchors({ ...state, activePane: pane });
  for (const [key, { link, leaderIndex }] of Object.entries(linked)) {
    const other = Number(key);
    const follower = displaySetIn(next, other);
    if (follower === null || other >= paneCount(state.layout)) continue;
    next = withPane(next, other, { index: follow(link, set, wanted, follower, leaderIndex) });
  }
  return next;
}

function activate(state: ViewerState, pane: number): ViewerState {
  const count = state.volume === null ? paneCount(state.layout) : 4;
  if (pane < 0 || pane >= count || pane === state.activePane) return state;
  return relinked({ ...state, activePane: pane });
}

function nextSeries(state: ViewerState, by: number): ViewerState {
  const sets = setsInOrder(state);
  const current = paneAt(state, state.activePane).displaySetId;
  const at = sets.findIndex(({ id }) => id === current);
  const wanted = sets[Math.max(0, Math.min(sets.length - 1, at < 0 ? 0 : at + by))];
  if (wanted === undefined || wanted.id === current) return state;
  return place(state, { type: 'place', pane: state.activePane, displaySetId: wanted.id });
}

/** Zoom and pan go to the linked panes too. */
function present(state: ViewerState, { pane, change }: Of<'present'>): ViewerState {
  const put = (next: ViewerState, at: number, what: Partial<Presentation>) =>
    withPane(next, at, { presentation: { ...paneAt(next, at).presentation, ...what } });
  const moved: Partial<Presentation> = {
    ...(change.zoom === undefined ? {} : { zoom: change.zoom }),
    ...(change.pan === undefined ? {} : { pan: change.pan }),
  };
  const others =
    state.links === null || pane !== state.activePane ? [] : Object.keys(state.links).map(Number);
  return others.reduce((next, other) => put(next, other, moved), put(state, pane, change));
}

function tick(state: ViewerState, pane: number): ViewerState {
  const set = displaySetIn(state, pane);
  const { cine, index } = paneAt(state, pane);
  if (set === null || !cine.isPlaying) return state;
  const next = nextFrame(index, set.frames.length, cine.direction, cine.loop);
  const moved = goTo(state, { type: 'goTo', pane, index: next.index });
  if (next.direction === cine.direction && !next.isOver) return moved;
  return withPane(moved, pane, { cine: { ...cine, direction: next.direction, isPlaying: !next.isOver } });
}

function seriesLoaded(state: ViewerState, { study, sets }: Of<'seriesLoaded'>): ViewerState {
  if (!state.studyOrder.includes(study)) return state;
  const displaySets = { ...state.displaySets };
  for (const set of sets) displaySets[set.id] = set;
  const ids = new Set([...(state.displaySetOrder[study] ?? []), ...sets.map(({ id }) => id)]);
  const order = [...ids].sort((a, b) => {
    const [x, y] = [displaySets[a], displaySets[b]];
    if (x === undefined || y === undefined) return 0;
    return Number(x.kind !== 'images') - Number(y.kind !== 'images') || x.seriesNumber - y.seriesNumber;
  });
  const next = { ...state, displaySets, displaySetOrder: { ...state.displaySetOrder, [study]: order } };
  return study === state.studyOrder[0] ? filled(hung(next, sets)) : next;
}

function studyClosed(state: ViewerState, study: string): ViewerState {
  const gone = new Set(state.displaySetOrder[study] ?? []);
  const keep = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => key !== study && !gone.has(key)));
  const panes = state.panes.map((pane) =>
    pane.displaySetId !== null && gone.has(pane.displaySetId)
      ? { ...pane, displaySetId: null, index: 0 }
      : pane,
  );
  const [a, b, c, d] = panes;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return state;
  return relinked({
    ...state,
    studies: keep(state.studies),
    displaySets: keep(state.displaySets),
    displaySetOrder: keep(state.displaySetOrder),
    remembered: keep(state.remembered),
    studyOrder: state.studyOrder.filter((uid) => uid !== study),
    panes: [a, b, c, d],
    volume: state.volume !== null && gone.has(state.volume.displaySetId) ? null : state.volume,
  });
}

/** The state after a command. Commands about what does not exist change nothing. */
export function reduce(state: ViewerState, command: Command): ViewerState {
  switch (command.type) {
    case 'studyOpened': {
      const uid = command.study.studyInstanceUID;
      const studyOrder = state.studyOrder.includes(uid) ? state.studyOrder : [...state.studyOrder, uid];
      return { ...state, studyOrder, studies: { ...state.studies, [uid]: command.study } };
    }
    case 'seriesLoaded':
      return seriesLoaded(state, command);
    case 'studyClosed':
      return studyClosed(state, command.study);
    case 'layout': {
      const active = Math.min(state.activePane, paneCount(command.layout) - 1);
      return relinked(filled({ ...leftVolume(state), layout: command.layout, activePane: active }));
    }
    case 'activate':
      return activate(state, command.pane);
    case 'nextPane': {
      const count = state.volume === null ? paneCount(state.layout) : 4;
      return activate(state, (state.activePane + command.by + count) % count);
    }
    case 'place':
      return place(state, command);
    case 'nextSeries':
      return nextSeries(state, command.by);
    case 'scroll':
      return goTo(state, {
        type: 'goTo',
        pane: command.pane,
        index: paneAt(state, command.pane).index + command.by,
      });
    case 'goTo':
      return goTo(state, command);
    case 'tool':
      if (command.tool === 'crosshair' && state.volume === null) return state;
      return state.tool === command.tool ? state : { ...state, tool: command.tool };
    case 'window':
      return withPane(state, command.pane, {
        presentation: { ...paneAt(state, command.pane).presentation, voi: command.voi },
      });
    case 'present':
      return present(state, command);
    case 'turn': {
      const { presentation } = paneAt(state, command.pane);
      const rotation = (((presentation.rotation + command.degrees) % 360) + 360) % 360;
      return withPane(state, command.pane, { presentation: { ...presentation, rotation } });
    }
    case 'mirror': {
      const { presentation } = paneAt(state, command.pane);
      return withPane(state, command.pane, {
        presentation: { ...presentation, ...mirrored(presentation, command.axis) },
      });
    }
    case 'resetView':
      return withPane(state, command.pane, { presentation: NEUTRAL });
    case 'overlay': {
      const isShown = command.isShown ?? !state.overlays[command.overlay];
      return { ...state, overlays: { ...state.overlays, [command.overlay]: isShown } };
    }
    case 'link':
      return { ...state, links: command.isLinked ? anchors(state) : null };
    case 'cine': {
      const { cine } = paneAt(state, command.pane);
      const wanted = { ...cine, ...command.change };
      const framesPerSecond = Math.min(60, Math.max(1, Math.round(wanted.framesPerSecond)));
      return withPane(state, command.pane, { cine: { ...wanted, framesPerSecond } });
    }
    case 'tick':
      return tick(state, command.pane);
    case 'openVolume': {
      const set = activeSet(state);
      if (set === null || set.noVolume !== null) return state;
      const verdict = volumeVerdict(set, state.limits);
      if (!verdict.fits && !(command.isConfirmed && verdict.reason === 'too-large')) {
        return { ...state, dialog: 'volumeWarning' };
      }
      return {
        ...state,
        dialog: null,
        tool: 'crosshair',
        activePane: 0,
        volume: {
          displaySetId: set.id,
          projection: command.projection ?? 'none',
          slabMm: command.projection === undefined || command.projection === 'none' ? 0 : 20,
        },
      };
    }
    case 'closeVolume':
      return leftVolume(state);
    case 'slab': {
      if (state.volume === null) return state;
      const slabMm = Math.min(200, Math.max(0, command.slabMm ?? state.volume.slabMm));
      return {
        ...state,
        volume: { ...state.volume, slabMm, projection: command.projection ?? state.volume.projection },
      };
    }
    case 'trouble': {
      const troubles = { ...state.troubles };
      if (command.trouble === null) delete troubles[command.frame];
      else troubles[command.frame] = command.trouble;
      return { ...state, troubles };
    }
    case 'dialog':
      return { ...state, dialog: command.dialog };
    case 'limits':
      return { ...state, limits: command.limits };
    case 'sidebar':
      return { ...state, isSidebarOpen: command.isOpen };
  }
}
