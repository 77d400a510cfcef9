/** Volumes, drawings, help. */

import { always, needsImages, needsOpenVolume, needsVolume, type ViewerAction } from './model';

export const working: readonly ViewerAction[] = [
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
