import { createContext, type ReactNode, use, useEffect, useMemo } from 'react';
import { createFormat, type Format } from './format';
import { type Language, localeOf, type Translated } from './language';
import { type Catalog, type Messages, type Say, speak, typeset } from './messages';

interface Speaking {
  readonly language: Language;
  readonly locale: string;
  readonly format: Format;
  readonly setLanguage: (language: Language) => void;
}

const Context = createContext<Speaking | null>(null);

/** Gives every component below it one language; keeps `<html lang>` true. */
export function LanguageProvider(props: {
  readonly language: Language;
  readonly onChange: (language: Language) => void;
  readonly children: ReactNode;
}): ReactNode {
  const { language, onChange, children } = props;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo<Speaking>(() => {
    const locale = localeOf(language, navigator.languages);
    return { language, locale, format: createFormat(language, locale), setLanguage: onChange };
  }, [language, onChange]);
  return <Context value={value}>{children}</Context>;
}

function useSpeaking(): Speaking {
  const speaking = use(Context);
  if (speaking === null) throw new Error('a component that speaks stands outside LanguageProvider');
  return speaking;
}

/** The language in use and how to change it. */
export function useLanguage(): Pick<Speaking, 'language' | 'setLanguage'> {
  return useSpeaking();
}

/** How the reader's language writes dates, sizes, names. */
export function useFormat(): Format {
  return useSpeaking().format;
}

/** The texts of a feature in the reader's language. */
export function useMessages<C extends Catalog>(messages: Messages<C>): Say<C> {
  const { language, locale } = useSpeaking();
  return useMemo(() => speak(messages, language, locale), [messages, language, locale]);
}

/** One text out of its translations. */
export function useTranslated(): (text: Translated) => string {
  const { language } = useSpeaking();
  return useMemo(() => (text: Translated) => typeset(text[language], language), [language]);
}
