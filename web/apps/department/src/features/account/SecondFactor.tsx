import {
  Alert,
  Button,
  Code,
  Group,
  List,
  Modal,
  PasswordInput,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { call, Problem, type TotpEnrolment } from '@negatoscope/api-client';
import { CopyText, Failure, Loading, useMessages, useNotify } from '@negatoscope/ui';
import { IconShieldCheck, IconShieldOff } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { sessionQuery } from '../session/session';
import { messages } from './messages';
import { qrPath } from './qr';

const KEY = ['me', 'totp'];

/** Codes of an authenticator: whether they are asked for, how to begin, how to stop. */
export function SecondFactor(): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [isEnrolling, setEnrolling] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const state = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call('GET /api/v1/me/totp', { signal }) });
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  if (state.data === undefined) return <Loading />;
  const { enabled, required, recovery_codes_left: left } = state.data;
  return (
    <Stack gap="sm" align="flex-start">
      <Group gap="xs">
        {enabled ? <IconShieldCheck size={18} aria-hidden /> : <IconShieldOff size={18} aria-hidden />}
        <Text size="sm">{say(enabled ? 'totpOn' : 'totpOff')}</Text>
      </Group>
      {enabled ? (
        <>
          <Text size="sm" c="dimmed">
            {say('recoveryLeft', { count: left })}
          </Text>
          <Button variant="default" disabled={required} onClick={() => setRemoving(true)}>
            {say('totpRemove')}
          </Button>
          {required ? (
            <Text size="xs" c="dimmed">
              {say('totpRequired')}
            </Text>
          ) : null}
        </>
      ) : (
        <Button onClick={() => setEnrolling(true)}>{say('totpAdd')}</Button>
      )}
      <Modal
        opened={isEnrolling}
        onClose={() => setEnrolling(false)}
        title={say('totpAdd')}
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <Enrolment
          onDone={() => {
            setEnrolling(false);
            void client.invalidateQueries({ queryKey: ['me'] });
            notify.done(say('totpOn'));
          }}
        />
      </Modal>
      <Modal
        opened={isRemoving}
        onClose={() => setRemoving(false)}
        title={say('totpRemove')}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <Removal
          onDone={() => {
            setRemoving(false);
            void client.invalidateQueries({ queryKey: KEY });
            notify.done(say('totpOff'));
          }}
        />
      </Modal>
    </Stack>
  );
}

/** Three steps: read the secret into the telephone, prove it, keep the recovery codes. */
export function Enrolment(props: { readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const [code, setCode] = useState('');
  const enrolment = useQuery({
    queryKey: [...KEY, 'enrolment'],
    queryFn: () => call('POST /api/v1/me/totp'),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnReconnect: false,
  });
  const confirm = useMutation({
    mutationFn: () => call('POST /api/v1/me/totp/confirm', { body: { code: code.replaceAll(/\s/g, '') } }),
  });

  if (confirm.data !== undefined) {
    return (
      <RecoveryCodes
        codes={confirm.data.recovery_codes}
        onDone={() => {
          void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
          props.onDone();
        }}
      />
    );
  }
  if (enrolment.isError) return <Failure error={enrolment.error} onRetry={() => void enrolment.refetch()} />;
  if (enrolment.data === undefined) return <Loading />;
  const isWrong = confirm.error instanceof Problem && confirm.error.code === 'invalid-credentials';

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    confirm.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        <Text size="sm">{say('totpScan')}</Text>
        <Secret enrolment={enrolment.data} />
        {confirm.isError && !isWrong ? <Failure error={confirm.error} /> : null}
        <TextInput
          label={say('totpCode')}
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          maxLength={10}
          value={code}
          error={isWrong ? say('totpWrong') : null}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={confirm.isPending}>
            {say('confirm')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Secret(props: { readonly enrolment: TotpEnrolment }): ReactNode {
  const say = useMessages(messages);
  const { size, path } = qrPath(props.enrolment.otpauth_uri);
  return (
    <Group align="center" gap="md">
      <svg
        role="img"
        aria-label={say('totpQr')}
        viewBox={`0 0 ${size} ${size}`}
        width={180}
        height={180}
        shapeRendering="crispEdges"
      >
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" />
      </svg>
      <Stack gap={4} flex={1} miw={160}>
        <Text size="xs" c="dimmed">
          {say('totpByHand')}
        </Text>
        <CopyText text={props.enrolment.secret} />
      </Stack>
    </Group>
  );
}

function RecoveryCodes(props: { readonly codes: readonly string[]; readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  return (
    <Stack gap="sm">
      <Alert color="yellow">{say('recoveryKeep')}</Alert>
      <List listStyleType="none" spacing={4} aria-label={say('recoveryCodes')}>
        {props.codes.map((one) => (
          <List.Item key={one}>
            <Code fz="sm">{one}</Code>
          </List.Item>
        ))}
      </List>
      <Group justify="space-between">
        <CopyText text={props.codes.join('\n')} label={say('recoveryCopy')} />
        <Button onClick={props.onDone}>{say('recoveryKept')}</Button>
      </Group>
    </Stack>
  );
}

function Removal(props: { readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  const [password, setPassword] = useState('');
  const remove = useMutation({
    mutationFn: () => call('POST /api/v1/me/totp/remove', { body: { password } }),
    onSuccess: props.onDone,
  });
  const isWrong = remove.error instanceof Problem && remove.error.code === 'invalid-credentials';

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    remove.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        <Text size="sm">{say('totpRemoveText')}</Text>
        {remove.isError && !isWrong ? <Failure error={remove.error} /> : null}
        <PasswordInput
          label={say('currentPassword')}
          autoComplete="current-password"
          required
          maxLength={1000}
          value={password}
          error={isWrong ? say('wrongPassword') : null}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button type="submit" color="red" loading={remove.isPending}>
            {say('totpRemove')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
