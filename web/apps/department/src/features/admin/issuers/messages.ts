import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'Default issuers',
    description:
      'Whose numbers a device means when its images give a Patient ID without saying who assigned it. Without a line here such a number joins no file: the study waits at the reconciliation desk.',
    device: 'Device (calling AE title)',
    deviceHint: 'Empty: all devices without a line of their own.',
    others: 'All other devices',
    authority: 'Assigning authority',
    authorityHint: 'Its local name, as identifiers of patients have it.',
    waiting: 'Waiting studies',
    add: 'Set',
    edit: 'Change',
    none: 'No device has a default issuer.',
    confirmTitle: 'Bare numbers of {name} are those of {issuer}?',
    confirmText:
      'Studies that come from now on with a bare number are joined to the file with this number, if its birth date or name agrees; so are those that wait and came from there. It cannot be taken back here for studies that were joined: move them at the desk.',
    confirmOthers: 'all other devices',
    removeTitle: 'Take the issuer of {name} away?',
    removeText:
      'Studies that come from now on with a bare number wait at the desk. What was joined stays joined.',
    saved: 'Default issuers changed.',
    unknownAuthority: 'Nobody here has an identifier of this authority: nothing would be joined.',
    candidates: 'Devices whose bare numbers wait',
    candidatesText: 'Studies without a patient whose images say a number and not whose it is.',
    notKnown: 'Device not known',
    use: 'Use',
  },
  fr: {
    title: 'Émetteurs par défaut',
    description:
      'De qui sont les numéros d’un appareil dont les images donnent un Patient ID sans dire qui l’a attribué. Sans ligne ici, un tel numéro ne rattache l’examen à aucun dossier : il attend au rapprochement.',
    device: 'Appareil (AE title appelant)',
    deviceHint: 'Vide : tous les appareils sans ligne à eux.',
    others: 'Tous les autres appareils',
    authority: 'Autorité d’affectation',
    authorityHint: 'Son nom local, tel que le portent les identifiants des patients.',
    waiting: 'Examens en attente',
    add: 'Définir',
    edit: 'Modifier',
    none: 'Aucun appareil n’a d’émetteur par défaut.',
    confirmTitle: 'Les numéros nus de {name} sont ceux de {issuer} ?',
    confirmText:
      'Les examens qui arriveront avec un numéro nu seront rattachés au dossier qui a ce numéro, si sa date de naissance ou son nom concorde ; ceux qui attendent et en viennent aussi. Cela ne s’annule pas ici pour les examens rattachés : ils s’attribuent au rapprochement.',
    confirmOthers: 'tous les autres appareils',
    removeTitle: 'Retirer l’émetteur de {name} ?',
    removeText:
      'Les examens qui arriveront avec un numéro nu attendront au rapprochement. Ce qui est rattaché le reste.',
    saved: 'Émetteurs par défaut modifiés.',
    unknownAuthority: 'Personne ici n’a d’identifiant de cette autorité : rien ne serait rattaché.',
    candidates: 'Appareils dont les numéros nus attendent',
    candidatesText: 'Examens sans patient dont les images donnent un numéro sans dire de qui il est.',
    notKnown: 'Appareil inconnu',
    use: 'Choisir',
  },
});
