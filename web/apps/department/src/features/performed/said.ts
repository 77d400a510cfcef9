type Element = { readonly vr?: string; readonly Value?: readonly unknown[] };
type DataSet = Readonly<Record<string, Element | undefined>>;

/** One series of a performed step. */
export interface SaidSeries {
  readonly uid: string;
  readonly description: string;
  readonly protocol: string;
  readonly operators: string;
  readonly images: number;
}

function valuesOf(data: DataSet, tag: string): readonly unknown[] {
  const found = data[tag]?.Value;
  return Array.isArray(found) ? found : [];
}

/** The words of an element; of several values joined. */
export function textOf(data: DataSet, tag: string): string {
  return valuesOf(data, tag)
    .map((one) => {
      if (typeof one === 'string' || typeof one === 'number') return String(one);
      const name = (one as { Alphabetic?: unknown } | null)?.Alphabetic;
      return typeof name === 'string' ? name.replaceAll('^', ' ').trim() : '';
    })
    .filter((one) => one !== '')
    .join(', ');
}

function itemsOf(data: DataSet, tag: string): readonly DataSet[] {
  return valuesOf(data, tag).filter((one): one is DataSet => typeof one === 'object' && one !== null);
}

/** Performed Series Sequence (0040,0340); images and what else there is (PS3.4 Table F.7.2-1). */
export function seriesOf(data: DataSet): readonly SaidSeries[] {
  return itemsOf(data, '00400340').map((one) => ({
    uid: textOf(one, '0020000E'),
    description: textOf(one, '0008103E'),
    protocol: textOf(one, '00181030'),
    operators: textOf(one, '00081070'),
    images: itemsOf(one, '00081140').length + itemsOf(one, '00400220').length,
  }));
}

/** What a modality may say of radiation and contrast, with its unit. */
const SAID = [
  ['00400310', 'doseComments', ''],
  ['0018115E', 'doseArea', 'dGy·cm²'],
  ['00400300', 'fluoroscopy', 's'],
  ['00400301', 'exposures', ''],
  ['00400302', 'entranceDose', 'dGy'],
  ['00408302', 'entranceDose', 'mGy'],
  ['00400306', 'distance', 'mm'],
  ['00180010', 'contrast', ''],
  ['00181041', 'contrastVolume', 'ml'],
  ['00400280', 'comments', ''],
] as const;

export type SaidKey = (typeof SAID)[number][1];

export function remarksOf(data: DataSet): readonly (readonly [SaidKey, string])[] {
  return SAID.flatMap(([tag, key, unit]) => {
    const text = textOf(data, tag);
    return text === '' ? [] : [[key, unit === '' ? text : `${text}\u00A0${unit}`] as const];
  });
}

/** Meanings of the codes of a sequence: protocols, the procedure. */
export function codesOf(data: DataSet, tag: string): readonly string[] {
  return itemsOf(data, tag)
    .map((one) => textOf(one, '00080104') || textOf(one, '00080100'))
    .filter((one) => one !== '');
}
