/** Wheel and two fingers on an element: what Cornerstone's tools do not do. */

import { type Point2, TwoFingers, WheelSteps } from '@negatoscope/viewer-core';

export interface InputEffects {
  readonly scroll: (by: number) => void;
  readonly zoom: (factor: number) => void;
  readonly pan: (dx: number, dy: number) => void;
  readonly activate: () => void;
}

/** Watches an element until the result is called. */
export function watchInput(element: HTMLElement, effects: InputEffects): () => void {
  const wheel = new WheelSteps();
  const fingers = new TwoFingers();
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    effects.activate();
    if (event.ctrlKey || event.metaKey) {
      effects.zoom(Math.exp(-event.deltaY / 400));
      return;
    }
    const steps = wheel.take(event.deltaY, event.deltaMode, event.timeStamp);
    if (steps !== 0) effects.scroll(steps);
  };
  const onTouch = (event: TouchEvent) => {
    if (event.touches.length < 2) {
      fingers.end();
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const points = [...event.touches].map(({ clientX, clientY }): Point2 => [clientX, clientY]);
    const effect = fingers.move(points);
    if (effect?.type === 'scroll') effects.scroll(effect.steps);
    else if (effect?.type === 'zoom') effects.zoom(effect.factor);
    else if (effect?.type === 'pan') effects.pan(effect.dx, effect.dy);
  };
  const onDown = () => effects.activate();
  const onMenu = (event: Event) => event.preventDefault(); // the right button zooms
  element.addEventListener('wheel', onWheel, { passive: false });
  element.addEventListener('contextmenu', onMenu);
  element.addEventListener('pointerdown', onDown, { capture: true });
  for (const type of ['touchstart', 'touchmove', 'touchend', 'touchcancel'] as const) {
    element.addEventListener(type, onTouch, { passive: false, capture: true });
  }
  return () => {
    element.removeEventListener('wheel', onWheel);
    element.removeEventListener('contextmenu', onMenu);
    element.removeEventListener('pointerdown', onDown, { capture: true });
    for (const type of ['touchstart', 'touchmove', 'touchend', 'touchcancel'] as const) {
      element.removeEventListener(type, onTouch, { capture: true });
    }
  };
}
