import '@mantine/core/styles.css';
import '@negatoscope/ui/theme.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Preferences } from './app/Preferences';
import { queryClient } from './app/queryClient';
import { router } from './app/router';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Preferences>
        <RouterProvider router={router} />
      </Preferences>
    </QueryClientProvider>
  </StrictMode>,
);
