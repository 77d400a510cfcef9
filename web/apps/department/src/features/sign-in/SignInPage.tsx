import { Alert } from '@mantine/core';
import { describeProblem, problemMessages, useMessages } from '@negatoscope/ui';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { isElsewhere, localPath } from '../session/next';
import { sessionQuery } from '../session/session';
import { Door } from './Door';
import { messages } from './messages';
import { SignInForm } from './SignInForm';

const route = getRouteApi('/public/sign-in');

/** The door. */
export function SignInPage(): ReactNode {
  const say = useMessages(messages);
  const sayProblem = useMessages(problemMessages);
  const client = useQueryClient();
  const router = useRouter();
  const { next: wanted, error } = route.useSearch();
  const next = localPath(wanted);

  async function onDone(): Promise<void> {
    await client.resetQueries({ queryKey: sessionQuery.queryKey, exact: true });
    await client.fetchQuery(sessionQuery);
    if (isElsewhere(next)) window.location.replace(next);
    else await router.navigate({ href: next, replace: true });
  }

  return (
    <Door title={say('title')}>
      {error === undefined ? null : (
        <Alert color="red" variant="light" mb="sm" role="alert">
          {describeProblem({ code: error }, sayProblem)}
        </Alert>
      )}
      <SignInForm next={next} onDone={() => void onDone()} />
    </Door>
  );
}
