import { IconKey, IconLink, IconShieldLock, IconUserCheck, IconUsers } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const needs = 'administer';
const group = 'administration';

const users = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/users',
  component: lazyRouteComponent(() => import('./UsersPage'), 'UsersPage'),
  staticData: {
    title: { en: 'Accounts', fr: 'Comptes' },
    needs,
    nav: { label: { en: 'Accounts', fr: 'Comptes' }, group, order: 20, icon: IconUsers },
  },
});

const roles = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/roles',
  component: lazyRouteComponent(() => import('./RightsPage'), 'RightsPage'),
  staticData: {
    title: { en: 'Roles and functions', fr: 'Rôles et fonctions' },
    needs,
    nav: { label: { en: 'Roles', fr: 'Rôles' }, group, order: 21, icon: IconShieldLock },
  },
});

const tokens = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/tokens',
  component: lazyRouteComponent(() => import('./TokensPage'), 'TokensPage'),
  staticData: {
    title: { en: 'Tokens', fr: 'Jetons' },
    needs,
    nav: { label: { en: 'Tokens', fr: 'Jetons' }, group, order: 22, icon: IconKey },
  },
});

const sessions = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/sessions',
  component: lazyRouteComponent(() => import('./SessionsPage'), 'SessionsPage'),
  staticData: {
    title: { en: 'Sessions', fr: 'Sessions' },
    needs,
    nav: { label: { en: 'Sessions', fr: 'Sessions' }, group, order: 23, icon: IconUserCheck },
  },
});

const links = createRoute({
  getParentRoute: () => shellRoute,
  path: '/admin/links',
  component: lazyRouteComponent(() => import('./LinksPage'), 'LinksPage'),
  staticData: {
    title: { en: 'Links to studies', fr: 'Liens vers des examens' },
    needs: 'share',
    nav: { label: { en: 'Links', fr: 'Liens' }, group: 'work', order: 80, icon: IconLink },
  },
});

export const identityRoutes = [users, roles, tokens, sessions, links] as const;
