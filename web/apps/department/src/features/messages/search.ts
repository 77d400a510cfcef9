export const STATES = ['PENDING', 'PROCESSED', 'IGNORED', 'FAILED'] as const;
export type State = (typeof STATES)[number];
export const DIRECTIONS = ['in', 'out'] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const TABS = ['messages', 'connections'] as const;
export type Tab = (typeof TABS)[number];

/** Filters of the list, kept in the address. */
export interface MessageSearch {
  readonly tab?: Tab;
  readonly direction?: Direction;
  readonly patient?: string;
  readonly type?: string;
  readonly state?: State;
  readonly sender?: string;
  readonly destination?: number;
  /** Of one order: what was sent about it. */
  readonly request?: number;
  /** The message that is open: `in-7`, `out-3`. */
  readonly open?: string;
}

export function readSearch(given: Record<string, unknown>): MessageSearch {
  const text = (name: string) => {
    const value = given[name];
    return value === undefined || value === '' ? {} : { [name]: String(value) };
  };
  const one = <T extends string>(name: string, of: readonly T[]) => {
    const value = of.find((each) => each === given[name]);
    return value === undefined ? {} : { [name]: value };
  };
  const number = (name: string) => {
    const value = Number(given[name]);
    return Number.isSafeInteger(value) && value > 0 ? { [name]: value } : {};
  };
  const open = openOf(String(given['open'] ?? ''));
  return {
    ...one('tab', TABS),
    ...one('direction', DIRECTIONS),
    ...text('patient'),
    ...text('type'),
    ...text('sender'),
    ...one('state', STATES),
    ...number('destination'),
    ...number('request'),
    ...(open === null ? {} : { open: `${open.direction}-${open.id}` }),
  };
}

/** Which message is meant; a number alone is one that came. */
export function openOf(text: string): { direction: Direction; id: number } | null {
  const match = /^(?:(in|out)-)?([1-9]\d{0,14})$/.exec(text);
  if (match === null) return null;
  return { direction: match[1] === 'out' ? 'out' : 'in', id: Number(match[2]) };
}
