export const COLOURS = ['modality', 'state'] as const;
export type Colour = (typeof COLOURS)[number];

/** What the calendar shows, kept in the address. */
export interface CalendarSearch {
  readonly view?: 'week';
  /** `YYYY-MM-DD`; absent: today. */
  readonly day?: string;
  readonly modality?: readonly string[];
  /** Numbers of rooms; of a week the first one. */
  readonly room?: readonly number[];
  readonly colour?: 'state';
  /** The appointment that is open. */
  readonly open?: number;
  /** The order that is being booked. */
  readonly order?: number;
  /** The list of what waits is shown. */
  readonly list?: true;
}

export type SearchChange = { readonly [K in keyof CalendarSearch]?: CalendarSearch[K] | undefined };

export function readSearch(given: Record<string, unknown>): CalendarSearch {
  const number = (name: string) => {
    const value = Number(given[name]);
    return Number.isSafeInteger(value) && value > 0 ? { [name]: value } : {};
  };
  const day = String(given['day'] ?? '');
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`));
  const modality = listOf(given['modality']).filter((one) => /^[A-Z0-9]{1,16}$/.test(one));
  const room = listOf(given['room'])
    .map(Number)
    .filter((one) => Number.isSafeInteger(one) && one > 0);
  return {
    ...(given['view'] === 'week' ? { view: 'week' as const } : {}),
    ...(isDay ? { day } : {}),
    ...(modality.length > 0 ? { modality } : {}),
    ...(room.length > 0 ? { room } : {}),
    ...(given['colour'] === 'state' ? { colour: 'state' as const } : {}),
    ...number('open'),
    ...number('order'),
    ...(given['list'] === true || given['list'] === 'true' ? { list: true as const } : {}),
  };
}

function listOf(given: unknown): readonly string[] {
  if (given === undefined || given === null) return [];
  return (Array.isArray(given) ? given : [given]).slice(0, 60).map(String);
}
