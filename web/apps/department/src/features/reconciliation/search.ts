export const TABS = ['duplicates', 'without-patient', 'without-order', 'unidentified', 'journal'] as const;
export type Tab = (typeof TABS)[number];

/** What is looked at, kept in the address. */
export interface DeskSearch {
  readonly tab?: Tab;
  /** The row that is open: `12-34`, a Study Instance UID, a patient's number. */
  readonly open?: string;
  /** Pairs of whom somebody said that they are two. */
  readonly dismissed?: true;
}

export function readSearch(given: Record<string, unknown>): DeskSearch {
  const tab = TABS.find((one) => one === given['tab']);
  const open = given['open'];
  const isOpen =
    (typeof open === 'string' || typeof open === 'number') && /^[0-9.-]{1,64}$/.test(String(open));
  return {
    ...(tab === undefined || tab === 'duplicates' ? {} : { tab }),
    ...(isOpen ? { open: String(open) } : {}),
    ...(given['dismissed'] === true ? { dismissed: true } : {}),
  };
}

/** The two numbers of `12-34`; null when it is something else. */
export function pairOf(open: string | undefined): readonly [number, number] | null {
  const found = /^(\d{1,15})-(\d{1,15})$/.exec(open ?? '');
  return found === null ? null : [Number(found[1]), Number(found[2])];
}
