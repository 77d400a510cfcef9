import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    menu: 'Main menu',
    otherLanguage: 'Français',
  },
  fr: {
    menu: 'Menu principal',
    otherLanguage: 'English',
  },
});
