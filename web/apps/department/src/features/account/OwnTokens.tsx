import { Alert, Button, Group, Modal, NumberInput, Stack, TextInput } from '@mantine/core';
import { call, type TokenEntry } from '@negatoscope/api-client';
import {
  type Column,
  CopyText,
  DataTable,
  Empty,
  Failure,
  Loading,
  Panel,
  useConfirm,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { tokenMessages } from './tokenMessages';

const KEY = ['me', 'tokens'];
const DAYS = 30;
const MOST_DAYS = 3650;

/** Tokens of programs that ask in one's own name. */
export function OwnTokens(): ReactNode {
  const say = useMessages(tokenMessages);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const tokens = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call('GET /api/v1/me/tokens', { signal }),
  });
  const revoke = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/me/tokens/{number}', { path: { number } }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
    onError: notify.failed,
  });

  async function onRevoke(row: TokenEntry): Promise<void> {
    const question = {
      title: say('revokeTitle'),
      text: say('revokeText'),
      verb: say('revoke'),
      isDangerous: true,
    };
    if (await confirm(question)) revoke.mutate(row.id);
  }

  const columns: readonly Column<TokenEntry>[] = [
    { key: 'description', title: say('description'), render: (row) => row.description || '–' },
    {
      key: 'expires',
      title: say('expires'),
      render: (row) => format.dateTime(row.expires_at),
      sortBy: (row) => row.expires_at,
    },
    {
      key: 'used',
      title: say('lastUsed'),
      render: (row) => (row.last_used_at === null ? say('never') : format.relative(row.last_used_at)),
      sortBy: (row) => row.last_used_at,
    },
    {
      key: 'revoke',
      title: say('revoke'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button variant="default" size="compact-xs" onClick={() => void onRevoke(row)}>
          {say('revoke')}
        </Button>
      ),
    },
  ];

  return (
    <Panel
      title={say('tokens')}
      isFlush
      actions={
        <Button variant="default" size="compact-xs" onClick={() => setAdding(true)}>
          {say('add')}
        </Button>
      }
    >
      {tokens.isError ? <Failure error={tokens.error} onRetry={() => void tokens.refetch()} /> : null}
      {tokens.isPending ? <Loading /> : null}
      {tokens.data === undefined ? null : (
        <DataTable
          label={say('tokens')}
          rows={tokens.data}
          columns={columns}
          rowKey={(row) => String(row.id)}
          empty={<Empty title={say('none')}>{say('noneText')}</Empty>}
        />
      )}
      <Modal
        opened={isAdding}
        onClose={() => setAdding(false)}
        title={say('add')}
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <NewToken
          onMade={() => void client.invalidateQueries({ queryKey: KEY })}
          onDone={() => setAdding(false)}
        />
      </Modal>
    </Panel>
  );
}

function NewToken(props: { readonly onMade: () => void; readonly onDone: () => void }): ReactNode {
  const say = useMessages(tokenMessages);
  const [description, setDescription] = useState('');
  const [days, setDays] = useState(DAYS);
  const make = useMutation({
    mutationFn: () => call('POST /api/v1/me/tokens', { body: { description, expires_in_days: days } }),
    onSuccess: props.onMade,
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  }

  if (make.data !== undefined) {
    return (
      <Stack gap="sm">
        <Alert color="yellow">{say('shownOnce')}</Alert>
        <CopyText text={make.data.token} />
        <Group justify="flex-end">
          <Button onClick={props.onDone}>{say('done')}</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {make.isError ? <Failure error={make.error} /> : null}
        <TextInput
          label={say('description')}
          required
          data-autofocus
          maxLength={200}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <NumberInput
          label={say('days')}
          required
          min={1}
          max={MOST_DAYS}
          allowDecimal={false}
          value={days}
          onChange={(value) => setDays(typeof value === 'number' ? value : DAYS)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            {say('create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
