import { Alert, Button, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { type Credentials, Problem } from '@negatoscope/api-client';
import { describeProblem, problemMessages, useMessages } from '@negatoscope/ui';
import { IconAlertCircle } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { messages } from './messages';
import { providersQuery, signIn } from './signIn';

/**
 * Name and password, then the code if the account has a second factor; or a provider.
 *
 * `next` is where a provider is to lead back to.
 */
export function SignInForm(props: {
  readonly next: string;
  readonly onDone: () => void;
  /** Whose session ended; only the password is asked for. */
  readonly name?: string;
}): ReactNode {
  const say = useMessages(messages);
  const [name, setName] = useState(props.name ?? '');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asksCode, setAsksCode] = useState(false);
  const { data: ways } = useQuery(providersQuery);
  const attempt = useMutation({
    mutationFn: signIn,
    onSuccess: props.onDone,
    onError: (error) => {
      if (error instanceof Problem && error.code === 'totp-required') {
        setAsksCode(true);
        setCode('');
      }
    },
  });
  const wait = useWait(attempt.error);

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (attempt.isPending || wait > 0) return;
    const credentials: Credentials = asksCode
      ? { name: name.trim(), password, totp: code.replaceAll(/\s/g, '') }
      : { name: name.trim(), password };
    attempt.mutate(credentials);
  }

  const trouble = useTrouble(attempt.error, asksCode && attempt.variables?.totp !== undefined, wait);
  const providers = ways?.oidc ?? [];
  return (
    <Stack gap="sm">
      {ways?.needs_setup === true ? (
        <Alert color="yellow" icon={<IconAlertCircle size={18} aria-hidden />}>
          {say('setupNeeded')}
        </Alert>
      ) : null}
      {ways?.local_is_for_emergencies === true ? (
        <Text size="xs" c="dimmed">
          {say('emergency')}
        </Text>
      ) : null}
      {trouble === null ? null : (
        <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle size={18} aria-hidden />}>
          {trouble}
        </Alert>
      )}
      <form onSubmit={onSubmit}>
        <Stack gap="sm">
          {asksCode ? (
            <TextInput
              size="sm"
              label={say('code')}
              description={say('codeHint')}
              inputMode="numeric"
              autoComplete="one-time-code"
              required
              autoFocus
              maxLength={32}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
          ) : (
            <>
              <TextInput
                size="sm"
                label={say('name')}
                name="name"
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                required
                autoFocus={props.name === undefined}
                maxLength={100}
                readOnly={props.name !== undefined}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <PasswordInput
                size="sm"
                label={say('password')}
                name="password"
                autoComplete="current-password"
                required
                autoFocus={props.name !== undefined}
                maxLength={1000}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
            </>
          )}
          <Button type="submit" size="sm" fullWidth loading={attempt.isPending} disabled={wait > 0}>
            {say(asksCode ? 'codeSubmit' : 'submit')}
          </Button>
          {asksCode ? (
            <Button
              variant="subtle"
              onClick={() => {
                setAsksCode(false);
                setPassword('');
                attempt.reset();
              }}
            >
              {say('back')}
            </Button>
          ) : null}
        </Stack>
      </form>
      {providers.length === 0 ? null : (
        <>
          <Divider label={say('or')} />
          {providers.map((provider) => (
            <Button
              key={provider.name}
              component="a"
              variant="default"
              size="sm"
              href={`${provider.start}?next=${encodeURIComponent(props.next)}`}
              {...(provider.available ? {} : { 'data-disabled': true })}
            >
              {say('provider', { provider: provider.display_name })}
            </Button>
          ))}
        </>
      )}
      <Text size="xs" c="dimmed">
        {say('warning')}
      </Text>
    </Stack>
  );
}

/** Seconds until the server takes another attempt. */
function useWait(error: Error | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!(error instanceof Problem) || error.code !== 'too-many-attempts') {
      setLeft(0);
      return;
    }
    setLeft(Math.max(1, Math.ceil(error.retryAfter ?? 1)));
    const timer = setInterval(() => setLeft((before) => Math.max(0, before - 1)), 1000);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}

function useTrouble(error: Error | null, isAboutCode: boolean, wait: number): string | null {
  const say = useMessages(messages);
  const sayProblem = useMessages(problemMessages);
  if (error === null) return null;
  const code = error instanceof Problem ? error.code : '';
  switch (code) {
    case 'totp-required':
      return isAboutCode ? say('invalidCode') : null;
    case 'invalid-credentials':
      return say(isAboutCode ? 'invalidCode' : 'invalid');
    case 'local-sign-in-closed':
      return say('localClosed');
    case 'too-many-attempts':
      return wait > 0 ? say('wait', { count: wait }) : null;
    default:
      return describeProblem(error, sayProblem);
  }
}
