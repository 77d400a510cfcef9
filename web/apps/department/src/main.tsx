import '@mantine/core/styles.css';
import '@mantine/dates/styles.css';
import '@mantine/notifications/styles.css';
import '@negatoscope/ui/theme.css';
import { Notifications } from '@mantine/notifications';
import { ActionsProvider, ConfirmProvider } from '@negatoscope/ui';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { watchConnection } from './app/connection';
import { Preferences } from './app/Preferences';
import { queryClient } from './app/queryClient';
import { router } from './app/router';
import { sessionQuery } from './features/session/session';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

watchConnection(() => (queryClient.getQueryData(sessionQuery.queryKey) ?? null) !== null);

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Preferences>
        <Notifications position="bottom-right" limit={4} />
        <ConfirmProvider>
          <ActionsProvider>
            <RouterProvider router={router} />
          </ActionsProvider>
        </ConfirmProvider>
      </Preferences>
    </QueryClientProvider>
  </StrictMode>,
);
