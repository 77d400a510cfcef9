import type { Slot } from '@negatoscope/api-client';
import { dayOf, minutesOf } from './time';

/** Minutes of the day between which somebody who is not urgent is asked to come. */
export const MORNING = 7 * 60;
const EVENING = 20 * 60;
const MOST = 8;
const MOST_OF_ROOM = 2;

/** Some of the slots: the earliest of each room on each day, at most two; by day unless nothing else is free. */
export function different(slots: readonly Slot[], zone: string, isUrgent: boolean): readonly Slot[] {
  const byDay = slots.filter((slot) => {
    const at = new Date(slot.start_at);
    const minute = minutesOf(at, dayOf(at, zone), zone);
    return minute >= MORNING && minute < EVENING;
  });
  const counts = new Map<string, number>();
  const found: Slot[] = [];
  const rest: Slot[] = [];
  for (const slot of isUrgent || byDay.length === 0 ? slots : byDay) {
    const key = `${dayOf(new Date(slot.start_at), zone)}|${slot.steps.map((step) => step.room).join()}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    (count < MOST_OF_ROOM ? found : rest).push(slot);
  }
  const chosen = new Set([...found, ...rest].slice(0, MOST));
  return slots.filter((slot) => chosen.has(slot));
}
