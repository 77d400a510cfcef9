/** A pane that shows a stack: applies the state to its viewport, and tells the state what the person did there. */

import { Enums, type Types } from '@cornerstonejs/core';
import { ToolGroupManager, utilities as toolUtilities } from '@cornerstonejs/tools';
import {
  type DisplaySet,
  displaySetIn,
  type Pane,
  type Presentation,
  paneAt,
  screenAxes,
  type Turn,
  type Vector,
  type ViewerState,
} from '@negatoscope/viewer-core';
import { watchInput } from './input';
import type { Session } from './session';
import { bind, STACK_GROUP } from './tools';

const near = (a: number, b: number) => Math.abs(a - b) < 1e-3;

export class StackPane {
  readonly element: HTMLDivElement;
  readonly #session: Session;
  readonly #pane: number;
  readonly #viewportId: string;
  readonly #ends: (() => void)[] = [];
  #imageIds: string[] = [];
  #shownSet: string | null = null;
  #applied: Presentation | null = null;
  #isApplying = false;
  #wanted = -1;
  #loading: Promise<void> = Promise.resolve();
  #isDetached = false;
  #isReady = false;

  constructor(session: Session, pane: number, element: HTMLDivElement) {
    this.#session = session;
    this.#pane = pane;
    this.element = element;
    this.#viewportId = `pane-${pane}`;
    session.engine.enableElement({
      viewportId: this.#viewportId,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: [0, 0, 0] },
    });
    ToolGroupManager.getToolGroup(STACK_GROUP)?.addViewport(this.#viewportId, session.engine.id);
    bind(STACK_GROUP, session.store.get().tool);
    this.#listen();
  }

  get viewport(): Types.IStackViewport | undefined {
    return this.#session.engine.getViewport(this.#viewportId) as Types.IStackViewport | undefined;
  }

  /** Whether the picture asked for last is the one that is shown. */
  get isReady(): boolean {
    return this.#isReady;
  }

  #listen(): void {
    const { Events } = Enums;
    const on = (type: string, listener: (event: Event) => void) => {
      this.element.addEventListener(type, listener);
      this.#ends.push(() => this.element.removeEventListener(type, listener));
    };
    on(Events.IMAGE_RENDERED, () => {
      const { viewport } = this;
      const image = viewport?.getCornerstoneImage();
      if (!image) return;
      const index = this.#imageIds.indexOf(image.imageId);
      this.#isReady = index === this.#wanted;
      // A picture of another series is never seen under this one's name.
      if (index < 0) delete this.element.dataset['shown'];
      else this.element.dataset['shown'] = `${this.#shownSet}#${index}`;
      if (this.#isReady) this.#session.firstShown();
      this.#session.readPane(this.#pane);
    });
    on(Events.STACK_NEW_IMAGE, (event) => {
      const { imageIdIndex } = (event as CustomEvent<{ imageIdIndex: number }>).detail;
      if (this.#isApplying || imageIdIndex === this.#wanted) return;
      this.#wanted = imageIdIndex;
      this.#session.store.dispatch({ type: 'goTo', pane: this.#pane, index: imageIdIndex });
    });
    on(Events.CAMERA_MODIFIED, () => this.#cameraMoved());
    on(Events.VOI_MODIFIED, (event) => {
      if (this.#isApplying) return;
      const { range } = (event as CustomEvent<{ range: { lower: number; upper: number } }>).detail;
      const voi = { lower: range.lower, upper: range.upper };
      if (this.#applied) this.#applied = { ...this.#applied, voi };
      this.#session.store.dispatch({ type: 'window', pane: this.#pane, voi });
    });
    this.#ends.push(
      watchInput(this.element, {
        scroll: (by) => this.#session.store.dispatch({ type: 'scroll', pane: this.#pane, by }),
        zoom: (factor) => this.#zoom(factor),
        pan: (dx, dy) => this.#pan(dx, dy),
        activate: () => this.#session.store.dispatch({ type: 'activate', pane: this.#pane }),
      }),
    );
  }

  #cameraMoved(): void {
    const { viewport } = this;
    if (this.#isApplying || !viewport || this.#shownSet === null) return;
    const { zoom = 1, pan = [0, 0] } = viewport.getViewPresentation();
    const now = paneAt(this.#session.store.get(), this.#pane).presentation;
    if (near(zoom, now.zoom) && near(pan[0], now.pan[0]) && near(pan[1], now.pan[1])) return;
    if (this.#applied) this.#applied = { ...this.#applied, zoom, pan: [pan[0], pan[1]] };
    this.#session.store.dispatch({
      type: 'present',
      pane: this.#pane,
      change: { zoom, pan: [pan[0], pan[1]] },
    });
  }

  #zoom(factor: number): void {
    const { zoom } = paneAt(this.#session.store.get(), this.#pane).presentation;
    const wanted = Math.min(40, Math.max(0.1, zoom * factor));
    this.#session.store.dispatch({ type: 'present', pane: this.#pane, change: { zoom: wanted } });
  }

  #pan(dx: number, dy: number): void {
    const { viewport } = this;
    if (!viewport) return;
    const [x, y] = viewport.getPan();
    viewport.setPan([x + dx, y + dy]);
    viewport.render();
  }

  /** One pixel of the image for one of the screen. */
  actualSize(): void {
    const { zoom } = this.#session.shown(`pane-${this.#pane}`);
    if (zoom !== null && zoom > 0) this.#zoom(1 / zoom);
  }

  apply(state: ViewerState): void {
    const pane = paneAt(state, this.#pane);
    const set = displaySetIn(state, this.#pane);
    if (set === null || set.frames.length === 0) {
      if (this.#shownSet !== null) toolUtilities.stackContextPrefetch.disable(this.element);
      this.#shownSet = null;
      this.#imageIds = [];
      delete this.element.dataset['shown'];
      return;
    }
    if (set.id !== this.#shownSet) {
      this.#show(set, pane);
      return;
    }
    if (pane.index !== this.#wanted) {
      this.#wanted = pane.index;
      this.#isReady = false;
      this.#queue(async () => {
        const { viewport } = this;
        if (!viewport || viewport.getCurrentImageIdIndex() === this.#wanted) return;
        const frame = set.frames[this.#wanted];
        if (frame !== undefined) this.#session.catalogue.imageId(frame);
        await viewport.setImageIdIndex(this.#wanted);
        if (pane.presentation.voi === null) this.#ownWindow(viewport);
      });
    }
    this.#present(pane.presentation);
  }

  /** The element has another size: what fits is another zoom. */
  resized(resize: () => void): void {
    const was = this.#isApplying;
    this.#isApplying = true;
    try {
      resize();
    } finally {
      this.#isApplying = was;
    }
    this.#applied = null;
    this.#present(paneAt(this.#session.store.get(), this.#pane).presentation);
  }

  /** Loads the stack anew, with the identifiers that count now. */
  reload(state: ViewerState): void {
    this.#shownSet = null;
    this.apply(state);
  }

  #show(set: DisplaySet, pane: Pane): void {
    this.#shownSet = set.id;
    this.#wanted = pane.index;
    this.#isReady = false;
    const { imageIds, described } = this.#session.catalogue.stackIds(set, pane.index);
    this.#imageIds = imageIds;
    delete this.element.dataset['shown'];
    this.#queue(async () => {
      const { viewport } = this;
      if (!viewport || this.#shownSet !== set.id || imageIds !== this.#imageIds) return;
      this.#applied = null;
      await viewport.setStack(imageIds, this.#wanted);
      if (this.#isDetached) return;
      viewport.resetCamera();
      this.#present(paneAt(this.#session.store.get(), this.#pane).presentation);
      viewport.render();
      void described.then(() => {
        if (this.#isDetached || imageIds !== this.#imageIds || imageIds.length < 2) return;
        toolUtilities.stackContextPrefetch.enable(this.element);
      });
    });
  }

  /** One thing after the other, and the events of each are not taken for a person's. */
  #queue(work: () => Promise<void>): void {
    this.#loading = this.#loading.then(async () => {
      if (this.#isDetached) return;
      this.#isApplying = true;
      try {
        await work();
      } catch {
        // Told by the event of the image that failed.
      } finally {
        this.#isApplying = false;
      }
    });
  }

  #ownWindow(viewport: Types.IStackViewport): void {
    const frame = displaySetIn(this.#session.store.get(), this.#pane)?.frames[this.#wanted];
    const [window] = frame?.windows ?? [];
    if (window === undefined) return;
    viewport.setProperties({
      voiRange: {
        lower: window.center - 0.5 - (window.width - 1) / 2,
        upper: window.center - 0.5 + (window.width - 1) / 2,
      },
    });
    viewport.render();
  }

  #present(wanted: Presentation): void {
    const { viewport } = this;
    if (!viewport?.getCornerstoneImage()) return;
    const before = this.#applied;
    if (before === wanted) return;
    const was = this.#isApplying;
    this.#isApplying = true;
    try {
      if (before === null || before.voi !== wanted.voi || before.isInverted !== wanted.isInverted) {
        if (wanted.voi === null) {
          if (before !== null && before.voi !== null) viewport.resetProperties();
          this.#ownWindow(viewport);
        }
        const isNegative = viewport.getCornerstoneImage().photometricInterpretation === 'MONOCHROME1';
        viewport.setProperties({
          invert: wanted.isInverted !== isNegative,
          ...(wanted.voi === null ? {} : { voiRange: { lower: wanted.voi.lower, upper: wanted.voi.upper } }),
        });
      }
      this.#orient(viewport, wanted);
      const { zoom = 1, pan = [0, 0] } = viewport.getViewPresentation();
      if (!near(zoom, wanted.zoom) || !near(pan[0], wanted.pan[0]) || !near(pan[1], wanted.pan[1])) {
        viewport.setViewPresentation({ zoom: wanted.zoom, pan: [wanted.pan[0], wanted.pan[1]] });
      }
      this.#applied = wanted;
      viewport.render();
    } finally {
      this.#isApplying = was;
    }
  }

  /** Looks at the picture from where its turn and its mirrors put the eye. */
  #orient(viewport: Types.IStackViewport, turn: Turn): void {
    const { direction } = viewport.getImageData();
    const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = direction;
    const { up, toViewer } = screenAxes({ row: [a, b, c], column: [d, e, f] }, turn);
    const { focalPoint = [0, 0, 0], position = [0, 0, 0], viewUp, viewPlaneNormal } = viewport.getCamera();
    const isSame = (x: Vector, y: Types.Point3 | undefined) =>
      y !== undefined && x.every((v, i) => near(v, y[i] ?? 0));
    if (isSame(up, viewUp) && isSame(toViewer, viewPlaneNormal)) return;
    const far = Math.hypot(...position.map((v, i) => v - (focalPoint[i] ?? 0)));
    const [x, y, z] = focalPoint;
    viewport.setCamera({
      viewUp: [...up],
      viewPlaneNormal: [...toViewer],
      focalPoint: [x, y, z],
      position: [x + toViewer[0] * far, y + toViewer[1] * far, z + toViewer[2] * far],
    });
  }

  /** Once: the page and the session may both end it, in either order. */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    for (const end of this.#ends) end();
    if (!this.#session.engine.hasBeenDestroyed) toolUtilities.stackContextPrefetch.disable(this.element);
    ToolGroupManager.getToolGroup(STACK_GROUP)?.removeViewports(this.#session.engine.id, this.#viewportId);
    if (!this.#session.engine.hasBeenDestroyed) this.#session.engine.disableElement(this.#viewportId);
  }
}
