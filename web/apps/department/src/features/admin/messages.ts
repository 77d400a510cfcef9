import { defineMessages } from '@negatoscope/ui';

/** Said on several pages of the administration. */
export const messages = defineMessages({
  en: {
    filter: 'Filter',
    yes: 'yes',
    no: 'no',
    never: 'never',
    name: 'Name',
    state: 'State',
    since: 'Since',
    reason: 'Reason',
    cancel: 'Cancel',
    save: 'Save',
    remove: 'Remove',
    actions: 'Actions',
    all: 'All',
    close: 'Close',
  },
  fr: {
    filter: 'Filtrer',
    yes: 'oui',
    no: 'non',
    never: 'jamais',
    name: 'Nom',
    state: 'État',
    since: 'Depuis',
    reason: 'Raison',
    cancel: 'Annuler',
    save: 'Enregistrer',
    remove: 'Retirer',
    actions: 'Actions',
    all: 'Tous',
    close: 'Fermer',
  },
});
