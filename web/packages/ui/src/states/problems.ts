import { defineMessages, type Say } from '../i18n';

/** What refusals mean to the person who reads them, by their published code. */
export const problemMessages = defineMessages({
  en: {
    unreachable: 'The server does not answer. It will be asked again.',
    unauthenticated: 'You are signed out. Sign in again.',
    forbidden: 'Your account may not do that.',
    'outside-scope': 'This study is outside what your account sees.',
    'last-administrator': 'Nobody could administer afterwards: make another administrator first.',
    'reason-needed': 'A reason is needed: ten characters or more.',
    'ambiguous-patient': 'Several people have that identifier: open the file from a study.',
    'similar-patients':
      'Patients with this name and birth date are known: take one, or say that it is somebody else.',
    'stale-version': 'Somebody changed it meanwhile: look again, then decide.',
    'slot-taken': 'Another appointment is in the way: choose another time, or give a reason.',
    'outside-hours': 'It cannot be booked then: choose another time, or give a reason.',
    'not-bookable': 'The state of the order or of the appointment does not allow that.',
    'too-many-breaks': 'Too many emergency accesses in an hour.',
    'link-refused': 'The link is not, or no longer, good.',
    'provider-unavailable': 'The sign-in provider does not answer.',
    'provider-refused': 'The provider’s answer cannot be accepted, or you have no role here.',
    'local-sign-in-closed': 'Your account signs in at the provider.',
    'weak-password': 'That password would be guessed first.',
    'cross-site': 'The request came from another site and was refused.',
    'too-many-attempts': 'Too many failed attempts. Wait a little, then try again.',
    'not-found': 'There is nothing here, or no longer.',
    'study-not-found': 'This study is not in the archive.',
    'series-not-found': 'This series is not in the archive.',
    'instance-not-found': 'This object is not in the archive.',
    'frame-not-found': 'This object has no such frame.',
    'invalid-input': 'A value is missing or cannot be used.',
    'bad-request': 'The server could not read the request.',
    'bad-query': 'The search cannot be read.',
    conflict: 'Somebody changed this meanwhile, or its state does not allow it. Reload and look again.',
    'body-too-large': 'That is larger than the server takes.',
    'too-large-to-render': 'This picture is too large to be drawn.',
    'not-displayable': 'This object cannot be shown as a picture.',
    'object-unreadable': 'The stored object cannot be read. The administrator finds the cause in the log.',
    'pixels-unreadable': 'The stored pixels cannot be decoded.',
    'ae-unreachable': 'The other application did not answer as it should.',
    'database-unavailable': 'The database does not answer. It will be asked again.',
    'out-of-resources': 'The archive takes no objects now: its volumes are full.',
    busy: 'The server is at its limit. Try again in a moment.',
    'internal-error': 'The server failed. The administrator finds the cause in its log.',
    'invalid-credentials': 'Name, password or code are wrong.',
    'totp-required': 'A code of the authenticator is needed.',
    'pin-required': 'The link asks for a PIN.',
    'search-too-broad': 'The search takes too long. Type more letters, or choose a shorter period.',
    'method-not-allowed': 'The server does not do that here.',
    unknown: 'Something went wrong.',
  },
  fr: {
    unreachable: 'Le serveur ne répond pas. Il sera interrogé de nouveau.',
    unauthenticated: 'Vous êtes déconnecté. Connectez-vous de nouveau.',
    forbidden: 'Votre compte ne permet pas cela.',
    'outside-scope': 'Cet examen est hors de ce que voit votre compte.',
    'last-administrator': 'Plus personne ne pourrait administrer : créez d’abord un autre administrateur.',
    'reason-needed': 'Un motif est nécessaire : dix caractères ou plus.',
    'ambiguous-patient': 'Plusieurs personnes ont cet identifiant : ouvrez le dossier depuis un examen.',
    'similar-patients':
      'Des patients de ce nom et de cette date de naissance sont connus : prenez-en un, ou dites que c’est quelqu’un d’autre.',
    'stale-version': 'Quelqu’un l’a modifié entre-temps : regardez à nouveau, puis décidez.',
    'slot-taken': 'Un autre rendez-vous occupe la place : choisissez un autre moment ou donnez un motif.',
    'outside-hours': 'Pas de réservation possible à ce moment : choisissez-en un autre ou donnez un motif.',
    'not-bookable': 'L’état de la demande ou du rendez-vous ne le permet pas.',
    'too-many-breaks': 'Trop d’accès en urgence en une heure.',
    'link-refused': 'Le lien n’est pas, ou plus, valable.',
    'provider-unavailable': 'Le fournisseur d’identité ne répond pas.',
    'provider-refused':
      'La réponse du fournisseur d’identité ne peut être acceptée, ou vous n’avez pas de rôle ici.',
    'local-sign-in-closed': 'Votre compte se connecte chez le fournisseur d’identité.',
    'weak-password': 'Ce mot de passe serait deviné en premier.',
    'cross-site': 'La demande venait d’un autre site et a été refusée.',
    'too-many-attempts': 'Trop d’essais infructueux. Attendez un peu, puis réessayez.',
    'not-found': 'Il n’y a rien ici, ou plus rien.',
    'study-not-found': 'Cet examen n’est pas dans l’archive.',
    'series-not-found': 'Cette série n’est pas dans l’archive.',
    'instance-not-found': 'Cet objet n’est pas dans l’archive.',
    'frame-not-found': 'Cet objet n’a pas cette image.',
    'invalid-input': 'Une valeur manque ou ne peut pas être utilisée.',
    'bad-request': 'Le serveur n’a pas pu lire la demande.',
    'bad-query': 'La recherche ne peut pas être lue.',
    conflict:
      'Quelqu’un a modifié ceci entre-temps, ou son état ne le permet pas. Rechargez et regardez de nouveau.',
    'body-too-large': 'C’est plus grand que ce que le serveur accepte.',
    'too-large-to-render': 'Cette image est trop grande pour être dessinée.',
    'not-displayable': 'Cet objet ne peut pas être montré comme une image.',
    'object-unreadable':
      'L’objet enregistré est illisible. L’administrateur trouve la cause dans le journal.',
    'pixels-unreadable': 'Les pixels enregistrés ne peuvent pas être décodés.',
    'ae-unreachable': 'L’autre application n’a pas répondu comme elle le devrait.',
    'database-unavailable': 'La base de données ne répond pas. Elle sera interrogée de nouveau.',
    'out-of-resources': 'L’archive n’accepte plus d’objets : ses volumes sont pleins.',
    busy: 'Le serveur est à sa limite. Réessayez dans un instant.',
    'internal-error': 'Le serveur est en erreur. L’administrateur trouve la cause dans son journal.',
    'invalid-credentials': 'Le nom, le mot de passe ou le code est faux.',
    'totp-required': 'Un code de l’application d’authentification est nécessaire.',
    'pin-required': 'Le lien demande un code PIN.',
    'search-too-broad':
      'La recherche prend trop de temps. Tapez plus de lettres, ou choisissez une période plus courte.',
    'method-not-allowed': 'Le serveur ne fait pas cela ici.',
    unknown: 'Quelque chose n’a pas marché.',
  },
});

type Code = keyof (typeof problemMessages)['en'];

/** One sentence about what went wrong, in the reader's language. */
export function describe(error: unknown, say: Say<(typeof problemMessages)['en']>): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code in problemMessages.en) return say(code as Code);
  const title = typeof error === 'object' && error !== null && 'title' in error ? error.title : undefined;
  return typeof title === 'string' ? title : say('unknown');
}
