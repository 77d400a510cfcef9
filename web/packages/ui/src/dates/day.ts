/** How a locale writes a day in figures. */
export interface DayFormat {
  /** Of dayjs, such as `DD/MM/YYYY`. */
  readonly pattern: string;
  /** Which part comes first, second, third: `dmy`, `mdy`, `ymd`. */
  readonly order: string;
}

const PATTERNS = { day: 'DD', month: 'MM', year: 'YYYY' } as const;

/** @param locale BCP 47. */
export function dayFormat(locale: string): DayFormat {
  const parts = new Intl.DateTimeFormat(locale, {
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    calendar: 'gregory',
    numberingSystem: 'latn',
  }).formatToParts(Date.UTC(2026, 0, 2));
  const isPart = (type: string): type is keyof typeof PATTERNS => type in PATTERNS;
  return {
    pattern: parts.map(({ type, value }) => (isPart(type) ? PATTERNS[type] : value)).join(''),
    order: parts
      .filter(({ type }) => isPart(type))
      .map(({ type }) => type[0])
      .join(''),
  };
}

/** Two figures of a year that lie further ahead than this are of the century before. */
const YEARS_AHEAD = 20;

/**
 * The day that somebody typed: `3/5/61`, `03.05.1961`, `03051961`, or as ISO 8601 writes it.
 *
 * @param order As `dayFormat` tells it.
 * @returns `YYYY-MM-DD`, or null while it is none (31 February is none).
 */
export function parseDay(text: string, order: string, today: Date = new Date()): string | null {
  const figures = text.trim().match(/\d+/g) ?? [];
  const [only = ''] = figures;
  if (figures.length === 3 && only.length === 4) return checked(figures, 'ymd', today);
  if (figures.length === 3) return checked(figures, order, today);
  if (figures.length !== 1 || (only.length !== 6 && only.length !== 8)) return null;
  let at = 0;
  const parts = [...order].map((part) => {
    const start = at;
    at += part === 'y' ? only.length - 4 : 2;
    return only.slice(start, at);
  });
  return checked(parts, order, today);
}

/** Whether nothing more will be typed: the year has four figures. `3/5/19` may become 1961. */
export function isWhole(text: string): boolean {
  return /^\s*\d{8}\s*$|(^|\D)\d{4}(\D|$)/.test(text);
}

function checked(parts: readonly string[], order: string, today: Date): string | null {
  const part = (name: string) => parts[order.indexOf(name)] ?? '';
  const typed = part('y');
  if (typed.length !== 2 && typed.length !== 4) return null;
  let year = Number(typed);
  if (typed.length === 2) {
    const century = today.getFullYear() - (today.getFullYear() % 100);
    year += century + year > today.getFullYear() + YEARS_AHEAD ? century - 100 : century;
  }
  const [month, day] = [Number(part('m')), Number(part('d'))];
  const made = new Date(Date.UTC(year, month - 1, day));
  const isDay =
    year >= 1000 &&
    made.getUTCFullYear() === year &&
    made.getUTCMonth() === month - 1 &&
    made.getUTCDate() === day;
  return isDay ? made.toISOString().slice(0, 10) : null;
}
