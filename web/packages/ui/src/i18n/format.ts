import type { Language } from './language';

/** Values as the reader's language writes them. An absent value is an empty text. */
export interface Format {
  readonly locale: string;
  /** A day: a `Date`, or DICOM's `YYYYMMDD`, or ISO 8601's `YYYY-MM-DD`, both without a zone. */
  date(value: Date | string | null | undefined): string;
  /** An instant in the reader's zone. */
  dateTime(value: Date | string | null | undefined): string;
  /** A time of day: DICOM's `HHMMSS.FFFFFF` or ISO's `HH:MM:SS`; shown to the minute. */
  time(value: string | null | undefined): string;
  number(value: number | null | undefined, options?: Intl.NumberFormatOptions): string;
  /** A size with a decimal unit (1 kB = 1000 B). */
  bytes(value: number | null | undefined): string;
  /** How long ago, or in how long. */
  relative(value: Date | string | null | undefined, now?: Date): string;
  /** A Person Name (PS3.5 §6.2.1) as people read it: family name in capitals, then given names. */
  personName(value: string | null | undefined): string;
}

const DICOM_DATE = /^(\d{4})-?(\d{2})-?(\d{2})$/;
const DICOM_TIME = /^(\d{2}):?(\d{2})/;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const UNITES = ['o', 'ko', 'Mo', 'Go', 'To', 'Po'] as const;
const SPANS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/**
 * @param language Of the texts.
 * @param locale Of dates and numbers (BCP 47).
 * @param timeZone Of instants; the browser's without it.
 */
export function createFormat(language: Language, locale: string, timeZone?: string): Format {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeZone: 'UTC' });
  const dayHere = new Intl.DateTimeFormat(locale, { dateStyle: 'short', ...zone });
  const instant = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short', ...zone });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: 'UTC' });
  const number = new Intl.NumberFormat(locale);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

  function parse(value: Date | string): Date | null {
    const date = value instanceof Date ? value : new Date(value);
    return Number.isNaN(date.getTime()) ? null : date;
  }

  return {
    locale,
    date(value) {
      if (value === null || value === undefined || value === '') return '';
      if (value instanceof Date) return dayHere.format(value);
      const match = DICOM_DATE.exec(value);
      if (match !== null) {
        const [, year, month, dayOfMonth] = match;
        const date = new Date(`${year}-${month}-${dayOfMonth}T00:00:00Z`);
        return Number.isNaN(date.getTime()) ? value : day.format(date);
      }
      const date = parse(value);
      return date === null ? value : dayHere.format(date);
    },
    dateTime(value) {
      if (value === null || value === undefined || value === '') return '';
      const date = parse(value);
      return date === null ? String(value) : instant.format(date);
    },
    time(value) {
      if (value === null || value === undefined || value === '') return '';
      const match = DICOM_TIME.exec(value);
      if (match === null || Number(match[1]) > 23 || Number(match[2]) > 59) return value;
      return clock.format(new Date(`1970-01-01T${match[1]}:${match[2]}:00Z`));
    },
    number(value, options) {
      if (value === null || value === undefined) return '';
      return options === undefined
        ? number.format(value)
        : new Intl.NumberFormat(locale, options).format(value);
    },
    bytes(value) {
      if (value === null || value === undefined) return '';
      const units = language === 'fr' ? UNITES : UNITS;
      let size = value;
      let step = 0;
      while (Math.abs(size) >= 1000 && step < units.length - 1) {
        size /= 1000;
        step += 1;
      }
      const digits = step === 0 || Math.abs(size) >= 100 ? 0 : 1;
      return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(size)}\u00A0${units[step]}`;
    },
    relative(value, now = new Date()) {
      if (value === null || value === undefined || value === '') return '';
      const date = parse(value);
      if (date === null) return String(value);
      const seconds = (date.getTime() - now.getTime()) / 1000;
      for (const [unit, length] of SPANS) {
        if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
      }
      return relative.format(0, 'second');
    },
    personName(value) {
      if (value === null || value === undefined) return '';
      const groups = value.split('=');
      const group = groups.find((one) => one.replaceAll('^', '').trim() !== '') ?? '';
      if (!group.includes('^')) return group.trim();
      const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group
        .split('^')
        .map((part) => part.trim());
      return [prefix, family.toLocaleUpperCase(locale), given, middle, suffix]
        .filter((part) => part !== '')
        .join(' ');
    },
  };
}
