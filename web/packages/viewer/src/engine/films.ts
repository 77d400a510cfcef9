/** Films: one clock for each pane that plays. */

import type { Store, ViewerState } from '@negatoscope/viewer-core';

interface Clock {
  readonly timer: number;
  readonly framesPerSecond: number;
}

export class Films {
  readonly #store: Store;
  readonly #paneAt: (pane: number) => { readonly isReady: boolean } | undefined;
  readonly #clocks = new Map<number, Clock>();

  constructor(store: Store, paneAt: (pane: number) => { readonly isReady: boolean } | undefined) {
    this.#store = store;
    this.#paneAt = paneAt;
  }

  /** Starts, stops and changes clocks as the state says. */
  apply(state: ViewerState): void {
    state.panes.forEach(({ cine: { isPlaying, framesPerSecond } }, pane) => {
      const clock = this.#clocks.get(pane);
      const isWanted = isPlaying && this.#paneAt(pane) !== undefined && state.volume === null;
      if (isWanted && clock?.framesPerSecond === framesPerSecond) return;
      if (clock !== undefined) {
        window.clearInterval(clock.timer);
        this.#clocks.delete(pane);
      }
      if (!isWanted) return;
      const tick = () => {
        // A film never runs ahead of its pictures.
        if (this.#paneAt(pane)?.isReady) this.#store.dispatch({ type: 'tick', pane });
      };
      this.#clocks.set(pane, { timer: window.setInterval(tick, 1000 / framesPerSecond), framesPerSecond });
    });
  }

  stop(): void {
    for (const { timer } of this.#clocks.values()) window.clearInterval(timer);
    this.#clocks.clear();
  }
}
