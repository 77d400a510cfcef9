import type { ListedOrder, OrderedProcedure } from '@negatoscope/api-client';

/** Procedures that are still asked for. */
export function wantedProcedures(order: ListedOrder): readonly OrderedProcedure[] {
  const wanted = order.procedures.filter((one) => one.state !== 'REPLACED' && one.state !== 'CANCELED');
  return wanted.length === 0 ? order.procedures : wanted;
}

/** What a procedure is called. */
export function procedureName(one: OrderedProcedure): string {
  return one.description || one.code_meaning || one.code_value;
}

/** Who says so, for a history: the name of a person, else the system's. */
export function saidBy(source: string): string {
  const [kind, ...rest] = source.split(':');
  const name = rest.join(':');
  return kind === 'user' ? name : kind === 'hl7' ? `HL7 ${name}` : kind === 'dicom' ? `DICOM ${name}` : name;
}

/** What is written of a person (PN) from what somebody typed: `family given` as `family^given`. */
export function typedPerson(typed: string): string {
  const text = typed.trim();
  if (text === '' || text.includes('^')) return text;
  const words = text.split(/\s+/);
  const capitals = words.filter((word) => word.length > 1 && word === word.toLocaleUpperCase());
  if (capitals.length > 0 && capitals.length < words.length) {
    return `${capitals.join(' ')}^${words.filter((word) => !capitals.includes(word)).join(' ')}`;
  }
  return words.length === 1 ? text : `${words[0]}^${words.slice(1).join(' ')}`;
}

/** A name (PN) as somebody would type it: `GARCIA Ana`. */
export function shownPerson(name: string): string {
  const [family = '', given = ''] = name.split('^');
  return `${given === '' ? family : family.toLocaleUpperCase()} ${given}`.trim();
}
