import { Modal, Text } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import { type Session, sessionQuery } from '../features/session/session';
import { signedInAgain, useConnection } from './connection';
import { messages } from './messages';

const SignInForm = lazy(async () => ({
  default: (await import('../features/sign-in/SignInForm')).SignInForm,
}));

/**
 * The session ended while pages were open: asks for the password over them, so that nothing that
 * was typed is lost. Another account starts afresh.
 */
export function SignedOut(): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const { isSignedOut } = useConnection();
  const before = client.getQueryData<Session | null>(sessionQuery.queryKey);
  const here = window.location.pathname + window.location.search;

  async function onDone(): Promise<void> {
    const session = await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    if (session?.user.name !== before?.user.name) {
      window.location.reload();
      return;
    }
    signedInAgain();
    await client.invalidateQueries();
  }

  return (
    <Modal
      opened={isSignedOut}
      onClose={() => window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`)}
      zIndex={900}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      title={say('signedOutTitle')}
      overlayProps={{ backgroundOpacity: 0.85, blur: 8 }}
    >
      <Text size="sm" mb="sm">
        {say('signedOutText')}
      </Text>
      <Suspense>
        <SignInForm
          next={here}
          {...(before ? { name: before.user.name } : {})}
          onDone={() => void onDone()}
        />
      </Suspense>
    </Modal>
  );
}
