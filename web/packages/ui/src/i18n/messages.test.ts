import { describe, expect, it } from 'vitest';
import { createFormat } from './format';
import { chooseLanguage, localeOf } from './language';
import { defineMessages, speak } from './messages';

const messages = defineMessages({
  en: { found: { one: '{count} study', other: '{count} studies' }, of: 'Images of {name}' },
  fr: { found: { one: '{count} examen', other: '{count} examens' }, of: 'Images de {name}' },
});

describe('messages', () => {
  it('follows the plural rules of the language: French counts none as one', () => {
    expect(speak(messages, 'en')('found', { count: 0 })).toBe('0 studies');
    expect(speak(messages, 'fr')('found', { count: 0 })).toBe('0 examen');
    expect(speak(messages, 'fr', 'fr-FR')('found', { count: 1200 })).toBe('1\u202f200 examens');
  });

  it('puts values in as they are, braces and markup included', () => {
    expect(speak(messages, 'en')('of', { name: '<b>{count}</b>' })).toBe('Images of <b>{count}</b>');
  });

  it('sets French spaces that do not break, and leaves what is put in alone', () => {
    const asking = defineMessages({ en: { sure: 'Sure: {name}?' }, fr: { sure: 'Sûr : « {name} » ?' } });
    expect(speak(asking, 'fr')('sure', { name: 'a ?' })).toBe('Sûr\u00A0: «\u00A0a ?\u00A0»\u202F?');
    expect(speak(asking, 'en')('sure', { name: 'a' })).toBe('Sure: a?');
  });

  it('knows at compile time which values a message needs', () => {
    const say = speak(messages, 'en');
    // @ts-expect-error the name is missing
    expect(say('of')).toBe('Images of {name}');
    // @ts-expect-error French lacks a key
    defineMessages({ en: { a: 'a', b: 'b' }, fr: { a: 'a' } });
  });
});

describe('language', () => {
  it('takes what was chosen, then what the browser prefers, then English', () => {
    expect(chooseLanguage('fr', ['en-US'])).toBe('fr');
    expect(chooseLanguage(null, ['de', 'fr-CA', 'en'])).toBe('fr');
    expect(chooseLanguage('xx', ['de'])).toBe('en');
    expect(localeOf('fr', ['en', 'fr-CA'])).toBe('fr-CA');
    expect(localeOf('en', ['fr'])).toBe('en-GB');
  });
});

describe('format', () => {
  const french = createFormat('fr', 'fr-FR', 'Europe/Paris');
  const english = createFormat('en', 'en-GB', 'UTC');

  it('writes days without moving them to another zone', () => {
    expect(french.date('20260301')).toBe('01/03/2026');
    expect(english.date('2026-03-01')).toBe('01/03/2026');
    expect(english.date('20261399')).toBe('20261399');
  });

  it('writes instants in the reader’s zone and times of day as they are', () => {
    expect(french.dateTime('2026-07-01T10:00:00Z')).toBe('01/07/2026 12:00');
    expect(english.time('093015.123')).toBe('09:30');
    expect(english.time('997')).toBe('997');
  });

  it('writes sizes with the units of the language', () => {
    expect(french.bytes(1_530_000)).toBe('1,5\u00A0Mo');
    expect(english.bytes(999)).toBe('999\u00A0B');
  });

  it('writes person names as people read them', () => {
    expect(french.personName('dupont^Zoé^^Dr')).toBe('Dr DUPONT Zoé');
    expect(french.personName('=山田^太郎')).toBe('山田 太郎');
    expect(french.personName('Fantôme')).toBe('Fantôme');
    expect(french.personName(null)).toBe('');
  });
});
