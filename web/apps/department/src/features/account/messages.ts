import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'My account',
    profile: 'Profile',
    name: 'User name',
    displayName: 'Name shown',
    roles: 'Roles',
    functions: 'Functions',
  },
  fr: {
    title: 'Mon compte',
    profile: 'Profil',
    name: 'Nom d’utilisateur',
    displayName: 'Nom affiché',
    roles: 'Rôles',
    functions: 'Fonctions',
  },
});
