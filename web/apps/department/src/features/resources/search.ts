export const KINDS = ['ROOM', 'DEVICE', 'STAFF'] as const;
export type Kind = (typeof KINDS)[number];

export interface ResourcesSearch {
  /** Absent: rooms. */
  readonly kind?: Kind;
  readonly text?: string;
  /** Inactive ones too. */
  readonly all?: true;
  /** The resource that is open; 0: a new one. */
  readonly open?: number;
}

export function readSearch(given: Record<string, unknown>): ResourcesSearch {
  const kind = KINDS.find((one) => one === given['kind']);
  const text = String(given['text'] ?? '').slice(0, 100);
  const open = Number(given['open'] ?? Number.NaN);
  return {
    ...(kind === undefined || kind === 'ROOM' ? {} : { kind }),
    ...(text === '' ? {} : { text }),
    ...(given['all'] === true || given['all'] === 'true' ? { all: true as const } : {}),
    ...(Number.isSafeInteger(open) && open >= 0 ? { open } : {}),
  };
}
