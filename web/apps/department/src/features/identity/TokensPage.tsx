import {
  Alert,
  Button,
  Group,
  Modal,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { type Action, call, type TokenEntry } from '@negatoscope/api-client';
import {
  type Column,
  CopyText,
  DataTable,
  Failure,
  PageHeader,
  Panel,
  useConfirm,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Listed } from './Listed';
import { messages } from './messages';
import { USERS } from './UsersPage';

const KEY = ['admin', 'tokens'];

/** Everybody's tokens. */
export function TokensPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const tokens = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call('GET /api/v1/tokens', { signal }) });
  const revoke = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/tokens/{number}', { path: { number } }),
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries({ queryKey: KEY }),
  });

  async function ask(number: number): Promise<void> {
    const yes = await confirm({
      title: say('revokeTitle'),
      text: say('revokeText'),
      verb: say('revoke'),
      isDangerous: true,
    });
    if (yes) revoke.mutate(number);
  }

  const columns: readonly Column<TokenEntry>[] = [
    { key: 'user', title: say('account'), sortBy: (row) => row.user_name, render: (row) => row.user_name },
    {
      key: 'for',
      title: say('description'),
      sortBy: (row) => row.description,
      render: (row) => row.description,
    },
    {
      key: 'actions',
      title: say('functions'),
      render: (row) => (row.actions === null ? say('allFunctions') : row.actions.join(', ')),
    },
    {
      key: 'expires',
      title: say('expires'),
      sortBy: (row) => row.expires_at,
      render: (row) => format.dateTime(row.expires_at),
    },
    {
      key: 'used',
      title: say('lastUse'),
      sortBy: (row) => row.last_used_at,
      render: (row) => (row.last_used_at === null ? say('never') : format.relative(row.last_used_at)),
    },
    { key: 'by', title: say('madeBy'), sortBy: (row) => row.created_by, render: (row) => row.created_by },
    {
      key: 'revoke',
      title: say('revoke'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button size="compact-xs" variant="default" onClick={() => void ask(row.id)}>
          {say('revoke')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <PageHeader
        title={say('tokens')}
        description={say('tokensText')}
        actions={<Button onClick={() => setAdding(true)}>{say('newToken')}</Button>}
      />
      <Panel isFlush>
        <Listed query={tokens}>
          {(rows) => (
            <DataTable label={say('tokens')} rows={rows} columns={columns} rowKey={(row) => String(row.id)} />
          )}
        </Listed>
      </Panel>
      <Modal
        opened={isAdding}
        onClose={() => setAdding(false)}
        title={say('newToken')}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <NewToken onMade={() => void client.invalidateQueries({ queryKey: KEY })} />
      </Modal>
    </>
  );
}

function NewToken(props: { readonly onMade: () => void }): ReactNode {
  const say = useMessages(messages);
  const [account, setAccount] = useState<string | null>(null);
  const [description, setDescription] = useState('');
  const [days, setDays] = useState<number | string>(90);
  const [actions, setActions] = useState<string[]>([]);
  const users = useQuery({ queryKey: USERS, queryFn: ({ signal }) => call('GET /api/v1/users', { signal }) });
  const rights = useQuery({
    queryKey: ['admin', 'roles'],
    queryFn: ({ signal }) => call('GET /api/v1/roles', { signal }),
  });
  const make = useMutation({
    mutationFn: () =>
      call('POST /api/v1/users/{name}/tokens', {
        path: { name: account ?? '' },
        body: {
          description: description.trim(),
          expires_in_days: Number(days),
          kind: 'service',
          actions: actions.length === 0 ? null : (actions as Action[]),
        },
      }),
    onSuccess: props.onMade,
  });

  if (make.data !== undefined) {
    return (
      <Alert color="teal" variant="light">
        <Stack gap="xs">
          <Text size="sm">{say('tokenMade')}</Text>
          <CopyText text={make.data.token} />
        </Stack>
      </Alert>
    );
  }

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (account !== null && !make.isPending) make.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {make.isError ? <Failure error={make.error} /> : null}
        <Select
          label={say('account')}
          required
          searchable
          data={(users.data ?? []).map((one) => one.name)}
          value={account}
          onChange={setAccount}
        />
        <TextInput
          label={say('description')}
          maxLength={200}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <NumberInput label={say('days')} required min={1} max={3650} value={days} onChange={setDays} />
        <MultiSelect
          searchable
          label={say('limitTo')}
          description={say('limitHint')}
          data={rights.data?.actions ?? []}
          value={actions}
          onChange={setActions}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending} disabled={account === null}>
            {say('makeToken')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
