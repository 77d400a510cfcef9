/** Reading the DICOM JSON model (PS3.18 Annex F) without trusting it. */

export type Item = Readonly<Record<string, Element>>;

export interface Element {
  readonly vr?: string;
  readonly Value?: readonly unknown[];
  readonly BulkDataURI?: string;
  readonly InlineBinary?: string;
}

/** All values of an attribute. */
export function values(item: Item, tag: string): readonly unknown[] {
  const value = item[tag]?.Value;
  return Array.isArray(value) ? value : [];
}

/** First value as text, trimmed; empty when absent. Person names give their alphabetic group. */
export function text(item: Item, tag: string): string {
  const value = values(item, tag)[0];
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'Alphabetic' in value) {
    return typeof value.Alphabetic === 'string' ? value.Alphabetic.trim() : '';
  }
  return '';
}

/** Values that are finite numbers (IS and DS may arrive as text). */
export function numbers(item: Item, tag: string): readonly number[] {
  return values(item, tag)
    .map((value) => (typeof value === 'string' ? Number.parseFloat(value) : value))
    .filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
}

/** First value as a finite number. */
export function number(item: Item, tag: string): number | undefined {
  return numbers(item, tag)[0];
}

/** Texts of a multi-valued attribute. */
export function texts(item: Item, tag: string): readonly string[] {
  return values(item, tag).filter((value): value is string => typeof value === 'string');
}

/** Items of a sequence. */
export function items(item: Item, tag: string): readonly Item[] {
  return values(item, tag).filter(
    (value): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
}

/** ``Family Given`` from a person name of the form ``FAMILY^Given^Middle^Prefix^Suffix``. */
export function personName(name: string): string {
  const [family = '', given = '', middle = ''] = name.split('=')[0]?.split('^') ?? [];
  return [family, given, middle].filter(Boolean).join(' ');
}
