import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { call, Problem } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { sessionQuery } from '../session/session';
import { Door } from '../sign-in/Door';
import { messages } from './messages';

const route = getRouteApi('/public/link/$secret');

/**
 * A link to one study. Nothing happens before the button is pressed: programs that look at links in
 * mails use none of its times.
 */
export function LinkPage(): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const { secret } = route.useParams();
  const [pin, setPin] = useState('');
  const { data: session } = useQuery(sessionQuery);
  const open = useMutation({
    mutationFn: () => call('POST /api/v1/session/link', { body: { secret, pin: pin === '' ? null : pin } }),
    onSuccess: (made) => {
      client.clear();
      // The secret leaves the address: it must not stay in the history, nor be sent on.
      window.location.replace(`/viewer?studyUID=${encodeURIComponent(made.study_instance_uid ?? '')}`);
    },
  });
  const code = open.error instanceof Problem ? open.error.code : null;
  const needsPin = code === 'pin-required' || pin !== '';

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!open.isPending) open.mutate();
  }

  if (code === 'link-refused' && pin === '') {
    return (
      <Door title={say('refused')}>
        <Text size="sm">{say('refusedText')}</Text>
      </Door>
    );
  }
  return (
    <Door title={say('title')}>
      <form onSubmit={onSubmit}>
        <Stack gap="sm">
          <Text size="sm">{say('text')}</Text>
          {session && session.user.kind === 'user' ? (
            <Text size="sm" c="dimmed">
              {say('signedIn', { name: session.user.display_name })}
            </Text>
          ) : null}
          {open.isError && code !== 'pin-required' && code !== 'link-refused' ? (
            <Failure error={open.error} />
          ) : null}
          {needsPin ? (
            <PasswordInput
              size="sm"
              label={say('pin')}
              description={say('pinText')}
              autoComplete="off"
              autoFocus
              required
              maxLength={20}
              value={pin}
              error={code === 'link-refused' ? say('refused') : null}
              onChange={(event) => setPin(event.currentTarget.value)}
            />
          ) : null}
          <Button type="submit" size="sm" fullWidth loading={open.isPending}>
            {say('open')}
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
