import { defineMessages } from '@negatoscope/ui';

/** The roles by their names (`Role` of `negatoscope.domain.identity`). */
export const roleMessages = defineMessages({
  en: {
    administrator: 'Administrator',
    radiologist: 'Radiologist',
    technologist: 'Technologist',
    secretary: 'Secretary',
    'identity-manager': 'Identity manager',
    clinician: 'Clinician',
    physicist: 'Physicist',
    partner: 'Partner',
    patient: 'Patient',
  },
  fr: {
    administrator: 'Administrateur',
    radiologist: 'Radiologue',
    technologist: 'Manipulateur',
    secretary: 'Secrétaire',
    'identity-manager': 'Identitovigilance',
    clinician: 'Clinicien',
    physicist: 'Physicien',
    partner: 'Partenaire',
    patient: 'Patient',
  },
});

export function isKnownRole(role: string): role is keyof (typeof roleMessages)['en'] {
  return role in roleMessages.en;
}
