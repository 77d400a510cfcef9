/** One opened viewer: the store, and the viewports that show what it says. */

import { cache, Enums, eventTarget, RenderingEngine, type Types } from '@cornerstonejs/core';
import { annotation, ToolGroupManager, utilities as toolUtilities } from '@cornerstonejs/tools';
import {
  createStore,
  displaySetIn,
  type Effects,
  type FrameTrouble,
  frameKey,
  INITIAL,
  type Preferences,
  paneAt,
  renderedPath,
  type Store,
  started,
} from '@negatoscope/viewer-core';
import { Catalogue, frameOf } from './catalogue';
import { makeEffects } from './effects';
import { Films } from './films';
import { type Graphics, startGraphics } from './graphics';
import { Planes } from './planes';
import { NOTHING_SHOWN, readStack, type Shown } from './shown';
import { StackPane } from './stack';
import { bind, MEASURING_NAMES, makeGroup, PLANE_GROUP, STACK_GROUP } from './tools';

export interface SessionListener {
  /** Somebody has to sign in again. */
  readonly signedOut: () => void;
  readonly notice: (
    key:
      | 'status.copied'
      | 'status.notCopied'
      | 'status.nothingToCopy'
      | 'status.contextLost'
      | 'status.software',
  ) => void;
}

let count = 0;

export class Session {
  readonly store: Store;
  readonly graphics: Graphics;
  readonly catalogue: Catalogue;
  readonly planes: Planes;
  #engine: RenderingEngine;
  readonly #panes = new Map<number, StackPane>();
  readonly #shown = new Map<string, Shown>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #ends: (() => void)[] = [];
  readonly #listener: SessionListener;
  readonly #films: Films;
  #root: HTMLElement | null = null;
  #isLost = false;

  constructor(preferences: Preferences, listener: SessionListener) {
    this.graphics = startGraphics();
    this.#listener = listener;
    this.catalogue = new Catalogue(preferences.transfer);
    this.store = createStore({
      ...started(INITIAL, preferences),
      limits: {
        maxTextureSize: this.graphics.maxTextureSize,
        maxBytes: Math.floor(this.graphics.cacheBytes * 0.8),
      },
    });
    count += 1;
    this.#engine = new RenderingEngine(`negatoscope-${count}`);
    this.planes = new Planes(this);
    this.#films = new Films(this.store, (pane) => this.#panes.get(pane));
    this.effects = makeEffects(this, listener);
    makeGroup(STACK_GROUP, false);
    makeGroup(PLANE_GROUP, true);
    this.#listen();
  }

  get engine(): RenderingEngine {
    return this.#engine;
  }

  /** The element that holds the panes: for full screen. */
  setRoot(root: HTMLElement | null): void {
    this.#root = root;
  }

  // -- panes ---------------------------------------------------------------------------------

  /** Shows a pane of the layout in an element, until the result is called. */
  attach(pane: number, element: HTMLDivElement): () => void {
    const stack = new StackPane(this, pane, element);
    this.#panes.set(pane, stack);
    stack.apply(this.store.get());
    return () => {
      stack.detach();
      if (this.#panes.get(pane) === stack) this.#panes.delete(pane);
    };
  }

  stack(pane: number): StackPane | undefined {
    return this.#panes.get(pane);
  }

  /** The elements changed their size. */
  resize(): void {
    if (this.#isLost) return;
    const stacks = [...this.#panes.values()];
    const resize = stacks.reduceRight(
      (inner, stack) => () => stack.resized(inner),
      () => this.#engine.resize(true, this.store.get().volume !== null),
    );
    resize();
  }

  // -- first image first ------------------------------------------------------------------------

  #isFirstShown = false;

  /** Whether a picture was shown since the studies were opened: what may wait waits for it. */
  get isFirstShown(): boolean {
    return this.#isFirstShown;
  }

  /** Studies are opened anew. */
  expectFirst(): void {
    this.#isFirstShown = false;
    this.#wake('first');
  }

  firstShown(): void {
    if (this.#isFirstShown) return;
    this.#isFirstShown = true;
    this.#wake('first');
  }

  /** Until the first picture is shown, or cannot soon be. */
  async untilFirst(longest_ms: number): Promise<void> {
    if (this.#isFirstShown) return;
    await new Promise<void>((resolve) => {
      const end = this.watch('first', () => {
        if (this.#isFirstShown) done();
      });
      const done = () => {
        window.clearTimeout(timer);
        end();
        resolve();
      };
      const timer = window.setTimeout(done, longest_ms);
    });
    this.firstShown();
  }

  // -- what is shown ---------------------------------------------------------------------------

  shown(key: string): Shown {
    return this.#shown.get(key) ?? NOTHING_SHOWN;
  }

  publish(key: string, shown: Shown): void {
    this.#shown.set(key, shown);
    this.#wake(key);
  }

  #wake(key: string): void {
    for (const watcher of this.#watchers.get(key) ?? []) watcher();
  }

  watch(key: string, watcher: () => void): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    watchers.add(watcher);
    this.#watchers.set(key, watchers);
    return () => watchers.delete(watcher);
  }

  /** Reads again what a pane shows. */
  readPane(pane: number): void {
    const state = this.store.get();
    const set = displaySetIn(state, pane);
    const viewport = this.#panes.get(pane)?.viewport;
    if (!viewport || set === null || set.frames.length === 0 || !viewport.getCornerstoneImage()) return;
    this.publish(`pane-${pane}`, readStack(state, pane, set, viewport));
  }

  // -- state to viewports ------------------------------------------------------------------------

  #listen(): void {
    this.#ends.push(
      this.store.subscribe((state, before) => {
        if (state.tool !== before.tool || (state.volume === null) !== (before.volume === null)) {
          bind(STACK_GROUP, state.tool);
          bind(PLANE_GROUP, state.tool);
        }
        if (
          state.panes !== before.panes ||
          state.displaySets !== before.displaySets ||
          state.troubles !== before.troubles
        ) {
          for (const stack of this.#panes.values()) stack.apply(state);
        }
        if (
          state.panes !== before.panes ||
          state.overlays !== before.overlays ||
          state.activePane !== before.activePane
        ) {
          for (const pane of this.#panes.keys()) this.readPane(pane);
        }
        if (state.overlays.measures !== before.overlays.measures) this.#showMeasures(state.overlays.measures);
        if (state.volume !== null && before.volume === null && this.graphics.isSoftware) {
          this.#listener.notice('status.software');
        }
        this.planes.apply(state, before);
        this.#films.apply(state);
      }),
    );
    const onFailure = (event: Event) =>
      this.#failed((event as CustomEvent<{ imageId: string; error: unknown }>).detail);
    const onLoaded = (event: Event) =>
      this.#loaded((event as CustomEvent<{ image: Types.IImage }>).detail.image.imageId);
    const onLost = () => this.recover();
    eventTarget.addEventListener(Enums.Events.IMAGE_LOAD_FAILED, onFailure);
    eventTarget.addEventListener(Enums.Events.IMAGE_LOADED, onLoaded);
    eventTarget.addEventListener(Enums.Events.WEBGL_CONTEXT_LOST, onLost);
    this.#ends.push(() => {
      eventTarget.removeEventListener(Enums.Events.IMAGE_LOAD_FAILED, onFailure);
      eventTarget.removeEventListener(Enums.Events.IMAGE_LOADED, onLoaded);
      eventTarget.removeEventListener(Enums.Events.WEBGL_CONTEXT_LOST, onLost);
    });
  }

  // -- failures ----------------------------------------------------------------------------------

  #loaded(imageId: string): void {
    const frame = frameOf(imageId);
    if (frame === undefined) return;
    const key = frameKey(frame);
    if (this.store.get().troubles[key]) this.store.dispatch({ type: 'trouble', frame: key, trouble: null });
  }

  #failed({ imageId, error }: { imageId: string; error: unknown }): void {
    const frame = frameOf(imageId);
    if (frame === undefined) return;
    if (imageId !== this.catalogue.imageId(frame)) return; // an older form, already replaced
    const status = statusOf(error);
    if (status === 401) {
      this.#listener.signedOut();
      return;
    }
    const frameId = frameKey(frame);
    const tell = (trouble: FrameTrouble) => this.store.dispatch({ type: 'trouble', frame: frameId, trouble });
    if (status === 403) tell({ reason: 'forbidden', isRendered: false });
    else if (status === 404 || status === 410) {
      // Frames that cannot be cut out of an object may still be drawn.
      void fetch(renderedPath(frame), { method: 'HEAD' }).then(
        ({ ok }) => tell({ reason: 'missing', isRendered: ok }),
        () => tell({ reason: 'missing', isRendered: false }),
      );
    } else if (status === 0) tell({ reason: 'network', isRendered: false });
    else if (this.catalogue.fallBack(frame)) {
      if (this.catalogue.representation(frame) === 'rendered')
        tell({ reason: 'undecodable', isRendered: true });
      else this.reload(frame.sopInstanceUID);
    } else tell({ reason: 'undecodable', isRendered: false });
  }

  /** Asks again for what failed in the panes that show an instance. */
  reload(sopInstanceUID: string): void {
    const state = this.store.get();
    for (const [pane, stack] of this.#panes) {
      const set = displaySetIn(state, pane);
      if (set?.frames.some((frame) => frame.sopInstanceUID === sopInstanceUID)) stack.reload(state);
    }
  }

  retry(pane: number): void {
    const set = displaySetIn(this.store.get(), pane);
    const frame = set?.frames[paneAt(this.store.get(), pane).index];
    if (frame === undefined) return;
    this.catalogue.retry(frame);
    this.store.dispatch({ type: 'trouble', frame: frameKey(frame), trouble: null });
    this.#panes.get(pane)?.reload(this.store.get());
  }

  // -- lost graphics -------------------------------------------------------------------------------

  /** Starts the drawing again after the graphics processor was lost: the state is all that is needed. */
  recover(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#listener.notice('status.contextLost');
    window.setTimeout(() => {
      const elements = [...this.#panes].map(([pane, stack]) => [pane, stack.element] as const);
      const planes = this.planes.elements();
      for (const stack of this.#panes.values()) stack.detach();
      this.#panes.clear();
      this.planes.detachAll();
      this.#engine.destroy();
      count += 1;
      this.#engine = new RenderingEngine(`negatoscope-${count}`);
      this.#isLost = false;
      for (const [pane, element] of elements) {
        const stack = new StackPane(this, pane, element);
        this.#panes.set(pane, stack);
        stack.apply(this.store.get());
      }
      for (const [plane, element] of planes) this.planes.attach(plane, element);
    }, 200);
  }

  // -- what actions ask -----------------------------------------------------------------------------

  readonly effects: Effects;

  /** The element to be shown alone on the screen. */
  get root(): HTMLElement | null {
    return this.#root;
  }

  redraw(): void {
    toolUtilities.triggerAnnotationRenderForViewportIds(this.#engine.getViewports().map(({ id }) => id));
  }

  #showMeasures(isShown: boolean): void {
    for (const one of annotation.state.getAllAnnotations()) {
      if (one.annotationUID && MEASURING_NAMES.has(one.metadata?.toolName ?? '')) {
        annotation.visibility.setAnnotationVisibility(one.annotationUID, isShown);
      }
    }
    this.redraw();
  }

  // -- the end -----------------------------------------------------------------------------------------

  /** Bytes of pixels that are held. */
  get cachedBytes(): number {
    return cache.getCacheSize();
  }

  /** Gives back the memory of a study that was closed. */
  forget(study: string): void {
    this.catalogue.forget(study);
  }

  dispose(): void {
    this.#films.stop();
    for (const end of this.#ends) end();
    for (const stack of this.#panes.values()) stack.detach();
    this.#panes.clear();
    this.planes.detachAll();
    this.#engine.destroy();
    annotation.state.removeAllAnnotations();
    this.catalogue.forget();
    cache.purgeCache();
    ToolGroupManager.destroyToolGroup(STACK_GROUP);
    ToolGroupManager.destroyToolGroup(PLANE_GROUP);
  }
}

/** HTTP status of what the loader threw; 0 without an answer, -1 when the answer was good but could not be read. */
function statusOf(error: unknown): number {
  const inner = typeof error === 'object' && error !== null && 'error' in error ? error.error : error;
  if (inner instanceof XMLHttpRequest) return inner.status === 200 ? -1 : inner.status;
  const found = /status (\d{3})/.exec(String(inner));
  if (found) return Number(found[1]);
  return /failed to fetch|networkerror|load failed/i.test(String(inner)) ? 0 : -1;
}
