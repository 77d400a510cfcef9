import type { Appointment } from '@negatoscope/api-client';

/** Which list it is: of a range of time, of all rooms or some. */
export interface Listed {
  readonly start_at: string;
  readonly end_at: string;
  readonly only: readonly number[] | null;
}

/** A list with an appointment as the server just gave it: in its new place, or not in it any more. */
export function withDone(
  list: readonly Appointment[],
  listed: Listed,
  done: Appointment,
): readonly Appointment[] {
  const others = list.filter((one) => one.id !== done.id);
  return isIn(listed, done) ? [...others, done] : others;
}

function isIn(listed: Listed, one: Appointment): boolean {
  if (one.state === 'WAITING' || one.state === 'CANCELLED') return false;
  if (one.start_at === null || one.end_at === null) return false;
  const isThen =
    Date.parse(one.start_at) < Date.parse(listed.end_at) &&
    Date.parse(one.end_at) > Date.parse(listed.start_at);
  const { only } = listed;
  const isThere = only === null || one.steps.some((step) => step.room !== null && only.includes(step.room));
  return isThen && isThere;
}
