/** Languages we speak, in the order in which they are offered. */
export const LANGUAGES = ['en', 'fr'] as const;

export type Language = (typeof LANGUAGES)[number];

/** A short text in every language; for what stands outside a catalog, such as an entry of the menu. */
export type Translated = Readonly<Record<Language, string>>;

export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.includes(value as Language);
}

/**
 * The language to begin with.
 *
 * @param chosen What the account or this browser remembers.
 * @param accepted The browser's preferences, best first (BCP 47).
 */
export function chooseLanguage(chosen: unknown, accepted: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen;
  for (const tag of accepted) {
    const primary = tag.toLowerCase().split('-')[0];
    if (isLanguage(primary)) return primary;
  }
  return 'en';
}

/** The locale for dates and numbers: the browser's own variant of the language, if it has one. */
export function localeOf(language: Language, accepted: readonly string[]): string {
  const variant = accepted.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return variant ?? (language === 'fr' ? 'fr-FR' : 'en-GB');
}
