import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'The first administrator',
    text: 'This account configures everything else: users, modalities, storage.',
    name: 'User name',
    nameHint: 'Letters, digits, dot, hyphen, underscore.',
    password: 'Password',
    repeat: 'Password again',
    submit: 'Create the account and sign in',
    used: 'This link is no longer good',
    usedText:
      'It was used, or it has expired. The server prints a new one when it is started without any account.',
    signIn: 'Sign in',
    taken: 'That name cannot be used.',
  },
  fr: {
    title: 'Le premier administrateur',
    text: 'Ce compte configure tout le reste : utilisateurs, modalités, stockage.',
    name: 'Nom d’utilisateur',
    nameHint: 'Lettres, chiffres, point, trait d’union, tiret bas.',
    password: 'Mot de passe',
    repeat: 'Mot de passe, encore une fois',
    submit: 'Créer le compte et se connecter',
    used: 'Ce lien n’est plus valable',
    usedText:
      'Il a servi, ou il a expiré. Le serveur en affiche un nouveau quand il démarre sans aucun compte.',
    signIn: 'Se connecter',
    taken: 'Ce nom ne peut pas être utilisé.',
  },
});
