/** Moving through a stack, alone or together with others. */

import type { DisplaySet } from './dicom/displaySets';
import { along, isParallel, normal } from './geometry';

/** An index inside a stack. */
export const clampIndex = (index: number, count: number): number =>
  Math.max(0, Math.min(Math.max(0, count - 1), Math.round(index)));

/** The next index of a loop; ``sweep`` goes back and forth. */
export function nextFrame(
  index: number,
  count: number,
  direction: 1 | -1,
  loop: 'loop' | 'sweep' | 'once',
): { readonly index: number; readonly direction: 1 | -1; readonly isOver: boolean } {
  const next = index + direction;
  if (count < 2) return { index: 0, direction, isOver: true };
  if (next >= 0 && next < count) return { index: next, direction, isOver: false };
  if (loop === 'loop') return { index: direction === 1 ? 0 : count - 1, direction, isOver: false };
  if (loop === 'sweep') {
    const back = direction === 1 ? -1 : 1;
    return { index: index + back, direction: back, isOver: false };
  }
  return { index, direction, isOver: true };
}

/** Wheel turns to images: a notch is one image, a trackpad's small steps add up to one. */
export class WheelSteps {
  readonly #notch: number;
  #rest = 0;
  #lastAt = 0;

  /** Args: notch: pixels of scrolling that make one step. */
  constructor(notch = 60) {
    this.#notch = notch;
  }

  /** Steps that an event makes. ``mode`` is WheelEvent.deltaMode: 1 lines, 2 pages. */
  take(delta: number, mode: number, at: number): number {
    if (delta === 0) return 0;
    if (mode === 1 || mode === 2) return Math.sign(delta) * Math.max(1, Math.round(Math.abs(delta) / 3));
    if (Math.abs(delta) >= 100 && delta % 1 === 0) {
      this.#rest = 0;
      return Math.sign(delta) * Math.max(1, Math.round(Math.abs(delta) / 120));
    }
    if (at - this.#lastAt > 400 || Math.sign(delta) !== Math.sign(this.#rest)) this.#rest = 0;
    this.#lastAt = at;
    this.#rest += delta;
    const steps = Math.trunc(this.#rest / this.#notch);
    this.#rest -= steps * this.#notch;
    return steps;
  }
}

/** How two stacks move together. */
export type Link =
  | { readonly by: 'position' }
  /** ``images`` added to the index of the one that leads. */
  | { readonly by: 'offset'; readonly images: number };

/** How two stacks are linked when the reader asks for it: by place in the patient where they share one, else as they stand. */
export function linkBetween(
  leader: DisplaySet,
  leaderIndex: number,
  follower: DisplaySet,
  followerIndex: number,
): Link {
  const [a, b] = [leader.frames[leaderIndex]?.plane, follower.frames[followerIndex]?.plane];
  const isShared =
    leader.frameOfReferenceUID !== '' && leader.frameOfReferenceUID === follower.frameOfReferenceUID;
  if (isShared && a && b && isParallel(a, b)) return { by: 'position' };
  return { by: 'offset', images: followerIndex - leaderIndex };
}

/** Where the follower goes. Same anatomy, different step: an offset counts millimetres when both know them. */
export function follow(
  link: Link,
  leader: DisplaySet,
  leaderIndex: number,
  follower: DisplaySet,
  anchor?: number,
): number {
  const from = leader.frames[leaderIndex]?.plane;
  if (link.by === 'position' && from) {
    const axis = normal(from);
    const wanted = along(from, axis);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    follower.frames.forEach(({ plane }, index) => {
      if (plane === null) return;
      const far = Math.abs(along(plane, axis) - wanted);
      if (far < least - 1e-6) {
        least = far;
        best = index;
      }
    });
    if (best >= 0) return best;
  }
  const offset = link.by === 'offset' ? link.images : 0;
  const moved =
    anchor === undefined
      ? leaderIndex
      : anchor + Math.round((leaderIndex - anchor) * stepRatio(leader, follower));
  return clampIndex(moved + offset, follower.frames.length);
}

/** Images of the follower for one of the leader, signed: stacks may run in opposite directions. */
export function stepRatio(leader: DisplaySet, follower: DisplaySet): number {
  const [a, b] = [leader.frames[0]?.plane, follower.frames[0]?.plane];
  if (!a || !b || !isParallel(a, b)) return 1;
  const axis = normal(a);
  const step = (set: DisplaySet) => {
    const [first, last] = [set.frames[0]?.plane, set.frames[set.frames.length - 1]?.plane];
    return first && last && set.frames.length > 1
      ? (along(last, axis) - along(first, axis)) / (set.frames.length - 1)
      : 0;
  };
  const [mine, theirs] = [step(leader), step(follower)];
  return Math.abs(theirs) < 0.01 || Math.abs(mine) < 0.01 ? 1 : mine / theirs;
}
