/** From frames to the image identifiers Cornerstone loads, and back. */

import { cache, Enums, imageLoadPoolManager, imageRetrievalPoolManager } from '@cornerstonejs/core';
import { utilities } from '@cornerstonejs/metadata';
import {
  type DisplaySet,
  type Frame,
  fallback,
  frameKey,
  framePath,
  preferred,
  type Representation,
} from '@negatoscope/viewer-core';

const byImageId = new Map<string, Frame>();
/** Instances whose metadata Cornerstone was given; of all frames at once. */
const described = new Set<string>();

/** Images whose metadata are made known at once, between two events of the page. */
const PIECE = 20;

function describe(imageId: string, frame: Frame): void {
  const instance = imageId.replace(/\/frames\/\d+/, '');
  if (described.has(instance)) return;
  described.add(instance);
  utilities.addDicomWebInstance(imageId, frame.instance.item as never);
}

/** The frame behind an image identifier. */
export const frameOf = (imageId: string | undefined): Frame | undefined =>
  imageId === undefined ? undefined : byImageId.get(imageId);

export class Catalogue {
  readonly #transfer: 'auto' | 'stored';
  /** What a frame is asked as, when not what is preferred. */
  readonly #chosen = new Map<string, Representation>();
  readonly #own = new Set<string>();

  constructor(transfer: 'auto' | 'stored') {
    this.#transfer = transfer;
  }

  representation(frame: Frame): Representation {
    return this.#chosen.get(frameKey(frame)) ?? preferred(frame.instance, this.#transfer);
  }

  /** Identifier of a frame's image, its metadata made known. */
  imageId(frame: Frame): string {
    const imageId = this.#know(frame);
    describe(imageId, frame);
    return imageId;
  }

  imageIds(set: DisplaySet): string[] {
    return set.frames.map((frame) => this.imageId(frame));
  }

  /** As ``imageIds``, for a stack of which one image is wanted now: the metadata of the others follow in small pieces. */
  stackIds(
    set: DisplaySet,
    first: number,
  ): { readonly imageIds: string[]; readonly described: Promise<void> } {
    const imageIds = set.frames.map((frame) => this.#know(frame));
    const [frame, imageId] = [set.frames[first], imageIds[first]];
    if (frame !== undefined && imageId !== undefined) describe(imageId, frame);
    const rest = async () => {
      for (let i = 0; i < imageIds.length; i += PIECE) {
        await new Promise((resolve) => setTimeout(resolve));
        for (const [j, one] of set.frames.slice(i, i + PIECE).entries()) {
          const id = imageIds[i + j];
          if (id !== undefined && byImageId.has(id)) describe(id, one);
        }
      }
    };
    return { imageIds, described: rest() };
  }

  #know(frame: Frame): string {
    const wanted = this.representation(frame);
    const form = wanted === 'rendered' ? 'native' : wanted;
    const imageId = `wadors:${framePath(frame, form)}`;
    if (!byImageId.has(imageId)) {
      byImageId.set(imageId, frame);
      this.#own.add(imageId);
    }
    return imageId;
  }

  /** Asks a frame in the next form. False: there is none left. */
  fallBack(frame: Frame): boolean {
    const next = fallback(this.representation(frame));
    if (next === null) return false;
    this.#chosen.set(frameKey(frame), next);
    return true;
  }

  /** Forget what was tried, to try it again. */
  retry(frame: Frame): void {
    this.#chosen.delete(frameKey(frame));
  }

  /** Gives back the memory of a study, or of all. */
  forget(study?: string): void {
    for (const pool of [imageLoadPoolManager, imageRetrievalPoolManager]) {
      pool.clearRequestStack(Enums.RequestType.Prefetch);
    }
    for (const imageId of this.#own) {
      const known = byImageId.get(imageId);
      if (study !== undefined && known?.instance.studyInstanceUID !== study) continue;
      if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
      byImageId.delete(imageId);
      this.#own.delete(imageId);
    }
  }
}
