import { IconUpload } from '@tabler/icons-react';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const upload = createRoute({
  getParentRoute: () => shellRoute,
  path: '/upload',
  component: lazyRouteComponent(() => import('./UploadPage'), 'UploadPage'),
  staticData: {
    title: { en: 'Upload', fr: 'Dépôt' },
    needs: 'store',
    nav: {
      label: { en: 'Upload', fr: 'Dépôt' },
      group: 'work',
      order: 30,
      icon: IconUpload,
      shortcut: 'g u',
    },
  },
});

export const uploadRoutes = [upload] as const;
