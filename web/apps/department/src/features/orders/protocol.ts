import type { CodeSchema, OrderedProcedure } from '@negatoscope/api-client';

/** How a radiologist wants a procedure to be done. */
export interface Protocol {
  readonly text: string;
  readonly codes: readonly CodeSchema[];
  readonly agent: string;
  readonly modality: string;
  /** A resource; 0: wherever it can be done. */
  readonly room: number;
}

const MAX_VALUE = 16;
const MAX_MEANING = 64;

/** As it is now: what the steps that may still be done have. */
export function protocolOf(procedure: OrderedProcedure): Protocol {
  const steps = procedure.steps.filter((one) => one.state !== 'CANCELED');
  return {
    text: procedure.protocol,
    codes: steps.flatMap((one) =>
      one.protocol_codes.map((code) => ({
        code_value: code['code_value'] ?? '',
        coding_scheme_designator: code['coding_scheme_designator'] ?? '99LOCAL',
        code_meaning: code['code_meaning'] ?? '',
      })),
    ),
    agent: steps[0]?.requested_contrast_agent ?? '',
    modality: procedure.modality,
    room: procedure.wished_room ?? 0,
  };
}

/** As the server takes it: only what is not as it was. */
export function sentProtocol(now: Protocol, before: Protocol) {
  const isSame =
    now.codes.length === before.codes.length && now.codes.every((one, at) => same(one, before.codes[at]));
  return {
    protocol: now.text.trim(),
    protocol_codes: isSame ? null : now.codes.map(bare),
    contrast_agent: now.agent.trim() === before.agent ? null : now.agent.trim(),
    wished_room: now.room === before.room ? null : now.room,
  };
}

/** What a protocol code is called. */
export function codeName(code: CodeSchema): string {
  return code.code_meaning === undefined || code.code_meaning === '' ? code.code_value : code.code_meaning;
}

/** The codes of some names: known ones by name, others made of the words. */
export function codesOf(names: readonly string[], known: readonly CodeSchema[]): CodeSchema[] {
  const found: CodeSchema[] = [];
  for (const name of names) {
    const code = known.find((one) => codeName(one) === name) ?? codeOfWords(name, found);
    if (code !== null && !found.some((one) => same(one, code))) found.push(code);
  }
  return found;
}

/** Without what a catalogue says besides. */
function bare(code: CodeSchema): CodeSchema {
  return {
    code_value: code.code_value,
    coding_scheme_designator: code.coding_scheme_designator ?? '99LOCAL',
    code_meaning: codeName(code),
  };
}

function codeOfWords(words: string, taken: readonly CodeSchema[]): CodeSchema | null {
  const meaning = words.trim().slice(0, MAX_MEANING);
  if (meaning === '') return null;
  const plain = meaning
    .normalize('NFD')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
    .slice(0, MAX_VALUE);
  let value = plain === '' ? 'PROTOCOL' : plain;
  for (let number = 2; taken.some((one) => one.code_value === value); number += 1)
    value = `${plain.slice(0, MAX_VALUE - String(number).length)}${number}`;
  return { code_value: value, coding_scheme_designator: '99LOCAL', code_meaning: meaning };
}

function same(one: CodeSchema, other: CodeSchema | undefined): boolean {
  return (
    other !== undefined &&
    one.code_value === other.code_value &&
    (one.coding_scheme_designator ?? '99LOCAL') === (other.coding_scheme_designator ?? '99LOCAL')
  );
}
