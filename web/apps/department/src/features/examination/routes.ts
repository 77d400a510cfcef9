import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';

const examination = createRoute({
  getParentRoute: () => shellRoute,
  path: '/examinations/$procedure',
  component: lazyRouteComponent(() => import('./ExaminationPage'), 'ExaminationPage'),
  staticData: { title: { en: 'Examination', fr: 'Examen' }, needs: "read the department's work" },
});

export const examinationRoutes = [examination] as const;
