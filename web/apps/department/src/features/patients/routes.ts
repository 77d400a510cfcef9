import { IconBuildingHospital, IconUserSearch } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

/** What is searched, kept in the address. */
export interface PatientsSearch {
  readonly text?: string;
}

const patients = createRoute({
  getParentRoute: () => shellRoute,
  path: '/patients',
  validateSearch: (given: Record<string, unknown>): PatientsSearch => {
    const text = given['text'] === undefined ? '' : String(given['text']).slice(0, 200);
    return text === '' ? {} : { text };
  },
  component: lazyRouteComponent(() => import('./PatientsPage'), 'PatientsPage'),
  staticData: {
    title: { en: 'Patients', fr: 'Patients' },
    needs: "read the department's work",
    nav: {
      label: { en: 'Patients', fr: 'Patients' },
      group: 'work',
      order: 8,
      icon: IconUserSearch,
      shortcut: 'g p',
    },
  },
});

const file = createRoute({
  getParentRoute: () => shellRoute,
  path: '/patients/registered/$number',
  component: lazyRouteComponent(() => import('./PatientFilePage'), 'PatientFilePage'),
  staticData: {
    title: { en: 'Patient’s file', fr: 'Dossier du patient' },
    needs: "read the department's work",
  },
});

const units = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/units',
  component: lazyRouteComponent(() => import('./UnitsPage'), 'UnitsPage'),
  staticData: {
    title: { en: 'Hospital units', fr: 'Unités de l’hôpital' },
    needs: 'catalogue',
    nav: {
      label: { en: 'Hospital units', fr: 'Unités de l’hôpital' },
      group: 'administration',
      order: 28,
      icon: IconBuildingHospital,
    },
  },
});

export const patientsRoutes = [patients, file, units] as const;
