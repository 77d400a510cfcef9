/** Cornerstone3D started once for the page, and what the graphics of this machine can do. */

import { cache, init as coreInit, Enums, utilities } from '@cornerstonejs/core';
import { init as loaderInit } from '@cornerstonejs/dicom-image-loader';
import { init as toolsInit } from '@cornerstonejs/tools';
import { cacheBytes, isSoftwareRenderer } from '@negatoscope/viewer-core';
import { registerTools } from './tools';

export interface Graphics {
  readonly hasWebGL: boolean;
  readonly isSoftware: boolean;
  readonly renderer: string;
  readonly maxTextureSize: number;
  /** Bytes of pixels that are kept. */
  readonly cacheBytes: number;
}

function probe(): Omit<Graphics, 'cacheBytes'> {
  const canvas = document.createElement('canvas');
  const gl = canvas.getContext('webgl2');
  if (gl === null) return { hasWebGL: false, isSoftware: true, renderer: '', maxTextureSize: 0 };
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  const maxTextureSize = Number(gl.getParameter(gl.MAX_3D_TEXTURE_SIZE));
  gl.getExtension('WEBGL_lose_context')?.loseContext(); // a page has few contexts
  return { hasWebGL: true, isSoftware: isSoftwareRenderer(renderer), renderer, maxTextureSize };
}

let started: Graphics | null = null;

/** Start the libraries; the second call only tells what the first one found. */
export function startGraphics(): Graphics {
  if (started !== null) return started;
  const found = probe();
  const bytes = cacheBytes((navigator as { deviceMemory?: number }).deviceMemory);
  coreInit();
  cache.setMaxCacheSize(bytes);
  // The order matters: the loader's start empties the caches.
  loaderInit({ maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)) });
  toolsInit();
  utilities.imageRetrieveMetadataProvider.add('stack', { retrieveOptions: { single: { streaming: true } } });
  registerTools();
  started = { ...found, cacheBytes: bytes };
  return started;
}

const NEAR = [-1, 1, 2].map((offset) => ({
  offset,
  imageQualityStatus: Enums.ImageQualityStatus.ADJACENT_REPLICATE,
}));

/** A volume is filled coarse to fine: the middle and the ends, every fourth image in part, then all of it.
 *
 * Only for frames that are HTJ2K: a part of another form shows nothing.
 */
export const COARSE_TO_FINE = {
  stages: [
    {
      id: 'first',
      positions: [0.5, 0, -1],
      retrieveType: 'default',
      requestType: Enums.RequestType.Interaction,
      priority: 1,
      nearbyFrames: NEAR,
    },
    { id: 'quarter', decimate: 4, offset: 3, retrieveType: 'fast', priority: 2, nearbyFrames: NEAR },
    { id: 'half', decimate: 4, offset: 1, retrieveType: 'fast', priority: 3, nearbyFrames: NEAR },
    { id: 'fine2', decimate: 4, offset: 2, retrieveType: 'final', priority: 11 },
    { id: 'fine0', decimate: 4, offset: 0, retrieveType: 'final', priority: 12 },
    { id: 'fine3', decimate: 4, offset: 3, retrieveType: 'final', priority: 13 },
    { id: 'fine1', decimate: 4, offset: 1, retrieveType: 'final', priority: 14 },
  ],
  retrieveOptions: {
    default: { rangeIndex: -1 },
    fast: { rangeIndex: 0, initialChunkSize: 20000, chunkSize: 20000, decodeLevel: 0 },
    final: { rangeIndex: -1 },
  },
};
