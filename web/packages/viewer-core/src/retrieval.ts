/** Addresses of what is shown (PS3.18 §10.4), and what is asked when the first answer cannot be used. */

import type { DisplaySet } from './dicom/displaySets';
import type { Frame, Instance } from './dicom/instance';

export const ROOT = '/dicom-web';

/** How the pixels of a frame are asked for.
 *
 * - ``htj2k``: lossless and readable coarse to fine; made by the server from any lossless form.
 * - ``stored``: as it was received.
 * - ``native``: decoded by the server.
 * - ``rendered``: a picture drawn by the server; no values to measure.
 */
export type Representation = 'htj2k' | 'stored' | 'native' | 'rendered';

const ACCEPT: Readonly<Record<Exclude<Representation, 'rendered'>, string>> = {
  htj2k: 'multipart/related; type="image/jphc"; transfer-syntax=1.2.840.10008.1.2.4.202',
  stored: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
  native: 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1',
};

/** The form asked for first. */
export function preferred(instance: Instance, wanted: 'auto' | 'stored' = 'auto'): Representation {
  if (wanted === 'stored' || instance.isLossy || instance.bitsAllocated !== 16) return 'stored';
  return instance.samplesPerPixel === 1 ? 'htj2k' : 'stored';
}

/** The next form to try when one cannot be had or decoded; null when there is no other. */
export function fallback(failed: Representation): Representation | null {
  const next: Record<Representation, Representation | null> = {
    htj2k: 'stored',
    stored: 'native',
    native: 'rendered',
    rendered: null,
  };
  return next[failed];
}

export const studyPath = (study: string): string => `${ROOT}/studies/${encodeURIComponent(study)}`;
export const seriesPath = (study: string, series: string): string =>
  `${studyPath(study)}/series/${encodeURIComponent(series)}`;
export const instancePath = (instance: Instance): string =>
  `${seriesPath(instance.studyInstanceUID, instance.seriesInstanceUID)}/instances/${encodeURIComponent(instance.sopInstanceUID)}`;

/** Address of a frame's pixels. */
export function framePath(frame: Frame, representation: Exclude<Representation, 'rendered'>): string {
  const accept = encodeURIComponent(ACCEPT[representation]);
  return `${instancePath(frame.instance)}/frames/${frame.frame}?accept=${accept}`;
}

/** Address of a picture of a frame. */
export function renderedPath(frame: Frame): string {
  return `${instancePath(frame.instance)}/frames/${frame.frame}/rendered?accept=image/png`;
}

/** Address of what the server draws of a document, a film or a curve. */
export function renditionPath(set: DisplaySet): string | null {
  const instance = set.instances[0];
  if (instance === undefined) return null;
  const types: Partial<Record<DisplaySet['kind'], string>> = {
    pdf: 'application/pdf',
    text: 'text/html',
    video: 'video/mp4',
    waveform: 'image/png',
    presentation: 'image/png',
  };
  const type = types[set.kind];
  return type === undefined ? null : `${instancePath(instance)}/rendered?accept=${encodeURIComponent(type)}`;
}

/** Address of a small picture of what a pane would show. */
export function thumbnailPath(set: DisplaySet): string | null {
  const middle = set.frames[set.frames.length >> 1];
  if (middle !== undefined)
    return `${instancePath(middle.instance)}/frames/${middle.frame}/thumbnail?viewport=128,128`;
  const instance = set.instances[0];
  return instance !== undefined && set.kind !== 'other' && set.kind !== 'text'
    ? `${instancePath(instance)}/thumbnail?viewport=128,128`
    : null;
}
