import {
  type ActionContext,
  type Bindings,
  type MessageKey,
  type Messages,
  messagesFor,
  run,
  say,
  type ViewerAction,
  type ViewerState,
} from '@negatoscope/viewer-core';
import { createContext, use, useMemo, useSyncExternalStore } from 'react';
import type { Session } from '../engine/session';

export interface ViewerContext {
  readonly session: Session;
  readonly language: string;
  readonly level: 'basic' | 'full';
  readonly bindings: Bindings;
  readonly notice: (key: MessageKey) => void;
}

export const Context = createContext<ViewerContext | null>(null);

export function useViewer(): ViewerContext {
  const found = use(Context);
  if (found === null) throw new Error('a part of the viewer stands outside of it');
  return found;
}

/** The state, or a part of it: drawn again when that part changes. */
export function useViewerState<T>(pick: (state: ViewerState) => T): T {
  const { store } = useViewer().session;
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}

export interface Words {
  readonly words: Messages;
  readonly say: (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;
}

export function useWords(): Words {
  const { language } = useViewer();
  return useMemo(() => {
    const words = messagesFor(language);
    return { words, say: (key, values) => say(words, key, values) };
  }, [language]);
}

/** Does an action, and says why when it cannot be done. */
export function useRun(): (action: ViewerAction) => void {
  const { session, notice } = useViewer();
  return (action) => {
    const context: ActionContext = {
      state: session.store.get(),
      dispatch: session.store.dispatch,
      effects: session.effects,
    };
    const why = run(action, context);
    if (why !== null) notice(why);
  };
}

/** Whether the first picture is shown, so that what may wait can begin. */
export function useFirstShown(): boolean {
  const { session } = useViewer();
  return useSyncExternalStore(
    (watcher) => session.watch('first', watcher),
    () => session.isFirstShown,
  );
}
