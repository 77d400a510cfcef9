import type { Appointment, AppointmentPatient, Slot, StepPlace, WaitingStep } from '@negatoscope/api-client';

/** Steps of one patient that wait for a time: of an order, or on the waiting list. */
export interface Entry {
  readonly key: string;
  readonly patient: AppointmentPatient | null;
  readonly steps: readonly {
    readonly step: number;
    readonly duration_min: number;
    readonly modality: string;
    readonly description: string;
  }[];
  readonly accession: string;
  readonly request: number | null;
  readonly priority: string;
  /** A radiologist has not decided yet. */
  readonly isHeld: boolean;
  /** On the waiting list: it is an appointment already. */
  readonly waiting?: { readonly id: number; readonly version: number };
  readonly wishedFrom: string | null;
  readonly wishedUntil: string | null;
  readonly note: string;
}

export function minutesOfEntry(entry: Entry): number {
  return entry.steps.reduce((sum, step) => sum + step.duration_min, 0);
}

/** Nights are for them too. */
export function isUrgent(entry: Entry): boolean {
  return entry.priority === 'STAT' || entry.priority === 'HIGH';
}

/** Waiting steps of orders, an order together. */
export function entriesOf(steps: readonly WaitingStep[]): readonly Entry[] {
  const found = new Map<number, WaitingStep[]>();
  for (const step of steps) {
    if (step.vetting === 'REFUSED') continue;
    found.set(step.request, [...(found.get(step.request) ?? []), step]);
  }
  return [...found.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        key: `order-${first.request}`,
        patient: first.patient,
        steps: group,
        accession: first.accession_number,
        request: first.request,
        priority: first.priority,
        isHeld: group.some((one) => one.vetting === 'WAITING'),
        wishedFrom: first.wished_at?.slice(0, 10) ?? null,
        wishedUntil: null,
        note: '',
      },
    ];
  });
}

/** An appointment of the waiting list. */
export function entryOf(appointment: Appointment): Entry {
  return {
    key: `waiting-${appointment.id}`,
    patient: appointment.patient,
    steps: appointment.steps,
    accession: appointment.steps[0]?.accession_number ?? '',
    request: appointment.steps[0]?.request ?? null,
    priority: appointment.steps[0]?.priority ?? '',
    isHeld: false,
    waiting: { id: appointment.id, version: appointment.version },
    wishedFrom: appointment.wished_from,
    wishedUntil: appointment.wished_until,
    note: appointment.note,
  };
}

/** One step after another in one room. */
export function planAt(entry: Entry, room: number, start: Date): StepPlace[] {
  let at = start.getTime();
  return entry.steps.map((step) => {
    const start_at = new Date(at).toISOString();
    at += step.duration_min * 60_000;
    return { step: step.step, start_at, end_at: new Date(at).toISOString(), room };
  });
}

/** As a slot proposes. */
export function planOf(slot: Slot): StepPlace[] {
  return slot.steps.flatMap((one) =>
    one.step === null
      ? []
      : [{ step: one.step, start_at: one.start_at, end_at: one.end_at, room: one.room, device: one.device }],
  );
}
