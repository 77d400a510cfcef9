import type { EventClass, Outcome } from '@negatoscope/api-client';

export const TABS = ['events', 'patient', 'state'] as const;
export type Tab = (typeof TABS)[number];

export const CLASSES = [
  'view',
  'retrieve',
  'export',
  'query',
  'store',
  'change',
  'delete',
  'break glass',
  'sign in',
  'sign out',
  'connection',
  'configuration',
  'audit',
  'system',
] as const satisfies readonly EventClass[];
export const OUTCOMES = ['SUCCESS', 'REFUSED', 'FAILED'] as const satisfies readonly Outcome[];

/** What the address says: filters and the tab, so that a search can be sent to a colleague. */
export interface AuditSearch {
  readonly tab?: Tab | undefined;
  readonly patient?: string | undefined;
  readonly issuer?: string | undefined;
  readonly user?: string | undefined;
  readonly study?: string | undefined;
  readonly accession?: string | undefined;
  readonly text?: string | undefined;
  /** Days of the reader's zone, `YYYY-MM-DD`, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly classes?: readonly EventClass[] | undefined;
  readonly outcomes?: readonly Outcome[] | undefined;
}

/** What stood in the address where the router read a number: 007, 1e5 and 1.20 are identifiers. */
function digits(key: string, value: number): string | undefined {
  const written = new URLSearchParams(globalThis.location?.search ?? '').get(key);
  if (written !== null && Number(written) === value) return written;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Read the address; what it cannot mean is left out. */
export function readSearch(raw: Record<string, unknown>): AuditSearch {
  const text = (key: string): string | undefined => {
    const value = raw[key];
    const found = typeof value === 'number' ? digits(key, value) : value;
    return typeof found === 'string' && found !== '' ? found.slice(0, 200) : undefined;
  };
  const day = (key: string): string | undefined => {
    const value = text(key);
    return value !== undefined && DAY.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;
  };
  const some = <T extends string>(key: string, known: readonly T[]): readonly T[] | undefined => {
    const value = raw[key];
    const given = Array.isArray(value) ? value : [value];
    const found = known.filter((one) => given.includes(one));
    return found.length === 0 ? undefined : found;
  };
  return {
    tab: TABS.find((one) => one === raw['tab']),
    patient: text('patient'),
    issuer: text('issuer'),
    user: text('user'),
    study: text('study'),
    accession: text('accession'),
    text: text('text'),
    from: day('from'),
    to: day('to'),
    classes: some('classes', CLASSES),
    outcomes: some('outcomes', OUTCOMES),
  };
}

/** The tab an address leads to: a patient's link leads to who saw that patient. */
export function tabOf(search: AuditSearch): Tab {
  return search.tab ?? (search.patient === undefined ? 'events' : 'patient');
}

/** Midnight at which a day of the reader's zone begins, or the one at which it ends. */
export function instantOf(day: string | undefined, which: 'start' | 'end'): string | null {
  if (day === undefined) return null;
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + (which === 'end' ? 1 : 0)).toISOString();
}

/** The same as the API's query; null and empty are not asked for. */
export function queryOf(search: AuditSearch): {
  readonly patient_id: string | null;
  readonly issuer_of_patient_id: string | null;
  readonly actor: string | null;
  readonly study_instance_uid: string | null;
  readonly accession_number: string | null;
  readonly text: string;
  readonly after: string | null;
  readonly before: string | null;
  readonly event_class: EventClass[];
  readonly outcome: Outcome[];
} {
  return {
    patient_id: search.patient ?? null,
    issuer_of_patient_id: search.issuer ?? null,
    actor: search.user ?? null,
    study_instance_uid: search.study ?? null,
    accession_number: search.accession ?? null,
    text: search.text ?? '',
    after: instantOf(search.from, 'start'),
    before: instantOf(search.to, 'end'),
    event_class: [...(search.classes ?? [])],
    outcome: [...(search.outcomes ?? [])],
  };
}
