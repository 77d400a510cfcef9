import { defineMessages } from '@negatoscope/ui';

export const messages = defineMessages({
  en: {
    title: 'Call of another application',
    unknown: 'Nothing here belongs to this call',
    unknownText:
      'The archive has no study or patient with what was given, or your account does not see it. The images may still be on their way.',
    again: 'Look again',
    chooseStudy: 'Several studies belong to this call',
    choosePatient: 'Several patients have this identifier: look whose file is meant',
    outside: 'This study is outside what your account sees',
    openFile: 'Emergency access',
    date: 'Date',
    patient: 'Patient',
    born: 'Born',
    identifier: 'Patient ID',
    description: 'Study',
    modalities: 'Modalities',
    accession: 'Accession number',
    open: 'Open',
  },
  fr: {
    title: 'Appel d’une autre application',
    unknown: 'Rien ici ne correspond à cet appel',
    unknownText:
      'L’archive n’a pas d’examen ni de patient correspondant, ou votre compte ne le voit pas. Les images sont peut-être encore en route.',
    again: 'Chercher de nouveau',
    chooseStudy: 'Plusieurs examens correspondent à cet appel',
    choosePatient: 'Plusieurs patients ont cet identifiant : vérifiez de quel dossier il s’agit',
    outside: 'Cet examen est hors de ce que voit votre compte',
    openFile: 'Accès en urgence',
    date: 'Date',
    patient: 'Patient',
    born: 'Né(e) le',
    identifier: 'Identifiant',
    description: 'Examen',
    modalities: 'Modalités',
    accession: 'Numéro de demande',
    open: 'Ouvrir',
  },
});
