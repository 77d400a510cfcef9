/** Every action of the viewer, declared once: toolbar, menus, shortcuts and help read this table. */

import type { MessageKey } from './messages';
import {
  activePane,
  activeSet,
  LAYOUTS,
  OVERLAYS,
  paneCount,
  TOOLS,
  type Tool,
  type ViewerState,
} from './state/model';
import type { Command } from './state/reduce';
import { presetsFor, toRange } from './windowing';

export const GROUPS = [
  'tools',
  'measure',
  'window',
  'view',
  'navigate',
  'layout',
  'cine',
  'volume',
  'overlay',
  'edit',
  'help',
] as const;
export type Group = (typeof GROUPS)[number];

/** What only the page can do. */
export interface Effects {
  readonly undo: () => void;
  readonly redo: () => void;
  readonly removeSelected: () => void;
  readonly copyMeasures: () => void;
  readonly screenshot: () => void;
  readonly fullscreen: () => void;
  readonly actualSize: () => void;
  readonly automaticWindow: () => void;
}

export interface ActionContext {
  readonly state: ViewerState;
  readonly dispatch: (command: Command) => void;
  readonly effects: Effects;
}

export interface ViewerAction {
  readonly id: string;
  readonly group: Group;
  /** Its words: ``action.<id>`` of the messages. */
  readonly label: MessageKey;
  /** Default shortcuts, as ``readShortcut`` writes them. */
  readonly keys: readonly string[];
  /** ``basic`` is offered to everybody, ``full`` to who reads images for a living. */
  readonly level: 'basic' | 'full';
  /** Why it cannot be done now, or null when it can. */
  readonly unavailable: (state: ViewerState) => MessageKey | null;
  /** Whether it is on, of those that are switches. */
  readonly isOn?: (state: ViewerState) => boolean;
  readonly perform: (context: ActionContext) => void;
}

const always = () => null;
const needsImages = (state: ViewerState): MessageKey | null =>
  (activeSet(state)?.frames.length ?? 0) > 0 ? null : 'why.noImages';
const needsSeveral = (state: ViewerState): MessageKey | null =>
  needsImages(state) ?? ((activeSet(state)?.frames.length ?? 0) > 1 ? null : 'why.oneImage');
const needsPanes = (state: ViewerState): MessageKey | null =>
  paneCount(state.layout) > 1 && state.volume === null ? null : 'why.onePane';
const needsVolume = (state: ViewerState): MessageKey | null => {
  const set = activeSet(state);
  if (set === null) return 'why.noImages';
  return set.noVolume === null ? null : `why.volume.${set.noVolume}`;
};
const needsOpenVolume = (state: ViewerState): MessageKey | null =>
  state.volume === null ? 'why.notInVolume' : null;
const needsStack = (state: ViewerState): MessageKey | null =>
  needsImages(state) ?? (state.volume === null ? null : 'why.notInStack');
const needsCT = (state: ViewerState): MessageKey | null =>
  activeSet(state)?.modality === 'CT' ? null : 'why.notCT';

const TOOL_KEYS: Readonly<Record<Tool, string>> = {
  window: 'W',
  scroll: 'S',
  zoom: 'Z',
  pan: 'P',
  length: 'L',
  angle: 'A',
  ellipse: 'E',
  rectangle: 'R',
  freehand: 'D',
  probe: 'B',
  arrow: 'T',
  crosshair: 'Shift+X',
};
const MANIPULATING = new Set<Tool>(['window', 'scroll', 'zoom', 'pan', 'crosshair']);
const BASIC_TOOLS = new Set<Tool>(['window', 'scroll', 'zoom', 'pan', 'length', 'angle']);

const tools = TOOLS.map(
  (tool): ViewerAction => ({
    id: `tool.${tool}`,
    group: MANIPULATING.has(tool) ? 'tools' : 'measure',
    label: `action.tool.${tool}`,
    keys: [TOOL_KEYS[tool]],
    level: BASIC_TOOLS.has(tool) ? 'basic' : 'full',
    unavailable: tool === 'crosshair' ? needsOpenVolume : needsImages,
    isOn: (state) => state.tool === tool,
    perform: ({ dispatch }) => dispatch({ type: 'tool', tool }),
  }),
);

const presets = presetsFor('CT').map(
  (preset, i): ViewerAction => ({
    id: `preset.${preset.id}`,
    group: 'window',
    label: `action.preset.${preset.id}` as MessageKey,
    keys: [String(i + 1)],
    level: i < 4 ? 'basic' : 'full',
    unavailable: needsCT,
    isOn: (state) => {
      const voi = activePane(state).presentation.voi;
      const range = toRange(preset);
      return (
        voi !== null && Math.abs(voi.lower - range.lower) < 0.5 && Math.abs(voi.upper - range.upper) < 0.5
      );
    },
    perform: ({ state, dispatch }) =>
      dispatch({ type: 'window', pane: state.activePane, voi: toRange(preset) }),
  }),
);

const layouts = LAYOUTS.map(
  (layout, i): ViewerAction => ({
    id: `layout.${layout}`,
    group: 'layout',
    label: `action.layout.${layout}`,
    keys: [`Shift+${i + 1}`],
    level: 'basic',
    unavailable: always,
    isOn: (state) => state.layout === layout && state.volume === null,
    perform: ({ dispatch }) => dispatch({ type: 'layout', layout }),
  }),
);

const OVERLAY_KEYS = {
  text: 'O',
  orientation: 'Shift+O',
  referenceLines: 'X',
  measures: 'Shift+L',
  scale: 'Shift+R',
} as const;
const overlays = OVERLAYS.map(
  (overlay): ViewerAction => ({
    id: `overlay.${overlay}`,
    group: 'overlay',
    label: `action.overlay.${overlay}`,
    keys: [OVERLAY_KEYS[overlay]],
    level: overlay === 'text' || overlay === 'measures' ? 'basic' : 'full',
    unavailable: always,
    isOn: (state) => state.overlays[overlay],
    perform: ({ dispatch }) => dispatch({ type: 'overlay', overlay }),
  }),
);

const scrolls = (
  [
    ['next', ['ArrowDown'], 1],
    ['previous', ['ArrowUp'], -1],
    ['nextTen', ['PageDown'], 10],
    ['previousTen', ['PageUp'], -10],
    ['first', ['Home'], Number.NEGATIVE_INFINITY],
    ['last', ['End'], Number.POSITIVE_INFINITY],
  ] as const
).map(
  ([name, keys, by]): ViewerAction => ({
    id: `navigate.${name}`,
    group: 'navigate',
    label: `action.navigate.${name}`,
    keys,
    level: 'basic',
    unavailable: needsSeveral,
    perform: ({ state, dispatch }) => {
      const pane = state.activePane;
      if (Number.isFinite(by)) dispatch({ type: 'scroll', pane, by });
      else dispatch({ type: 'goTo', pane, index: by < 0 ? 0 : Number.MAX_SAFE_INTEGER });
    },
  }),
);

const present = (
  id: string,
  keys: readonly string[],
  unavailable: ViewerAction['unavailable'],
  perform: ViewerAction['perform'],
  isOn?: ViewerAction['isOn'],
): ViewerAction => ({
  id,
  group: 'view',
  label: `action.${id}` as MessageKey,
  keys,
  level: 'basic',
  unavailable,
  ...(isOn === undefined ? {} : { isOn }),
  perform,
});

const other: readonly ViewerAction[] = [
  {
    id: 'window.reset',
    group: 'window',
    label: 'action.window.reset',
    keys: ['0'],
    level: 'basic',
    unavailable: needsImages,
    perform: ({ state, dispatch }) => dispatch({ type: 'window', pane: state.activePane, voi: null }),
  },
  {
    id: 'window.automatic',
    group: 'window',
    label: 'action.window.automatic',
    keys: ['9'],
    level: 'basic',
    unavailable: needsStack,
    perform: ({ effects }) => effects.automaticWindow(),
  },
  present(
    'view.invert',
    ['I'],
    needsImages,
    ({ state, dispatch }) =>
      dispatch({
        type: 'present',
        pane: state.activePane,
        change: { isInverted: !activePane(state).presentation.isInverted },
      }),
    (state) => activePane(state).presentation.isInverted,
  ),
  present('view.fit', ['F'], needsImages, ({ state, dispatch }) =>
    dispatch({ type: 'present', pane: state.activePane, change: { zoom: 1, pan: [0, 0] } }),
  ),
  present('view.actualSize', ['Shift+Z'], needsStack, ({ effects }) => effects.actualSize()),
  present('view.zoomIn', ['+', '='], needsImages, ({ state, dispatch }) =>
    dispatch({
      type: 'present',
      pane: state.activePane,
      change: { zoom: Math.min(40, activePane(state).presentation.zoom * 1.25) },
    }),
  ),
  present('view.zoomOut', ['-'], needsImages, ({ state, dispatch }) =>
    dispatch({
      type: 'present',
      pane: state.activePane,
      change: { zoom: Math.max(0.1, activePane(state).presentation.zoom / 1.25) },
    }),
  ),
  present('view.rotateRight', ['Shift+ArrowRight'], needsStack, ({ state, dispatch }) =>
    dispatch({ type: 'turn', pane: state.activePane, degrees: 90 }),
  ),
  present('view.rotateLeft', ['Shift+ArrowLeft'], needsStack, ({ state, dispatch }) =>
    dispatch({ type: 'turn', pane: state.activePane, degrees: -90 }),
  ),
  present('view.flipHorizontal', ['H'], needsStack, ({ state, dispatch }) =>
    dispatch({ type: 'mirror', pane: state.activePane, axis: 'horizontal' }),
  ),
  present('view.flipVertical', ['V'], needsStack, ({ state, dispatch }) =>
    dispatch({ type: 'mirror', pane: state.activePane, axis: 'vertical' }),
  ),
  present('view.reset', ['Shift+0', 'Backspace'], needsImages, ({ state, dispatch }) =>
    dispatch({ type: 'resetView', pane: state.activePane }),
  ),
  {
    id: 'navigate.nextSeries',
    group: 'navigate',
    label: 'action.navigate.nextSeries',
    keys: ['ArrowRight'],
    level: 'basic',
    unavailable: always,
    perform: ({ dispatch }) => dispatch({ type: 'nextSeries', by: 1 }),
  },
  {
    id: 'navigate.previousSeries',
    group: 'navigate',
    label: 'action.navigate.previousSeries',
    keys: ['ArrowLeft'],
    level: 'basic',
    unavailable: always,
    perform: ({ dispatch }) => dispatch({ type: 'nextSeries', by: -1 }),
  },
  {
    id: 'navigate.nextPane',
    group: 'navigate',
    label: 'action.navigate.nextPane',
    keys: ['N'],
    level: 'basic',
    unavailable: needsPanes,
    perform: ({ dispatch }) => dispatch({ type: 'nextPane', by: 1 }),
  },
  {
    id: 'navigate.link',
    group: 'navigate',
    label: 'action.navigate.link',
    keys: ['K'],
    level: 'basic',
    unavailable: needsPanes,
    isOn: (state) => state.links !== null,
    perform: ({ state, dispatch }) => dispatch({ type: 'link', isLinked: state.links === null }),
  },
  {
    id: 'layout.sidebar',
    group: 'layout',
    label: 'action.layout.sidebar',
    keys: ['Q'],
    level: 'basic',
    unavailable: always,
    isOn: (state) => state.isSidebarOpen,
    perform: ({ state, dispatch }) => dispatch({ type: 'sidebar', isOpen: !state.isSidebarOpen }),
  },
  {
    id: 'layout.fullscreen',
    group: 'layout',
    label: 'action.layout.fullscreen',
    keys: ['Shift+F'],
    level: 'basic',
    unavailable: always,
    perform: ({ effects }) => effects.fullscreen(),
  },
  {
    id: 'cine.play',
    group: 'cine',
    label: 'action.cine.play',
    keys: ['Space'],
    level: 'basic',
    unavailable: (state) => needsSeveral(state) ?? needsStack(state),
    isOn: (state) => activePane(state).cine.isPlaying,
    perform: ({ state, dispatch }) =>
      dispatch({
        type: 'cine',
        pane: state.activePane,
        change: { isPlaying: !activePane(state).cine.isPlaying },
      }),
  },
  {
    id: 'cine.faster',
    group: 'cine',
    label: 'action.cine.faster',
    keys: ['.'],
    level: 'basic',
    unavailable: needsSeveral,
    perform: ({ state, dispatch }) =>
      dispatch({
        type: 'cine',
        pane: state.activePane,
        change: { framesPerSecond: activePane(state).cine.framesPerSecond + 2 },
      }),
  },
  {
    id: 'cine.slower',
    group: 'cine',
    label: 'action.cine.slower',
    keys: [','],
    level: 'basic',
    unavailable: needsSeveral,
    perform: ({ state, dispatch }) =>
      dispatch({
        type: 'cine',
        pane: state.activePane,
        change: { framesPerSecond: activePane(state).cine.framesPerSecond - 2 },
      }),
  },
  {
    id: 'cine.loop',
    group: 'cine',
    label: 'action.cine.loop',
    keys: ['Shift+C'],
    level: 'full',
    unavailable: needsSeveral,
    perform: ({ state, dispatch }) => {
      const next = { loop: 'sweep', sweep: 'once', once: 'loop' } as const;
      dispatch({ type: 'cine', pane: state.activePane, change: { loop: next[activePane(state).cine.loop] } });
    },
  },
  {
    id: 'volume.mpr',
    group: 'volume',
    label: 'action.volume.mpr',
    keys: ['M'],
    level: 'full',
    unavailable: needsVolume,
    isOn: (state) => state.volume !== null && state.volume.projection === 'none',
    perform: ({ state, dispatch }) =>
      dispatch(state.volume === null ? { type: 'openVolume' } : { type: 'closeVolume' }),
  },
  {
    id: 'volume.mip',
    group: 'volume',
    label: 'action.volume.mip',
    keys: ['Shift+M'],
    level: 'full',
    unavailable: needsVolume,
    isOn: (state) => state.volume?.projection === 'maximum',
    perform: ({ state, dispatch }) => {
      if (state.volume === null) dispatch({ type: 'openVolume', projection: 'maximum' });
      else if (state.volume.projection === 'maximum')
        dispatch({ type: 'slab', projection: 'none', slabMm: 0 });
      else dispatch({ type: 'slab', projection: 'maximum', slabMm: Math.max(20, state.volume.slabMm) });
    },
  },
  {
    id: 'volume.thicker',
    group: 'volume',
    label: 'action.volume.thicker',
    keys: ['Shift+ArrowUp'],
    level: 'full',
    unavailable: needsOpenVolume,
    perform: ({ state, dispatch }) => dispatch({ type: 'slab', slabMm: (state.volume?.slabMm ?? 0) + 5 }),
  },
  {
    id: 'volume.thinner',
    group: 'volume',
    label: 'action.volume.thinner',
    keys: ['Shift+ArrowDown'],
    level: 'full',
    unavailable: needsOpenVolume,
    perform: ({ state, dispatch }) => dispatch({ type: 'slab', slabMm: (state.volume?.slabMm ?? 0) - 5 }),
  },
  {
    id: 'edit.undo',
    group: 'edit',
    label: 'action.edit.undo',
    keys: ['Ctrl+Z'],
    level: 'basic',
    unavailable: always,
    perform: ({ effects }) => effects.undo(),
  },
  {
    id: 'edit.redo',
    group: 'edit',
    label: 'action.edit.redo',
    keys: ['Ctrl+Y', 'Ctrl+Shift+Z'],
    level: 'basic',
    unavailable: always,
    perform: ({ effects }) => effects.redo(),
  },
  {
    id: 'edit.remove',
    group: 'edit',
    label: 'action.edit.remove',
    keys: ['Delete'],
    level: 'basic',
    unavailable: always,
    perform: ({ effects }) => effects.removeSelected(),
  },
  {
    id: 'edit.copy',
    group: 'edit',
    label: 'action.edit.copy',
    keys: ['C'],
    level: 'full',
    unavailable: needsImages,
    perform: ({ effects }) => effects.copyMeasures(),
  },
  {
    id: 'edit.screenshot',
    group: 'edit',
    label: 'action.edit.screenshot',
    keys: ['Shift+S'],
    level: 'basic',
    unavailable: needsImages,
    perform: ({ effects }) => effects.screenshot(),
  },
  {
    id: 'help.keys',
    group: 'help',
    label: 'action.help.keys',
    keys: ['?', 'F1'],
    level: 'basic',
    unavailable: always,
    perform: ({ state, dispatch }) =>
      dispatch({ type: 'dialog', dialog: state.dialog === 'help' ? null : 'help' }),
  },
  {
    id: 'help.leave',
    group: 'help',
    label: 'action.help.leave',
    keys: ['Escape'],
    level: 'basic',
    unavailable: always,
    perform: ({ state, dispatch }) => {
      if (state.dialog !== null) dispatch({ type: 'dialog', dialog: null });
      else if (state.volume !== null) dispatch({ type: 'closeVolume' });
      else dispatch({ type: 'tool', tool: 'window' });
    },
  },
];

/** All of them, in the order of the help. */
export const ACTIONS: readonly ViewerAction[] = [
  ...tools,
  ...presets,
  ...layouts,
  ...overlays,
  ...scrolls,
  ...other,
].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));

const BY_ID = new Map(ACTIONS.map((action) => [action.id, action]));

/** The action of that name. Raises: RangeError when there is none. */
export function action(id: string): ViewerAction {
  const found = BY_ID.get(id);
  if (found === undefined) throw new RangeError(`no action ${id}`);
  return found;
}

/** What somebody is offered. */
export const actionsFor = (level: 'basic' | 'full'): readonly ViewerAction[] =>
  ACTIONS.filter((one) => level === 'full' || one.level === 'basic');

/** Do it, unless it cannot be done now: then the reason is given. */
export function run(one: ViewerAction, context: ActionContext): MessageKey | null {
  const why = one.unavailable(context.state);
  if (why === null) one.perform(context);
  return why;
}
