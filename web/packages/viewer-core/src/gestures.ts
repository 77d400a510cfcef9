/** Two fingers on a pane: apart is zoom, together up or down is scrolling, together aside is panning.
 *
 * A small state machine: it watches until the fingers have said what they mean, and keeps to it until one is lifted.
 */

import type { Point2 } from './geometry';

export type TwoFingerState = 'idle' | 'watching' | 'pinching' | 'scrolling' | 'panning';

export type TwoFingerEffect =
  | { readonly type: 'zoom'; readonly factor: number; readonly at: Point2 }
  | { readonly type: 'scroll'; readonly steps: number }
  | { readonly type: 'pan'; readonly dx: number; readonly dy: number };

/** Pixels that decide. */
const DECISIVE = 12;
/** Pixels of the pane for one image. */
const SCROLL_STEP = 14;

interface Contact {
  readonly center: Point2;
  readonly spread: number;
}

const contactOf = ([ax, ay]: Point2, [bx, by]: Point2): Contact => ({
  center: [(ax + bx) / 2, (ay + by) / 2],
  spread: Math.hypot(ax - bx, ay - by),
});

export class TwoFingers {
  #state: TwoFingerState = 'idle';
  #start: Contact | null = null;
  #last: Contact | null = null;
  #rest = 0;

  get state(): TwoFingerState {
    return this.#state;
  }

  /** Fingers as they are now; fewer or more than two end the gesture. */
  move(fingers: readonly Point2[]): TwoFingerEffect | null {
    const [a, b] = fingers;
    if (fingers.length !== 2 || a === undefined || b === undefined) {
      this.end();
      return null;
    }
    const now = contactOf(a, b);
    if (this.#start === null || this.#last === null) {
      this.#start = now;
      this.#last = now;
      this.#state = 'watching';
      return null;
    }
    const before = this.#last;
    if (this.#state === 'watching') this.#state = this.#decide(this.#start, now);
    if (this.#state === 'watching') return null;
    this.#last = now;
    if (this.#state === 'pinching') {
      return before.spread > 0 ? { type: 'zoom', factor: now.spread / before.spread, at: now.center } : null;
    }
    const [dx, dy] = [now.center[0] - before.center[0], now.center[1] - before.center[1]];
    if (this.#state === 'panning') return { type: 'pan', dx, dy };
    this.#rest += dy;
    const steps = Math.trunc(this.#rest / SCROLL_STEP);
    this.#rest -= steps * SCROLL_STEP;
    return steps === 0 ? null : { type: 'scroll', steps };
  }

  end(): void {
    this.#state = 'idle';
    this.#start = null;
    this.#last = null;
    this.#rest = 0;
  }

  #decide(start: Contact, now: Contact): TwoFingerState {
    const spread = Math.abs(now.spread - start.spread);
    const [dx, dy] = [Math.abs(now.center[0] - start.center[0]), Math.abs(now.center[1] - start.center[1])];
    if (Math.max(spread, dx, dy) < DECISIVE) return 'watching';
    if (spread >= Math.max(dx, dy)) return 'pinching';
    return dy >= dx ? 'scrolling' : 'panning';
  }
}
