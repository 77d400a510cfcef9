import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const patient = createRoute({
  getParentRoute: () => shellRoute,
  path: '/patients/$key',
  component: lazyRouteComponent(() => import('./PatientPage'), 'PatientPage'),
  staticData: { title: { en: 'Patient', fr: 'Patient' }, needs: 'query' },
});

const header = createRoute({
  getParentRoute: () => shellRoute,
  path: '/instances/$uid/header',
  component: lazyRouteComponent(() => import('./HeaderPage'), 'HeaderPage'),
  staticData: { title: { en: 'DICOM header', fr: 'En-tête DICOM' }, needs: 'retrieve' },
});

export const patientRoutes = [patient, header] as const;
