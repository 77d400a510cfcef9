import type { Say } from '@negatoscope/ui';
import type { messages } from './messages';

type Effect = Readonly<Record<string, unknown>>;

interface PatientEffect {
  readonly patient: number;
  readonly done: string;
  readonly from?: readonly number[];
}

const WORDS = {
  created: 'created',
  updated: 'updated',
  nothing: 'nothing',
  'identifier changed': 'changedIdentifier',
} as const;

const DONE = {
  order: 'doneOrder',
  number: 'doneNumber',
  cancel: 'doneCancel',
  discontinue: 'doneDiscontinue',
  hold: 'doneHold',
  release: 'doneRelease',
  start: 'doneStart',
  complete: 'doneComplete',
  nothing: 'doneNothing',
} as const;

/** What a message did, one line for each patient, order and appointment. */
export function effectsOf(effect: Effect, say: Say<(typeof messages)['en']>): readonly string[] {
  const patients = listOf(effect['patients']).filter(isPatient);
  const lines = patients.map((one) => {
    if (one.done === 'merged')
      return say('merged', { patient: String(one.patient), from: (one.from ?? []).join(', ') });
    if (one.done === 'account moved') return say('accountMoved', { patient: String(one.patient) });
    const word = WORDS[one.done as keyof typeof WORDS] ?? 'nothing';
    return say(word, { patient: String(one.patient) });
  });
  if (typeof effect['patient'] === 'number')
    lines.push(say('ofPatient', { patient: String(effect['patient']) }));
  for (const [kind, key] of [
    ['orders', 'order'],
    ['appointments', 'appointment'],
  ] as const) {
    for (const one of listOf(effect[kind])) {
      const number = (one as Effect)[key];
      if (typeof number !== 'number') continue;
      const done = String((one as Effect)['done'] ?? '')
        .split('+')
        .map((word) => say(DONE[word as keyof typeof DONE] ?? 'doneNothing'));
      lines.push(say(key, { number: String(number), done: done.join(', ') }));
    }
  }
  const { encounter, warnings } = effect;
  if (typeof encounter === 'object' && encounter !== null && 'state' in encounter && 'encounter' in encounter)
    lines.push(say('encounter', { number: String(encounter.encounter), state: String(encounter.state) }));
  if (Array.isArray(warnings)) lines.push(...warnings.map(String));
  return lines;
}

/** Whom a message was about. */
export function patientsOf(effect: Effect): readonly number[] {
  const found = listOf(effect['patients'])
    .filter(isPatient)
    .map((one) => one.patient);
  if (typeof effect['patient'] === 'number') found.push(effect['patient']);
  return [...new Set(found)];
}

/** Which orders it was about. */
export function ordersOf(effect: Effect): readonly number[] {
  return listOf(effect['orders']).flatMap((one) => {
    const number = (one as Effect)['order'];
    return typeof number === 'number' ? [number] : [];
  });
}

function listOf(value: unknown): readonly object[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

function isPatient(one: object): one is PatientEffect {
  return 'patient' in one && 'done' in one;
}

/** `ADT^A31`. */
export function typeOf(message: { readonly message_code: string; readonly trigger_event: string }): string {
  return [message.message_code, message.trigger_event].filter((part) => part !== '').join('^') || '–';
}

/** `GAM, CHU-X`. */
export function partnerOf(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ') || '–';
}
