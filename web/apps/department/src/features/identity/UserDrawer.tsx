import { Button, Drawer, Group, PasswordInput, Stack, Switch, TextInput } from '@mantine/core';
import { call, type Role, type User } from '@negatoscope/api-client';
import { Failure, Panel, useConfirm, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { passwordMessages, whyRefused } from '../account/passwords';
import { GrantsEditor } from './GrantsEditor';
import { messages } from './messages';
import { RoleSelect, USERS } from './UsersPage';

const LEAST = 12;

/** One account, beside the list. */
export function UserDrawer(props: { readonly user: User | null; readonly onClose: () => void }): ReactNode {
  const say = useMessages(messages);
  return (
    <Drawer
      opened={props.user !== null}
      onClose={props.onClose}
      position="right"
      size="lg"
      title={props.user?.name}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {props.user === null ? null : (
        <Stack gap="sm">
          <Profile key={props.user.name} user={props.user} />
          <Panel title={say('scope')}>
            <GrantsEditor name={props.user.name} />
          </Panel>
          <Secrets user={props.user} />
        </Stack>
      )}
    </Drawer>
  );
}

function Profile(props: { readonly user: User }): ReactNode {
  const { user } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [shown, setShown] = useState(user.display_name);
  const [roles, setRoles] = useState<Role[]>([...user.roles].sort() as Role[]);
  const [isActive, setActive] = useState(user.is_active);
  const [isEmergency, setEmergency] = useState(user.is_emergency);
  const change = useMutation({
    mutationFn: () =>
      call('PATCH /api/v1/users/{name}', {
        path: { name: user.name },
        body: { display_name: shown.trim(), roles, is_active: isActive, is_emergency: isEmergency },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: USERS });
      notify.done(say('saved'));
    },
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (roles.length > 0 && !change.isPending) change.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {change.isError ? <Failure error={change.error} /> : null}
        <TextInput
          label={say('displayName')}
          maxLength={200}
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value)}
        />
        <RoleSelect value={roles} onChange={setRoles} />
        <Switch
          label={say('isActive')}
          checked={isActive}
          onChange={(event) => setActive(event.currentTarget.checked)}
        />
        <Switch
          label={say('emergency')}
          description={say('emergencyHint')}
          checked={isEmergency}
          onChange={(event) => setEmergency(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending} disabled={roles.length === 0}>
            {say('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Secrets(props: { readonly user: User }): ReactNode {
  const { name, has_totp } = props.user;
  const say = useMessages(messages);
  const sayPassword = useMessages(passwordMessages);
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const give = useMutation({
    mutationFn: () => call('POST /api/v1/users/{name}/password', { path: { name }, body: { password } }),
    onSuccess: () => {
      setPassword('');
      void client.invalidateQueries({ queryKey: USERS });
      notify.done(say('passwordGiven'));
    },
  });
  const removeTotp = useMutation({
    mutationFn: () => call('DELETE /api/v1/users/{name}/totp', { path: { name } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: USERS });
      notify.done(say('totpRemoved'));
    },
    onError: notify.failed,
  });
  const refused = whyRefused(give.error, sayPassword, LEAST);

  async function askRemove(): Promise<void> {
    const yes = await confirm({
      title: say('removeTotp'),
      text: say('removeTotpText'),
      verb: say('removeTotp'),
      isDangerous: true,
    });
    if (yes) removeTotp.mutate();
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (password !== '' && !give.isPending) give.mutate();
      }}
    >
      <Stack gap="sm">
        {give.isError && refused === null ? <Failure error={give.error} /> : null}
        <PasswordInput
          label={say('givePassword')}
          description={sayPassword('rule', { count: LEAST })}
          autoComplete="new-password"
          maxLength={1000}
          value={password}
          error={refused}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          {has_totp ? (
            <Button variant="default" onClick={() => void askRemove()}>
              {say('removeTotp')}
            </Button>
          ) : null}
          <Button type="submit" variant="default" loading={give.isPending} disabled={password === ''}>
            {say('givePassword')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
