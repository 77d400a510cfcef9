import { accountRoutes } from '../features/account/routes';
import { adminRoutes } from '../features/admin/routes';
import { auditRoutes } from '../features/audit/routes';
import { boardRoutes, wallRoutes } from '../features/board/routes';
import { breakGlassRoutes } from '../features/break-glass/routes';
import { calendarRoutes } from '../features/calendar/routes';
import { catalogueRoutes } from '../features/catalogue/routes';
import { connectRoutes } from '../features/connect/routes';
import { contextRoutes } from '../features/context/routes';
import { designRoutes } from '../features/design/routes';
import { examinationRoutes } from '../features/examination/routes';
import { homeRoutes } from '../features/home/routes';
import { identityRoutes } from '../features/identity/routes';
import { linkRoutes } from '../features/link/routes';
import { messageRoutes } from '../features/messages/routes';
import { orderRoutes } from '../features/orders/routes';
import { patientRoutes } from '../features/patient/routes';
import { patientsRoutes } from '../features/patients/routes';
import { performedRoutes } from '../features/performed/routes';
import { reconciliationRoutes } from '../features/reconciliation/routes';
import { resourceRoutes } from '../features/resources/routes';
import { setupRoutes } from '../features/setup/routes';
import { signInRoutes } from '../features/sign-in/routes';
import { studiesRoutes } from '../features/studies/routes';
import { uploadRoutes } from '../features/upload/routes';
import { viewerRoutes } from '../features/viewer/routes';
import { bareRoute, publicRoute, rootRoute, shellRoute } from './roots';

/**
 * Every route of the application. A feature adds one line in the list of the parent it chose:
 * `publicRoute` (nobody need be signed in), `bareRoute` (fills the window), `shellRoute` (header
 * and menu). Its routes are small; its pages are loaded when they are opened (`lazyRouteComponent`).
 */
export const routeTree = rootRoute.addChildren([
  publicRoute.addChildren([
    ...setupRoutes, //
    ...signInRoutes,
    ...linkRoutes,
  ]),
  bareRoute.addChildren([
    ...viewerRoutes,
    ...wallRoutes,
    shellRoute.addChildren([
      ...accountRoutes, //
      ...auditRoutes,
      ...adminRoutes,
      ...calendarRoutes,
      ...catalogueRoutes,
      ...resourceRoutes,
      ...connectRoutes,
      ...boardRoutes,
      ...breakGlassRoutes,
      ...contextRoutes,
      ...identityRoutes,
      ...designRoutes,
      ...messageRoutes,
      ...examinationRoutes,
      ...homeRoutes,
      ...orderRoutes,
      ...patientRoutes,
      ...performedRoutes,
      ...reconciliationRoutes,
      ...patientsRoutes,
      ...studiesRoutes,
      ...uploadRoutes,
    ]),
  ]),
]);
