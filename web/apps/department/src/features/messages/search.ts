export const STATES = ['PENDING', 'PROCESSED', 'IGNORED', 'FAILED'] as const;
export type State = (typeof STATES)[number];

/** Filters of the list, kept in the address. */
export interface MessageSearch {
  readonly patient?: string;
  readonly type?: string;
  readonly state?: State;
  readonly sender?: string;
  /** The message that is open. */
  readonly open?: number;
}

export function readSearch(given: Record<string, unknown>): MessageSearch {
  const text = (name: string) => {
    const value = given[name];
    return value === undefined || value === '' ? {} : { [name]: String(value) };
  };
  const open = Number(given['open']);
  const state = STATES.find((one) => one === given['state']);
  return {
    ...text('patient'),
    ...text('type'),
    ...text('sender'),
    ...(state === undefined ? {} : { state }),
    ...(Number.isInteger(open) && open > 0 ? { open } : {}),
  };
}
