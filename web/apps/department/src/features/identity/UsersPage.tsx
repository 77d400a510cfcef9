import {
  Anchor,
  Badge,
  Button,
  Group,
  Modal,
  MultiSelect,
  PasswordInput,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { call, type Role, type User } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Failure,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { passwordMessages, whyRefused } from '../account/passwords';
import { isKnownRole, roleMessages } from '../account/roles';
import { StateBadge } from '../admin/live';
import { Listed } from './Listed';
import { messages } from './messages';
import { UserDrawer } from './UserDrawer';

export const USERS = ['admin', 'users'];
export const ROLES = Object.keys(roleMessages.en) as Role[];
const LEAST = 12;

/** Accounts: made, changed, limited to studies. */
export function UsersPage(): ReactNode {
  const say = useMessages(messages);
  const sayRole = useMessages(roleMessages);
  const format = useFormat();
  const [isAdding, setAdding] = useState(false);
  const [opened, setOpened] = useState<string | null>(null);
  const users = useQuery({ queryKey: USERS, queryFn: ({ signal }) => call('GET /api/v1/users', { signal }) });
  const columns: readonly Column<User>[] = [
    {
      key: 'name',
      title: say('name'),
      sortBy: (row) => row.name,
      render: (row) => (
        <Anchor component="button" size="sm" onClick={() => setOpened(row.name)}>
          {row.name}
        </Anchor>
      ),
    },
    {
      key: 'display',
      title: say('displayName'),
      sortBy: (row) => row.display_name,
      render: (row) => row.display_name,
    },
    {
      key: 'roles',
      title: say('roles'),
      sortBy: (row) => [...row.roles].sort().join(),
      render: (row) => (
        <Group gap={4}>
          {[...row.roles].sort().map((role) => (
            <Badge key={role} size="sm" variant="light" tt="none">
              {isKnownRole(role) ? sayRole(role) : role}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      key: 'state',
      title: say('state'),
      sortBy: (row) => Number(row.is_active),
      render: (row) => (
        <Group gap={4}>
          <Badge size="sm" variant="light" tt="none" color={row.is_active ? 'teal' : 'gray'}>
            {say(row.is_active ? 'active' : 'inactive')}
          </Badge>
          {row.is_emergency ? <StateBadge state="neutral">{say('emergency')}</StateBadge> : null}
        </Group>
      ),
    },
    {
      key: 'totp',
      title: say('secondFactor'),
      sortBy: (row) => Number(row.has_totp),
      render: (row) => say(row.has_totp ? 'yes' : 'no'),
    },
    {
      key: 'last',
      title: say('lastSignIn'),
      sortBy: (row) => row.last_sign_in_at,
      render: (row) => (row.last_sign_in_at === null ? say('never') : format.relative(row.last_sign_in_at)),
    },
  ];
  return (
    <>
      <PageHeader
        title={say('users')}
        description={say('usersText')}
        actions={<Button onClick={() => setAdding(true)}>{say('newUser')}</Button>}
      />
      <Panel isFlush>
        <Listed query={users}>
          {(rows) => (
            <DataTable
              label={say('users')}
              rows={rows}
              columns={columns}
              rowKey={(row) => row.name}
              onOpen={(row) => setOpened(row.name)}
            />
          )}
        </Listed>
      </Panel>
      <Modal
        opened={isAdding}
        onClose={() => setAdding(false)}
        title={say('newUser')}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <NewUser onDone={() => setAdding(false)} />
      </Modal>
      <UserDrawer
        user={users.data?.find((one) => one.name === opened) ?? null}
        onClose={() => setOpened(null)}
      />
    </>
  );
}

function NewUser(props: { readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  const sayPassword = useMessages(passwordMessages);
  const notify = useNotify();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [shown, setShown] = useState('');
  const [password, setPassword] = useState('');
  const [roles, setRoles] = useState<Role[]>([]);
  const add = useMutation({
    mutationFn: () =>
      call('POST /api/v1/users', {
        body: {
          name: name.trim(),
          display_name: shown.trim(),
          roles,
          password: password === '' ? null : password,
        },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: USERS });
      notify.done(say('created'));
      props.onDone();
    },
  });
  const refused = whyRefused(add.error, sayPassword, LEAST);

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (roles.length > 0 && !add.isPending) add.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {add.isError && refused === null ? <Failure error={add.error} /> : null}
        <TextInput
          label={say('name')}
          description={say('nameHint')}
          required
          data-autofocus
          maxLength={100}
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={say('displayName')}
          maxLength={200}
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value)}
        />
        <RoleSelect value={roles} onChange={setRoles} />
        <PasswordInput
          label={say('password')}
          description={say('passwordHint')}
          autoComplete="new-password"
          maxLength={1000}
          value={password}
          error={refused}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Text size="xs" c="dimmed">
          {sayPassword('rule', { count: LEAST })}
        </Text>
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending} disabled={roles.length === 0}>
            {say('create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Some of the roles. */
export function RoleSelect(props: {
  readonly value: readonly Role[];
  readonly onChange: (value: Role[]) => void;
}): ReactNode {
  const say = useMessages(messages);
  const sayRole = useMessages(roleMessages);
  return (
    <MultiSelect
      searchable
      label={say('roles')}
      required
      data={ROLES.map((role) => ({ value: role, label: isKnownRole(role) ? sayRole(role) : role }))}
      value={[...props.value]}
      onChange={(value) => props.onChange(value as Role[])}
    />
  );
}
