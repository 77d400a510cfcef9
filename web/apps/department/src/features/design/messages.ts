import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: { title: 'Components' },
  fr: { title: 'Composants' },
});
