import { Box } from '@mantine/core';
import { ErrorBoundary, Loading, useMessages } from '@negatoscope/ui';
import { Outlet, useMatches } from '@tanstack/react-router';
import { type ReactNode, Suspense } from 'react';
import { useSession } from '../features/session/session';
import { Header } from './Header';
import { messages } from './messages';
import { Navigation } from './Navigation';
import { NotAllowed } from './pages';
import classes from './Shell.module.css';
import { useShellActions } from './useShellActions';

/** Header and menu around every ordinary page. */
export function Shell(): ReactNode {
  const say = useMessages(messages);
  const { functions } = useSession();
  useShellActions();
  const matches = useMatches();
  const needed = matches.map((one) => one.staticData.needs).filter((one) => one !== undefined);
  const isAllowed = needed.every((one) => functions.includes(one));
  const at = matches.at(-1)?.pathname;
  return (
    <Box className={classes['shell'] ?? ''}>
      <a className={classes['skip'] ?? ''} href="#content">
        {say('skip')}
      </a>
      <Header />
      <Box className={classes['below'] ?? ''}>
        <Navigation />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, with the keyboard too */}
        <main id="content" tabIndex={0} className={classes['content'] ?? ''}>
          <ErrorBoundary key={at}>
            <Suspense fallback={<Loading />}>{isAllowed ? <Outlet /> : <NotAllowed />}</Suspense>
          </ErrorBoundary>
        </main>
      </Box>
    </Box>
  );
}
