/** Days and minutes of the department's clocks; instants are `Date`s. */

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

/** The wall clock at an instant, as milliseconds since 1970 as if it were UTC. */
function wallOf(at: number, zone: string): number {
  const found: Record<string, number> = {};
  for (const part of formatOf(zone).formatToParts(at)) found[part.type] = Number(part.value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The local day of an instant, `YYYY-MM-DD`. */
export function dayOf(at: Date, zone: string): string {
  return new Date(wallOf(at.getTime(), zone)).toISOString().slice(0, 10);
}

/** Minutes of the wall clock since midnight of a day; below 0 before it, 1440 and more after it. */
export function minutesOf(at: Date, day: string, zone: string): number {
  return (wallOf(at.getTime(), zone) - Date.parse(`${day}T00:00:00Z`)) / MINUTE_MS;
}

/** The instant of a wall clock. A time that the clocks skip is taken as if they had not changed yet. */
export function instantOf(day: string, minutes: number, zone: string): Date {
  const wall = Date.parse(`${day}T00:00:00Z`) + minutes * MINUTE_MS;
  const first = wall - (wallOf(wall, zone) - wall);
  return new Date(wall - (wallOf(first, zone) - first));
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** ISO: 1 is Monday. */
export function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}

export function mondayOf(day: string): string {
  return addDays(day, 1 - weekdayOf(day));
}

/** `8:05` as `08:05`. */
export function clock(minutes: number): string {
  const whole = Math.round(minutes);
  const hours = Math.floor(whole / 60) % 24;
  return `${String(hours).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
