import type { Language } from '@negatoscope/ui';

/** Every language by its own name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', fr: 'Français' };
