import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'Sign in',
    name: 'User name',
    password: 'Password',
    submit: 'Sign in',
    code: 'Code of your authenticator',
    codeHint: 'Six digits from the application on your telephone, or a recovery code.',
    codeSubmit: 'Confirm',
    back: 'Another account',
    invalid: 'That name and password do not go together.',
    invalidCode: 'That code is not right, or was used already.',
    wait: {
      one: 'Too many attempts. Try again in {count} second.',
      other: 'Too many attempts. Try again in {count} seconds.',
    },
    or: 'or',
    provider: 'Sign in with {provider}',
    emergency: 'Names and passwords of this system are for when the provider does not answer.',
    localClosed: 'This account signs in at the provider.',
    setupNeeded:
      'No administrator has a password yet. The server printed a set-up link when it started: open it to begin.',
    warning: 'For authorised persons. Every access to a patient’s data is recorded.',
  },
  fr: {
    title: 'Connexion',
    name: 'Nom d’utilisateur',
    password: 'Mot de passe',
    submit: 'Se connecter',
    code: 'Code de votre application d’authentification',
    codeHint: 'Six chiffres de l’application sur votre téléphone, ou un code de secours.',
    codeSubmit: 'Confirmer',
    back: 'Autre compte',
    invalid: 'Ce nom et ce mot de passe ne vont pas ensemble.',
    invalidCode: 'Ce code n’est pas bon, ou a déjà servi.',
    wait: {
      one: 'Trop d’essais. Réessayez dans {count} seconde.',
      other: 'Trop d’essais. Réessayez dans {count} secondes.',
    },
    or: 'ou',
    provider: 'Se connecter avec {provider}',
    emergency: 'Les noms et mots de passe de ce système servent quand le fournisseur ne répond pas.',
    localClosed: 'Ce compte se connecte chez le fournisseur.',
    setupNeeded:
      'Aucun administrateur n’a encore de mot de passe. Le serveur a affiché un lien d’installation à son démarrage : ouvrez-le pour commencer.',
    warning: 'Réservé aux personnes autorisées. Tout accès aux données d’un patient est enregistré.',
  },
});
