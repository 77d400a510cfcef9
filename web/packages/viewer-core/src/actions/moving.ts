/** Through stacks, series and panes, and films of them. */

import { activePane, LAYOUTS, OVERLAYS } from '../state/model';
import { always, needsPanes, needsSeveral, needsStack, type ViewerAction } from './model';

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

const others: readonly ViewerAction[] = [
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
];

export const moving: readonly ViewerAction[] = [...layouts, ...overlays, ...scrolls, ...others];
