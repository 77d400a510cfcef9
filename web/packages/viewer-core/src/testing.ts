/** Made-up instances for tests. */

import { type DisplaySet, displaySetsOf } from './dicom/displaySets';
import { type Instance, readInstance } from './dicom/instance';
import type { Element, Item } from './dicom/json';

const element = (vr: string, ...Value: unknown[]): Element => ({ vr, Value });

export interface Made {
  readonly series?: string;
  readonly number?: number;
  readonly z?: number;
  readonly modality?: string;
  readonly frames?: number;
  readonly forUID?: string;
  readonly cosines?: readonly number[];
  readonly origin?: readonly number[];
  readonly more?: Item;
}

/** A CT image of 512 rows and columns of 0.5 mm, axial unless told otherwise. */
export function item(made: Made = {}): Item {
  const {
    series = '1.2.3',
    number = 1,
    z = 0,
    modality = 'CT',
    frames,
    forUID = '1.9',
    cosines = [1, 0, 0, 0, 1, 0],
  } = made;
  return {
    '00080016': element('UI', '1.2.840.10008.5.1.4.1.1.2'),
    '00080018': element('UI', `${series}.${number}`),
    '00080060': element('CS', modality),
    '0020000D': element('UI', '1.2'),
    '0020000E': element('UI', series),
    '00200011': element('IS', 1),
    '00200013': element('IS', number),
    '00200032': element('DS', ...(made.origin ?? [-128, -128, z])),
    '00200037': element('DS', ...cosines),
    '00200052': element('UI', forUID),
    '00280002': element('US', 1),
    '00280004': element('CS', 'MONOCHROME2'),
    '00280010': element('US', 512),
    '00280011': element('US', 512),
    '00280030': element('DS', 0.5, 0.5),
    '00280100': element('US', 16),
    '00281050': element('DS', 40),
    '00281051': element('DS', 400),
    '00281053': element('DS', 1),
    ...(frames === undefined ? {} : { '00280008': element('IS', frames) }),
    ...made.more,
  };
}

export const instance = (made: Made = {}): Instance => readInstance(item(made));

/** A stack of ``count`` images, ``step`` mm apart. */
export function stack(count: number, made: Made & { readonly step?: number } = {}): DisplaySet {
  const { step = 2, ...rest } = made;
  const [set] = displaySetsOf(
    Array.from({ length: count }, (_, i) =>
      instance({ ...rest, number: i + 1, z: (made.z ?? 0) + i * step }),
    ),
  );
  if (set === undefined) throw new Error('no display set');
  return set;
}

export { element };
