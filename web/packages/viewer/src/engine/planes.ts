/** Three planes of a volume and a maximum intensity projection. */

import {
  cache,
  Enums,
  eventTarget,
  setVolumesForViewports,
  type Types,
  utilities,
  volumeLoader,
} from '@cornerstonejs/core';
import { ToolGroupManager } from '@cornerstonejs/tools';
import { initialWindow, type Projection, toRange, type ViewerState } from '@negatoscope/viewer-core';
import { COARSE_TO_FINE } from './graphics';
import { watchInput } from './input';
import type { Session } from './session';
import { readPlane } from './shown';
import { bind, PLANE_GROUP } from './tools';

const ORIENTATIONS = [
  Enums.OrientationAxis.AXIAL,
  Enums.OrientationAxis.CORONAL,
  Enums.OrientationAxis.SAGITTAL,
  Enums.OrientationAxis.CORONAL,
] as const;
/** The pane of the projection. */
export const PROJECTION_PANE = 3;

const BLENDS: Readonly<Record<Projection, Enums.BlendModes>> = {
  none: Enums.BlendModes.COMPOSITE,
  maximum: Enums.BlendModes.MAXIMUM_INTENSITY_BLEND,
  minimum: Enums.BlendModes.MINIMUM_INTENSITY_BLEND,
  average: Enums.BlendModes.AVERAGE_INTENSITY_BLEND,
};

export class Planes {
  readonly #session: Session;
  readonly #elements = new Map<number, HTMLDivElement>();
  readonly #ends = new Map<number, (() => void)[]>();
  #volumeId: string | null = null;
  /** Until the windows are ours, what the viewports tell of them is nobody's wish. */
  #isSyncing = true;
  #progress = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  elements(): ReadonlyMap<number, HTMLDivElement> {
    return new Map(this.#elements);
  }

  /** Part of the volume that is there, 0 to 1. */
  get progress(): number {
    return this.#progress;
  }

  viewport(plane: number): Types.IVolumeViewport | undefined {
    return this.#session.engine.getViewport(`plane-${plane}`) as Types.IVolumeViewport | undefined;
  }

  attach(plane: number, element: HTMLDivElement): () => void {
    const { engine, store } = this.#session;
    const viewportId = `plane-${plane}`;
    engine.enableElement({
      viewportId,
      type: Enums.ViewportType.ORTHOGRAPHIC,
      element,
      defaultOptions: {
        orientation: ORIENTATIONS[plane] ?? Enums.OrientationAxis.AXIAL,
        background: [0, 0, 0],
      },
    });
    this.#elements.set(plane, element);
    const onRendered = () => {
      const viewport = this.viewport(plane);
      if (viewport) this.#session.publish(viewportId, readPlane(viewport));
    };
    const onWindow = (event: Event) => {
      if (this.#isSyncing) return;
      const { range } = (event as CustomEvent<{ range: { lower: number; upper: number } }>).detail;
      store.dispatch({
        type: 'window',
        pane: this.#stackPane(),
        voi: { lower: range.lower, upper: range.upper },
      });
    };
    element.addEventListener(Enums.Events.IMAGE_RENDERED, onRendered);
    element.addEventListener(Enums.Events.VOI_MODIFIED, onWindow);
    const input = watchInput(element, {
      scroll: (by) => this.scroll(plane, by),
      zoom: (factor) => {
        const viewport = this.viewport(plane);
        viewport?.setZoom(Math.min(40, Math.max(0.1, viewport.getZoom() * factor)));
        viewport?.render();
      },
      pan: (dx, dy) => {
        const viewport = this.viewport(plane);
        if (!viewport) return;
        const [x, y] = viewport.getPan();
        viewport.setPan([x + dx, y + dy]);
        viewport.render();
      },
      activate: () => store.dispatch({ type: 'activate', pane: plane }),
    });
    this.#ends.set(plane, [
      () => element.removeEventListener(Enums.Events.IMAGE_RENDERED, onRendered),
      () => element.removeEventListener(Enums.Events.VOI_MODIFIED, onWindow),
      input,
    ]);
    if (this.#elements.size === ORIENTATIONS.length) void this.#open();
    return () => this.detach(plane);
  }

  detach(plane: number): void {
    const { engine } = this.#session;
    for (const end of this.#ends.get(plane) ?? []) end();
    this.#ends.delete(plane);
    this.#elements.delete(plane);
    ToolGroupManager.getToolGroup(PLANE_GROUP)?.removeViewports(engine.id, `plane-${plane}`);
    if (!engine.hasBeenDestroyed) engine.disableElement(`plane-${plane}`);
    if (this.#elements.size === 0) this.#close();
  }

  detachAll(): void {
    for (const plane of [...this.#elements.keys()]) this.detach(plane);
  }

  scroll(plane: number, by: number): void {
    const viewport = this.viewport(plane);
    if (viewport && this.#volumeId !== null)
      utilities.scroll(viewport as unknown as Types.IViewport, { delta: by, volumeId: this.#volumeId });
  }

  #stackPane(): number {
    const state = this.#session.store.get();
    const found = state.panes.findIndex(({ displaySetId }) => displaySetId === state.volume?.displaySetId);
    return Math.max(0, found);
  }

  async #open(): Promise<void> {
    const { store, catalogue, engine } = this.#session;
    const state = store.get();
    const set = state.volume === null ? undefined : state.displaySets[state.volume.displaySetId];
    if (set === undefined) return;
    const imageIds = catalogue.imageIds(set);
    const volumeId = `cornerstoneStreamingImageVolume:${set.id}`;
    const isStreamable = set.frames.every((frame) => catalogue.representation(frame) === 'htj2k');
    if (isStreamable) utilities.imageRetrieveMetadataProvider.add(volumeId, COARSE_TO_FINE);
    this.#volumeId = volumeId;
    const volume = await volumeLoader.createAndCacheVolume(volumeId, { imageIds });
    if (this.#volumeId !== volumeId || this.#elements.size !== ORIENTATIONS.length) return;
    this.#watchProgress(volumeId, imageIds.length);
    const ids = ORIENTATIONS.map((_, plane) => `plane-${plane}`);
    volume.load();
    await setVolumesForViewports(engine, [{ volumeId }], ids);
    if (this.#volumeId !== volumeId) return;
    const group = ToolGroupManager.getToolGroup(PLANE_GROUP);
    for (const id of ids.slice(0, PROJECTION_PANE)) group?.addViewport(id, engine.id);
    bind(PLANE_GROUP, store.get().tool);
    this.#window(store.get());
    this.#project(store.get());
    engine.renderViewports(ids);
  }

  #watchProgress(volumeId: string, total: number): void {
    const seen = new Set<number>();
    const onModified = (event: Event) => {
      const detail = (
        event as CustomEvent<{
          volumeId: string;
          imageIdIndex?: number;
          framesProcessed?: number;
          numberOfFrames?: number;
        }>
      ).detail;
      if (detail.volumeId !== volumeId) return;
      if (detail.imageIdIndex !== undefined) seen.add(detail.imageIdIndex);
      const done = detail.framesProcessed ?? seen.size;
      this.#progress = Math.min(1, done / (detail.numberOfFrames ?? total));
      this.#tell();
    };
    const onDone = (event: Event) => {
      if ((event as CustomEvent<{ volumeId: string }>).detail.volumeId !== volumeId) return;
      this.#progress = 1;
      this.#tell();
    };
    eventTarget.addEventListener(Enums.Events.IMAGE_VOLUME_MODIFIED, onModified);
    eventTarget.addEventListener(Enums.Events.IMAGE_VOLUME_LOADING_COMPLETED, onDone);
    const ends = this.#ends.get(0);
    ends?.push(() => {
      eventTarget.removeEventListener(Enums.Events.IMAGE_VOLUME_MODIFIED, onModified);
      eventTarget.removeEventListener(Enums.Events.IMAGE_VOLUME_LOADING_COMPLETED, onDone);
    });
  }

  #tell(): void {
    this.#session.publish('volume', { ...this.#session.shown('volume'), zoom: this.#progress });
  }

  #close(): void {
    const volumeId = this.#volumeId;
    this.#isSyncing = true;
    this.#volumeId = null;
    this.#progress = 0;
    this.#tell();
    if (volumeId !== null && cache.getVolumeLoadObject(volumeId)) cache.removeVolumeLoadObject(volumeId);
  }

  #window(state: ViewerState): void {
    const set = state.volume === null ? undefined : state.displaySets[state.volume.displaySetId];
    const pane = state.panes[this.#stackPane()];
    const own = initialWindow(set?.frames[set.frames.length >> 1]);
    const voi = pane?.presentation.voi ?? (own === null ? null : toRange(own));
    this.#isSyncing = true;
    for (const plane of ORIENTATIONS.keys()) {
      const viewport = this.viewport(plane);
      if (!viewport || viewport.getActors().length === 0) continue;
      viewport.setProperties({
        ...(voi === null ? {} : { voiRange: { lower: voi.lower, upper: voi.upper } }),
        invert: pane?.presentation.isInverted ?? false,
      });
      viewport.render();
    }
    this.#isSyncing = false;
  }

  #project(state: ViewerState): void {
    if (state.volume === null) return;
    for (const plane of ORIENTATIONS.keys()) {
      const viewport = this.viewport(plane);
      if (!viewport || viewport.getActors().length === 0) continue;
      const isProjection = plane === PROJECTION_PANE;
      const projection =
        isProjection && state.volume.projection === 'none' ? 'maximum' : state.volume.projection;
      viewport.setBlendMode(BLENDS[projection]);
      const thick = isProjection
        ? Math.max(state.volume.slabMm, projectionSlabMm(this.#session.graphics.isSoftware))
        : state.volume.slabMm;
      viewport.setSlabThickness(Math.max(0.1, projection === 'none' ? 0.1 : thick));
      viewport.render();
    }
  }

  apply(state: ViewerState, before: ViewerState): void {
    if (state.volume === null || this.#volumeId === null) return;
    if (state.panes !== before.panes) this.#window(state);
    if (state.volume !== before.volume) this.#project(state);
  }
}

/** Thickness the fourth pane projects: everything, or what a processor without graphics can do. */
export const projectionSlabMm = (isSoftware: boolean): number => (isSoftware ? 40 : 2000);
