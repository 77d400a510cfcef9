import type { Input } from '@negatoscope/api-client';

type Query = NonNullable<Input<'GET /api/v1/studies'>['query']>;

export type Order = NonNullable<Query['order']>;
export const ORDERS: readonly Order[] = ['newest', 'oldest', 'name', '-name', 'received'];

export const TEXT_FIELDS = [
  'patient_name',
  'patient_id',
  'issuer_of_patient_id',
  'accession_number',
  'study_description',
  'referring_physician_name',
  'institution_name',
  'station_name',
] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** What is looked for, as the address of the page says it. */
export interface Criteria {
  readonly text: string;
  readonly fields: Readonly<Partial<Record<TextField, string>>>;
  /** `YYYY-MM-DD`, or a span that ends today: `today`, `3d`, `7d`, `30d`, `1y`. */
  readonly first: string;
  readonly last: string;
  readonly modality: readonly string[];
  readonly order: Order;
}

export const NOTHING: Criteria = { text: '', fields: {}, first: '', last: '', modality: [], order: 'newest' };
export const SPANS = ['today', '3d', '7d', '30d', '1y'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOST = 200;

/** The criteria of an address; what it has besides is left aside. */
export function readCriteria(query: string): Criteria {
  const found = new URLSearchParams(query);
  const one = (name: string): string => (found.get(name) ?? '').slice(0, MOST);
  const fields: Partial<Record<TextField, string>> = {};
  for (const name of TEXT_FIELDS) if (one(name) !== '') fields[name] = one(name);
  const order = ORDERS.find((known) => known === one('order')) ?? 'newest';
  const first = one('first');
  const isSpan = (SPANS as readonly string[]).includes(first);
  return {
    text: one('text'),
    fields,
    first: isSpan || DAY.test(first) ? first : '',
    last: DAY.test(one('last')) && !isSpan ? one('last') : '',
    modality: [...new Set(found.getAll('modality'))].filter((value) => /^\w{1,16}$/.test(value)).slice(0, 20),
    order,
  };
}

/** The address of some criteria, without `?`; empty when nothing is looked for. */
export function writeCriteria(criteria: Criteria): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string): void => {
    if (value !== '') query.append(name, value);
  };
  put('text', criteria.text.trim());
  for (const name of TEXT_FIELDS) put(name, criteria.fields[name]?.trim() ?? '');
  put('first', criteria.first);
  put('last', criteria.last);
  for (const value of criteria.modality) put('modality', value);
  if (criteria.order !== 'newest') put('order', criteria.order);
  return query.toString();
}

/** Whether everything is looked for. */
export function isEmpty(criteria: Criteria): boolean {
  return writeCriteria({ ...criteria, order: 'newest' }) === '';
}

/** What the server is asked. */
export function queryOf(criteria: Criteria, today = new Date()): Query {
  const [first, last] = daysOf(criteria, today);
  return {
    ...(criteria.text.trim() === '' ? {} : { text: criteria.text.trim() }),
    ...criteria.fields,
    ...(first === '' ? {} : { first }),
    ...(last === '' ? {} : { last }),
    ...(criteria.modality.length === 0 ? {} : { modality: [...criteria.modality] }),
    order: criteria.order,
  };
}

function daysOf(criteria: Criteria, today: Date): readonly [string, string] {
  if (criteria.first === 'today') return [dayOf(today), dayOf(today)];
  const match = /^(\d+)([dy])$/.exec(criteria.first);
  if (match === null) return [criteria.first, criteria.last];
  const from = new Date(today);
  if (match[2] === 'y') from.setFullYear(from.getFullYear() - Number(match[1]));
  else from.setDate(from.getDate() - Number(match[1]));
  return [dayOf(from), ''];
}

function dayOf(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
