import { Button, Text } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { useSession, useSignOut } from '../session/session';
import { Door } from '../sign-in/Door';
import { ChangePassword } from './ChangePassword';
import { messages } from './messages';
import { Enrolment } from './SecondFactor';

/** What the server asks of an account before anything else; until then it may do nothing. */
export function Required(): ReactNode {
  const say = useMessages(messages);
  const { required } = useSession();
  const signOut = useSignOut();
  const isPassword = required.includes('change-password');
  return (
    <Door title={say(isPassword ? 'requiredPassword' : 'requiredTotp')}>
      <Text size="sm" mb="sm">
        {say(isPassword ? 'requiredPasswordText' : 'requiredTotpText')}
      </Text>
      {isPassword ? <ChangePassword /> : <Enrolment onDone={() => undefined} />}
      <Button variant="subtle" mt="sm" onClick={() => void signOut()}>
        {say('signOut')}
      </Button>
    </Door>
  );
}
