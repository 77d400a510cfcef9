import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'A study is shared with you',
    text: 'You will see this study and nothing else. What you look at is recorded.',
    signedIn: 'You are signed in as {name}. Opening the link signs you out.',
    pin: 'PIN',
    pinText: 'The PIN came to you by another way than the link.',
    open: 'Open the study',
    refused: 'This link is not, or no longer, good',
    refusedText:
      'It has expired, was used up or revoked, or the PIN was wrong. Ask whoever sent it for another one.',
  },
  fr: {
    title: 'Un examen est partagé avec vous',
    text: 'Vous verrez cet examen et rien d’autre. Ce que vous regardez est enregistré.',
    signedIn: 'Vous êtes connecté en tant que {name}. Ouvrir le lien vous déconnecte.',
    pin: 'Code',
    pinText: 'Le code vous a été transmis par une autre voie que le lien.',
    open: 'Ouvrir l’examen',
    refused: 'Ce lien n’est pas, ou plus, valable',
    refusedText:
      'Il a expiré, a été épuisé ou révoqué, ou le code était faux. Demandez-en un autre à qui vous l’a envoyé.',
  },
});
