import type { Language } from './language';

/** Chosen by the number in `count` (CLDR plural rules); French takes "one" for 0 and 1. */
export interface Plural {
  readonly one: string;
  readonly other: string;
}

export type Message = string | Plural;
export type Catalog = Readonly<Record<string, Message>>;
export type Translation<C extends Catalog> = {
  readonly [K in keyof C]: C[K] extends string ? string : Plural;
};

/** The texts of one feature in every language. */
export interface Messages<C extends Catalog> {
  readonly en: C;
  readonly fr: Translation<C>;
}

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type NamesOf<M> = M extends string
  ? Names<M>
  : M extends { one: infer One extends string; other: infer Other extends string }
    ? Names<One> | Names<Other> | 'count'
    : never;
type ValueOf<Name> = Name extends 'count' ? number : string | number;

/** What a message needs besides its key: the values of its `{placeholders}`. */
export type Values<M> = [NamesOf<M>] extends [never]
  ? []
  : [values: { readonly [Name in NamesOf<M>]: ValueOf<Name> }];

/** Says a message of a catalog in the reader's language. */
export type Say<C extends Catalog> = <K extends keyof C>(key: K, ...values: Values<C[K]>) => string;

/**
 * Declare the texts of a feature. English gives the keys and placeholders; a key that French lacks,
 * or has alone, is a type error. Numbers are written as the language writes them.
 *
 * @example
 * const messages = defineMessages({
 *   en: { found: { one: '{count} study', other: '{count} studies' }, of: 'of {name}' },
 *   fr: { found: { one: '{count} examen', other: '{count} examens' }, of: 'de {name}' },
 * });
 * const say = useMessages(messages);
 * say('found', { count: 12 });
 */
export function defineMessages<const C extends Catalog>(messages: {
  readonly en: C;
  readonly fr: Translation<NoInfer<C>>;
}): Messages<C> {
  return messages;
}

/**
 * French puts a space before some marks that must not break the line: thin before `; ! ?`, whole
 * before `:` and within guillemets. Catalogs are written with plain spaces.
 */
export function typeset(text: string, language: Language): string {
  if (language !== 'fr') return text;
  return text
    .replace(/ (?=[;!?])/g, '\u202F')
    .replace(/ (?=[:»])/g, '\u00A0')
    .replace(/« /g, '«\u00A0');
}

/** The speaker of a catalog, for code outside components. */
export function speak<C extends Catalog>(
  messages: Messages<C>,
  language: Language,
  locale: string = language,
): Say<C> {
  const catalog: Catalog = messages[language];
  const plural = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(locale);
  return (key, ...rest) => {
    const values = rest[0] as Readonly<Record<string, string | number>> | undefined;
    let text = catalog[key as string] ?? String(key);
    if (typeof text !== 'string')
      text = plural.select(Number(values?.['count'])) === 'one' ? text.one : text.other;
    text = typeset(text, language);
    if (values === undefined) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      return typeof value === 'number' ? number.format(value) : value;
    });
  };
}
