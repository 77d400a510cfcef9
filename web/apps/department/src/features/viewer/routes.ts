import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { bareRoute } from '../../app/roots';

/** Loads the viewer's code ahead: when a row of the list gets the focus. */
export const prefetchViewer = (): void => {
  void import('./ViewerPage').then(({ ready }) => ready());
};

const viewer = createRoute({
  getParentRoute: () => bareRoute,
  path: '/viewer',
  component: lazyRouteComponent(() => import('./ViewerPage'), 'ViewerPage'),
  staticData: { title: { en: 'Images', fr: 'Images' }, needs: 'retrieve' },
});

export const viewerRoutes = [viewer] as const;
