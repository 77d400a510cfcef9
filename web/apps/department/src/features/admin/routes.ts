import {
  IconActivity,
  IconAdjustments,
  IconArrowsLeftRight,
  IconCertificate,
  IconDatabase,
  IconDeviceDesktopAnalytics,
  IconFileText,
  IconGitCompare,
  IconId,
  IconListCheck,
} from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const needs = 'administer';
const group = 'administration';

const ae = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/ae',
  component: lazyRouteComponent(() => import('./ae/EntitiesPage'), 'EntitiesPage'),
  staticData: {
    title: { en: 'Application entities', fr: 'Entités d’application' },
    needs,
    nav: {
      label: { en: 'Application entities', fr: 'Appareils (AE)' },
      group,
      order: 10,
      icon: IconDeviceDesktopAnalytics,
    },
  },
});

const issuers = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/default-issuers',
  component: lazyRouteComponent(() => import('./issuers/DefaultIssuersPage'), 'DefaultIssuersPage'),
  staticData: {
    title: { en: 'Default issuers', fr: 'Émetteurs par défaut' },
    needs,
    nav: { label: { en: 'Default issuers', fr: 'Émetteurs' }, group, order: 11, icon: IconId },
  },
});

const volumes = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/volumes',
  component: lazyRouteComponent(() => import('./VolumesPage'), 'VolumesPage'),
  staticData: {
    title: { en: 'Volumes', fr: 'Volumes' },
    needs,
    nav: { label: { en: 'Volumes', fr: 'Volumes' }, group, order: 12, icon: IconDatabase },
  },
});

const conflicts = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/conflicts',
  component: lazyRouteComponent(() => import('./conflicts/ConflictsPage'), 'ConflictsPage'),
  staticData: {
    title: { en: 'Conflicts', fr: 'Conflits' },
    needs,
    nav: { label: { en: 'Conflicts', fr: 'Conflits' }, group, order: 14, icon: IconGitCompare },
  },
});

const jobs = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/jobs',
  component: lazyRouteComponent(() => import('./JobsPage'), 'JobsPage'),
  staticData: {
    title: { en: 'Jobs', fr: 'Travaux' },
    needs,
    nav: { label: { en: 'Jobs', fr: 'Travaux' }, group, order: 16, icon: IconListCheck },
  },
});

const connections = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/connections',
  component: lazyRouteComponent(() => import('./ConnectionsPage'), 'ConnectionsPage'),
  staticData: {
    title: { en: 'Connections', fr: 'Connexions' },
    needs,
    nav: { label: { en: 'Connections', fr: 'Connexions' }, group, order: 18, icon: IconArrowsLeftRight },
  },
});

const settings = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/settings',
  component: lazyRouteComponent(() => import('./settings/SettingsPage'), 'SettingsPage'),
  staticData: {
    title: { en: 'Settings', fr: 'Réglages' },
    needs,
    nav: { label: { en: 'Settings', fr: 'Réglages' }, group, order: 30, icon: IconAdjustments },
  },
});

const health = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/health',
  component: lazyRouteComponent(() => import('./health/HealthPage'), 'HealthPage'),
  staticData: {
    title: { en: 'Health', fr: 'Santé' },
    needs,
    nav: { label: { en: 'Health', fr: 'Santé' }, group, order: 1, icon: IconActivity },
  },
});

const logs = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/logs',
  component: lazyRouteComponent(() => import('./LogsPage'), 'LogsPage'),
  staticData: {
    title: { en: 'Logs', fr: 'Journaux' },
    needs,
    nav: { label: { en: 'Logs', fr: 'Journaux' }, group, order: 40, icon: IconFileText },
  },
});

const licences = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/licences',
  component: lazyRouteComponent(() => import('./LicencesPage'), 'LicencesPage'),
  staticData: {
    title: { en: 'Licences', fr: 'Licences' },
    needs,
    nav: { label: { en: 'Licences', fr: 'Licences' }, group, order: 50, icon: IconCertificate },
  },
});

export const adminRoutes = [
  health,
  ae,
  issuers,
  volumes,
  conflicts,
  jobs,
  connections,
  settings,
  logs,
  licences,
] as const;
