/** Tools, windows, and how a picture is laid on the screen. */

import type { MessageKey } from '../messages';
import { activePane, TOOLS, type Tool } from '../state/model';
import { presetsFor, toRange } from '../windowing';
import { needsCT, needsImages, needsOpenVolume, needsStack, type ViewerAction } from './model';

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

const others: readonly ViewerAction[] = [
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
];

export const looking: readonly ViewerAction[] = [...tools, ...presets, ...others];
