/** Whether a stack can be held as a volume, before it is tried. */

import type { DisplaySet, NoVolume } from './dicom/displaySets';

export interface VolumeLimits {
  /** Longest side of a 3D texture, of the graphics driver. */
  readonly maxTextureSize: number;
  /** Bytes of pixels that may be held; renderers take several times as much. */
  readonly maxBytes: number;
}

export type VolumeVerdict =
  | { readonly fits: true; readonly bytes: number }
  | { readonly fits: false; readonly bytes: number; readonly reason: NoVolume | 'too-large' | 'texture' };

/** Bytes of the pixels of a stack in memory. */
export function bytesOf(set: DisplaySet): number {
  return set.frames.reduce(
    (sum, { instance }) =>
      sum +
      instance.rows * instance.columns * instance.samplesPerPixel * Math.max(1, instance.bitsAllocated / 8),
    0,
  );
}

export function volumeVerdict(set: DisplaySet, limits: VolumeLimits): VolumeVerdict {
  const bytes = bytesOf(set);
  if (set.noVolume !== null) return { fits: false, bytes, reason: set.noVolume };
  const first = set.frames[0]?.instance;
  const longest = Math.max(set.frames.length, first?.rows ?? 0, first?.columns ?? 0);
  if (longest > limits.maxTextureSize) return { fits: false, bytes, reason: 'texture' };
  if (bytes > limits.maxBytes) return { fits: false, bytes, reason: 'too-large' };
  return { fits: true, bytes };
}

/** Whether WebGL is computed by the processor (SwiftShader, llvmpipe, Microsoft's basic driver). */
export const isSoftwareRenderer = (renderer: string): boolean =>
  /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);

/** Bytes of pixels kept over all series, from what the browser says of the machine's memory (GiB, rounded down by it). */
export function cacheBytes(deviceMemoryGiB: number | undefined): number {
  const memory = deviceMemoryGiB ?? 4;
  return Math.round(Math.min(2, Math.max(0.375, memory / 6)) * 1024 ** 3);
}
