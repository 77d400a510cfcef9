import type { OpeningHours } from '@negatoscope/api-client';

/** Weekly hours in few words: days with the same hours together, `lun.–ven. 08:00–18:00`. */
export function hoursInWords(hours: readonly OpeningHours[], locale: string): string {
  const days = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
  const name = (weekday: number) => days.format(new Date(Date.UTC(2026, 0, 4 + weekday))); // 5 January was a Monday
  const byDay = [1, 2, 3, 4, 5, 6, 7].map((weekday) =>
    hours
      .filter((one) => one.weekday === weekday)
      .map((one) => `${one.opens.slice(0, 5)}–${one.closes.slice(0, 5)}`)
      .join(', '),
  );
  const parts: string[] = [];
  for (let first = 0; first < 7; first += 1) {
    const text = byDay[first];
    if (text === undefined || text === '') continue;
    let last = first;
    while (byDay[last + 1] === text) last += 1;
    const shown = last === first ? name(first + 1) : `${name(first + 1)}–${name(last + 1)}`;
    parts.push(`${shown} ${text}`);
    first = last;
  }
  return parts.join(' · ');
}
