export const STATES = [
  'REQUESTED',
  'SCHEDULED',
  'IN PROGRESS',
  'ON HOLD',
  'COMPLETED',
  'DISCONTINUED',
  'CANCELED',
] as const;
export type OrderState = (typeof STATES)[number];
export const PRIORITIES = ['STAT', 'HIGH', 'ROUTINE', 'MEDIUM', 'LOW'] as const;
export type OrderPriority = (typeof PRIORITIES)[number];
export const VETTING = ['WAITING', 'ACCEPTED', 'REFUSED', 'REPLACED', 'NOT NEEDED'] as const;
export type VettingState = (typeof VETTING)[number];
export const MODALITIES = ['CT', 'MR', 'US', 'DX', 'CR', 'MG', 'XA', 'RF', 'NM', 'PT', 'PX', 'BMD'] as const;

/** Filters of the list of orders, kept in the address. */
export interface OrdersSearch {
  readonly text?: string;
  readonly state?: OrderState;
  readonly priority?: OrderPriority;
  readonly modality?: string;
  readonly vetting?: VettingState;
  /** Came in on this day or later, `YYYY-MM-DD`. */
  readonly from?: string;
  readonly until?: string;
  readonly patient?: number;
  /** A code that the catalogue has not. */
  readonly unknown?: true;
}

export function readSearch(given: Record<string, unknown>): OrdersSearch {
  const one = <T extends string>(name: string, of: readonly T[]) => {
    const value = of.find((each) => each === given[name]);
    return value === undefined ? {} : { [name]: value };
  };
  const day = (name: string) => {
    const value = String(given[name] ?? '');
    return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) ? { [name]: value } : {};
  };
  const text = given['text'] === undefined ? '' : String(given['text']).slice(0, 200);
  const modality = String(given['modality'] ?? '');
  const patient = Number(given['patient']);
  return {
    ...(text === '' ? {} : { text }),
    ...one('state', STATES),
    ...one('priority', PRIORITIES),
    ...(/^[A-Z0-9_]{1,16}$/.test(modality) ? { modality } : {}),
    ...one('vetting', VETTING),
    ...day('from'),
    ...day('until'),
    ...(Number.isSafeInteger(patient) && patient > 0 ? { patient } : {}),
    ...(given['unknown'] === true || given['unknown'] === 'true' ? { unknown: true as const } : {}),
  };
}

/** The instant at which a day of the reader begins, `days` later. */
export function dayStart(day: string, days = 0): string {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + days);
  return date.toISOString();
}
