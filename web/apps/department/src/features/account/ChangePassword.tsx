import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { call, Problem, type Session } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { sessionQuery } from '../session/session';
import { providersQuery } from '../sign-in/signIn';
import { messages } from './messages';
import { NewPassword, type Wanted } from './NewPassword';

const NOTHING: Wanted = { password: '', repeat: '' };
const LEAST = 12;

/** Change one's own password; the other sessions end. */
export function ChangePassword(props: { readonly onDone?: (session: Session) => void }): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState(NOTHING);
  const { data: ways } = useQuery(providersQuery);
  const change = useMutation({
    mutationFn: () => call('POST /api/v1/me/password', { body: { current, new: wanted.password } }),
    onSuccess: (session) => {
      setCurrent('');
      setWanted(NOTHING);
      client.setQueryData(sessionQuery.queryKey, session);
      void client.invalidateQueries({ queryKey: ['me'] });
      props.onDone?.(session);
    },
  });
  const code = change.error instanceof Problem ? change.error.code : null;

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (wanted.password === wanted.repeat && !change.isPending) change.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm" maw={380}>
        {change.isError && code !== 'weak-password' && code !== 'invalid-credentials' ? (
          <Failure error={change.error} />
        ) : null}
        <PasswordInput
          label={say('currentPassword')}
          autoComplete="current-password"
          required
          maxLength={1000}
          value={current}
          error={code === 'invalid-credentials' ? say('wrongPassword') : null}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
        <NewPassword
          value={wanted}
          onChange={setWanted}
          label={say('newPassword')}
          repeatLabel={say('repeatPassword')}
          least={ways?.min_password_length ?? LEAST}
          error={change.error}
        />
        <Group>
          <Button type="submit" loading={change.isPending}>
            {say('changePassword')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
