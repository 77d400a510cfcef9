/** Holds the state and tells who listens. */

import { INITIAL, type ViewerState } from './model';
import { type Command, reduce } from './reduce';

export interface Store {
  readonly get: () => ViewerState;
  readonly dispatch: (command: Command) => void;
  /** Calls back after each change; gives what stops it. */
  readonly subscribe: (listener: (state: ViewerState, before: ViewerState) => void) => () => void;
}

export function createStore(initial: ViewerState = INITIAL): Store {
  let state = initial;
  const listeners = new Set<(state: ViewerState, before: ViewerState) => void>();
  const queue: Command[] = [];
  let isRunning = false;
  return {
    get: () => state,
    dispatch(command) {
      queue.push(command); // a listener may dispatch: one change at a time, in order
      if (isRunning) return;
      isRunning = true;
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const before = state;
          state = reduce(state, next);
          if (state !== before) for (const listener of [...listeners]) listener(state, before);
        }
      } finally {
        isRunning = false;
        queue.length = 0;
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
