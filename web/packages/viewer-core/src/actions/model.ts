/** What an action is, and why one may not be possible now. */

import type { MessageKey } from '../messages';
import { activeSet, paneCount, type ViewerState } from '../state/model';
import type { Command } from '../state/reduce';

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

export const always = () => null;
export const needsImages = (state: ViewerState): MessageKey | null =>
  (activeSet(state)?.frames.length ?? 0) > 0 ? null : 'why.noImages';
export const needsSeveral = (state: ViewerState): MessageKey | null =>
  needsImages(state) ?? ((activeSet(state)?.frames.length ?? 0) > 1 ? null : 'why.oneImage');
export const needsPanes = (state: ViewerState): MessageKey | null =>
  paneCount(state.layout) > 1 && state.volume === null ? null : 'why.onePane';
export const needsVolume = (state: ViewerState): MessageKey | null => {
  const set = activeSet(state);
  if (set === null) return 'why.noImages';
  return set.noVolume === null ? null : `why.volume.${set.noVolume}`;
};
export const needsOpenVolume = (state: ViewerState): MessageKey | null =>
  state.volume === null ? 'why.notInVolume' : null;
export const needsStack = (state: ViewerState): MessageKey | null =>
  needsImages(state) ?? (state.volume === null ? null : 'why.notInStack');
export const needsCT = (state: ViewerState): MessageKey | null =>
  activeSet(state)?.modality === 'CT' ? null : 'why.notCT';
