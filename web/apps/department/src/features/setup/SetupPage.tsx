import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { call, Problem } from '@negatoscope/api-client';
import { Failure, Loading, useMessages } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { NewPassword, type Wanted } from '../account/NewPassword';
import { sessionQuery } from '../session/session';
import { Door } from '../sign-in/Door';
import { providersQuery } from '../sign-in/signIn';
import { messages } from './messages';

const route = getRouteApi('/public/setup/$secret');
const LEAST = 12;

/** The first administrator, by the link that the server printed. */
export function SetupPage(): ReactNode {
  const say = useMessages(messages);
  const { secret } = route.useParams();
  const state = useQuery({
    queryKey: ['setup', secret],
    queryFn: ({ signal }) => call('GET /api/v1/session/setup/{secret}', { path: { secret }, signal }),
  });
  if (state.isError) {
    return (
      <Door title={say('title')}>
        <Failure error={state.error} onRetry={() => void state.refetch()} />
      </Door>
    );
  }
  if (state.data === undefined) return <Loading />;
  if (!state.data.valid) {
    return (
      <Door title={say('used')}>
        <Text size="sm" mb="sm">
          {say('usedText')}
        </Text>
        <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/sign-in" />}>
          {say('signIn')}
        </Anchor>
      </Door>
    );
  }
  return (
    <Door title={say('title')}>
      <FirstAccount secret={secret} onRefused={() => void state.refetch()} />
    </Door>
  );
}

function FirstAccount(props: { readonly secret: string; readonly onRefused: () => void }): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const router = useRouter();
  const [name, setName] = useState('');
  const [wanted, setWanted] = useState<Wanted>({ password: '', repeat: '' });
  const { data: ways } = useQuery(providersQuery);
  const setUp = useMutation({
    mutationFn: () =>
      call('POST /api/v1/session/setup', {
        body: { secret: props.secret, name: name.trim(), password: wanted.password },
      }),
    onSuccess: async (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      await router.navigate({ to: '/', replace: true });
    },
    onError: (error) => {
      if (error instanceof Problem && error.code === 'link-refused') props.onRefused();
    },
  });
  const code = setUp.error instanceof Problem ? setUp.error.code : null;

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (wanted.password === wanted.repeat && !setUp.isPending) setUp.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        <Text size="sm">{say('text')}</Text>
        {setUp.isError && code !== 'weak-password' && code !== 'invalid-input' ? (
          <Failure error={setUp.error} />
        ) : null}
        <TextInput
          size="sm"
          label={say('name')}
          description={say('nameHint')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
          maxLength={64}
          pattern="[\p{L}\p{N}_.\-]+"
          value={name}
          error={code === 'invalid-input' ? say('taken') : null}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NewPassword
          size="sm"
          value={wanted}
          onChange={setWanted}
          label={say('password')}
          repeatLabel={say('repeat')}
          least={ways?.min_password_length ?? LEAST}
          error={setUp.error}
        />
        <Button type="submit" size="sm" fullWidth loading={setUp.isPending}>
          {say('submit')}
        </Button>
      </Stack>
    </form>
  );
}
