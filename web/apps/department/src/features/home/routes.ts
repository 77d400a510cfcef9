import { createRoute } from '@tanstack/react-router';
import { shellRoute } from '../../app/roots';
import { HomePage } from './HomePage';

const home = createRoute({ getParentRoute: () => shellRoute, path: '/', component: HomePage });

export const homeRoutes = [home] as const;
