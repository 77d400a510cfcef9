import type { TraitChange } from '@negatoscope/api-client';
import type { Format } from '@negatoscope/ui';
import { partialDate } from './names';

export interface Difference {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** As the file shows them; others come last. */
const ORDER: readonly string[] = [
  ...['identifiers', 'birth_name', 'used_name', 'birth_date', 'lunar_birth_date', 'sex'],
  ...['birth_place_name', 'birth_place_code', 'identity_status', 'identity_attributes'],
  ...['telephone', 'address', 'is_deceased', 'died_at', ''],
];

/** What a change says, trait by trait; what was empty before and after is left out. */
export function differences(
  change: Pick<TraitChange, 'before' | 'after'>,
  format: Format,
): readonly Difference[] {
  const names = [...new Set([...Object.keys(change.before), ...Object.keys(change.after)])];
  const place = (name: string) => (ORDER.indexOf(name) + ORDER.length) % ORDER.length;
  return names
    .filter((name) => !['into', 'from', 'identifier_rows'].includes(name))
    .sort((a, b) => place(a) - place(b))
    .map((name) => ({
      name,
      before: written(name, change.before[name], format),
      after: written(name, change.after[name], format),
    }))
    .filter((one) => one.before !== one.after);
}

function written(name: string, value: unknown, format: Format): string {
  if (value === null || value === undefined || value === false) return '';
  if (value === true) return '✓';
  if (Array.isArray(value)) return value.map((one) => written(name, one, format)).join(', ');
  if (typeof value === 'object') {
    const parts = value as Readonly<Record<string, unknown>>;
    if ('value' in parts) return `${String(parts['value'])} (${String(parts['authority'])})`;
    const further = String(parts['further'] ?? '');
    const names = [parts['family'], parts['given']].map((one) => String(one ?? '')).filter(Boolean);
    return names.join(' ') + (further === '' ? '' : ` (${further})`);
  }
  return name === 'birth_date' ? partialDate(String(value), format) : String(value);
}
