import type { HL7Message } from '@negatoscope/api-client';
import type { Say } from '@negatoscope/ui';
import type { messages } from './messages';

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

/** What a message did, one line for each patient. */
export function effectsOf(message: HL7Message, say: Say<(typeof messages)['en']>): readonly string[] {
  const patients = message.effect['patients'];
  if (!Array.isArray(patients)) return [];
  return patients.filter(isEffect).map((one) => {
    if (one.done === 'merged')
      return say('merged', { patient: String(one.patient), from: (one.from ?? []).join(', ') });
    const word = WORDS[one.done as keyof typeof WORDS] ?? 'nothing';
    return say(word, { patient: String(one.patient) });
  });
}

function isEffect(one: unknown): one is PatientEffect {
  return typeof one === 'object' && one !== null && 'patient' in one && 'done' in one;
}

/** `ADT^A31`. */
export function typeOf(message: HL7Message): string {
  return [message.message_code, message.trigger_event].filter((part) => part !== '').join('^') || '–';
}

/** `GAM, CHU-X`. */
export function senderOf(of: {
  readonly sending_application: string;
  readonly sending_facility: string;
}): string {
  return [of.sending_application, of.sending_facility].filter((part) => part !== '').join(', ') || '–';
}
