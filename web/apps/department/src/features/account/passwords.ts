import { Problem } from '@negatoscope/api-client';
import { defineMessages, type Say } from '@negatoscope/ui';

export const passwordMessages = defineMessages({
  en: {
    rule: {
      one: 'At least {count} character. Four words that do not belong together are long enough and easy to keep in mind.',
      other:
        'At least {count} characters. Four words that do not belong together are long enough and easy to keep in mind.',
    },
    tooShort: { one: 'It needs at least {count} character.', other: 'It needs at least {count} characters.' },
    tooLong: 'It is too long.',
    tooSimple: 'It repeats a few characters.',
    common: 'It is among the passwords that are guessed first.',
    name: 'It is made of the account’s name or of this place’s.',
    same: 'It is the password you have now.',
    weak: 'This password would be guessed first.',
    differ: 'The two do not match.',
  },
  fr: {
    rule: {
      one: 'Au moins {count} caractère. Quatre mots sans rapport entre eux suffisent et se retiennent bien.',
      other:
        'Au moins {count} caractères. Quatre mots sans rapport entre eux suffisent et se retiennent bien.',
    },
    tooShort: { one: 'Il faut au moins {count} caractère.', other: 'Il faut au moins {count} caractères.' },
    tooLong: 'Il est trop long.',
    tooSimple: 'Il répète quelques caractères.',
    common: 'Il fait partie des mots de passe essayés en premier.',
    name: 'Il est fait du nom du compte ou de celui de ce lieu.',
    same: 'C’est le mot de passe actuel.',
    weak: 'Ce mot de passe serait deviné parmi les premiers.',
    differ: 'Les deux ne correspondent pas.',
  },
});

export type SayPassword = Say<(typeof passwordMessages)['en']>;

/** Why a new password was not taken; null when the refusal is about something else. */
export function whyRefused(error: unknown, say: SayPassword, least: number): string | null {
  if (!(error instanceof Problem) || error.code !== 'weak-password') return null;
  switch (error.document['reason']) {
    case 'too-short':
      return say('tooShort', { count: least });
    case 'too-long':
      return say('tooLong');
    case 'too-simple':
      return say('tooSimple');
    case 'common':
      return say('common');
    case 'name':
      return say('name');
    case 'same':
      return say('same');
    default:
      return say('weak');
  }
}
