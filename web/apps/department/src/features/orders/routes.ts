import { IconClipboardCheck, IconClipboardList } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { readSearch } from './search';

const orders = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./OrdersPage'), 'OrdersPage'),
  staticData: {
    title: { en: 'Orders', fr: 'Demandes' },
    needs: "read the department's work",
    nav: {
      label: { en: 'Orders', fr: 'Demandes' },
      group: 'work',
      order: 5,
      icon: IconClipboardList,
      shortcut: 'g o',
    },
  },
});

/** A new order, for a patient who may be named. */
export interface NewOrderSearch {
  readonly patient?: number;
}

const entry = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders/new',
  validateSearch: (given: Record<string, unknown>): NewOrderSearch => {
    const patient = Number(given['patient']);
    return Number.isSafeInteger(patient) && patient > 0 ? { patient } : {};
  },
  component: lazyRouteComponent(() => import('./NewOrderPage'), 'NewOrderPage'),
  staticData: { title: { en: 'New order', fr: 'Nouvelle demande' }, needs: 'order' },
});

const vetting = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vetting',
  validateSearch: (given: Record<string, unknown>): { readonly modality?: string } => {
    const modality = String(given['modality'] ?? '');
    return /^[A-Z0-9_]{1,16}$/.test(modality) ? { modality } : {};
  },
  component: lazyRouteComponent(() => import('./VettingPage'), 'VettingPage'),
  staticData: {
    title: { en: 'Vetting', fr: 'Validation' },
    needs: 'vet',
    nav: {
      label: { en: 'Vetting', fr: 'Validation' },
      group: 'work',
      order: 5.5,
      icon: IconClipboardCheck,
      shortcut: 'g v',
    },
  },
});

const file = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders/$number',
  component: lazyRouteComponent(() => import('./OrderPage'), 'OrderPage'),
  staticData: { title: { en: 'Order', fr: 'Demande' }, needs: "read the department's work" },
});

export const orderRoutes = [orders, entry, vetting, file] as const;
