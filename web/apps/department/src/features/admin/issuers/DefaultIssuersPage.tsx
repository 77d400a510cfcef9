import { Alert, Autocomplete, Button, Group, Stack, Text } from '@mantine/core';
import {
  type BareNumberSender,
  call,
  type DefaultIssuerEntry,
  type DefaultIssuerInForce,
  type DefaultIssuers,
} from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  PageHeader,
  Panel,
  useConfirm,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Shown, useLive } from '../live';
import { messages as common } from '../messages';
import { messages } from './messages';

const KEY = ['default-issuers'];

/** What an empty Issuer of Patient ID means, by device. */
export function DefaultIssuersPage(): ReactNode {
  const say = useMessages(messages);
  const found = useLive(KEY, (signal) => call('GET /api/v1/reconciliation/default-issuers', { signal }));
  return (
    <>
      <PageHeader title={say('title')} description={say('description')} />
      <Shown query={found}>{(data) => <Issuers data={data} />}</Shown>
    </>
  );
}

function Issuers(props: { readonly data: DefaultIssuers }): ReactNode {
  const { entries, senders, authorities } = props.data;
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [device, setDevice] = useState('');
  const [authority, setAuthority] = useState('');
  const save = useMutation({
    mutationFn: (body: DefaultIssuerEntry[]) => call('PUT /api/v1/reconciliation/default-issuers', { body }),
    onSuccess: (answer) => {
      client.setQueryData(['admin', ...KEY], answer);
      setDevice('');
      setAuthority('');
      notify.done(say('saved'));
    },
    onError: notify.failed,
  });
  const title = device.trim();
  const issuer = authority.trim();
  const isUnknown = issuer !== '' && !authorities.includes(issuer);

  function without(name: string): DefaultIssuerEntry[] {
    return entries
      .filter((one) => one.calling_ae_title !== name)
      .map((one) => ({ calling_ae_title: one.calling_ae_title, issuer: one.issuer }));
  }

  async function askSet(): Promise<void> {
    const yes = await confirm({
      title: say('confirmTitle', { name: title || say('confirmOthers'), issuer }),
      text: say('confirmText'),
      verb: say('add'),
    });
    if (yes) save.mutate([...without(title), { calling_ae_title: title, issuer }]);
  }

  async function askRemove(name: string): Promise<void> {
    const yes = await confirm({
      title: say('removeTitle', { name: name || say('confirmOthers') }),
      text: say('removeText'),
      verb: sayCommon('remove'),
      isDangerous: true,
    });
    if (yes) save.mutate(without(name));
  }

  const columns: readonly Column<DefaultIssuerInForce>[] = [
    {
      key: 'device',
      title: say('device'),
      sortBy: (row) => row.calling_ae_title,
      render: (row) => (
        <Text size="sm" fw={600}>
          {row.calling_ae_title || say('others')}
        </Text>
      ),
    },
    { key: 'issuer', title: say('authority'), sortBy: (row) => row.issuer, render: (row) => row.issuer },
    {
      key: 'waiting',
      title: say('waiting'),
      align: 'right',
      sortBy: (row) => row.waiting,
      render: (row) => format.number(row.waiting),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              setDevice(row.calling_ae_title);
              setAuthority(row.issuer);
            }}
          >
            {say('edit')}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            color="red"
            onClick={() => void askRemove(row.calling_ae_title)}
          >
            {sayCommon('remove')}
          </Button>
        </Group>
      ),
    },
  ];
  const waiting: readonly Column<BareNumberSender>[] = [
    {
      key: 'device',
      title: say('device'),
      render: (row) => row.calling_ae_title || say('notKnown'),
    },
    {
      key: 'waiting',
      title: say('waiting'),
      align: 'right',
      render: (row) => format.number(row.waiting),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        row.calling_ae_title === '' ? null : (
          <Button size="compact-xs" variant="default" onClick={() => setDevice(row.calling_ae_title)}>
            {say('use')}
          </Button>
        ),
    },
  ];
  return (
    <Stack gap="sm">
      <Panel>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (issuer !== '' && !save.isPending) void askSet();
          }}
        >
          <Group align="flex-start" gap="sm">
            <Autocomplete
              w={280}
              label={say('device')}
              description={say('deviceHint')}
              maxLength={16}
              data={senders.map((one) => one.calling_ae_title).filter((one) => one !== '')}
              value={device}
              onChange={setDevice}
            />
            <Autocomplete
              w={400}
              label={say('authority')}
              description={say('authorityHint')}
              maxLength={64}
              data={authorities}
              value={authority}
              onChange={setAuthority}
            />
            <Button type="submit" mt={44} disabled={issuer === ''} loading={save.isPending}>
              {say('add')}
            </Button>
          </Group>
          {isUnknown ? (
            <Alert color="yellow" py="xs" mt="xs">
              {say('unknownAuthority')}
            </Alert>
          ) : null}
        </form>
      </Panel>
      <DataTable
        label={say('title')}
        rows={entries}
        columns={columns}
        rowKey={(row) => row.calling_ae_title}
        empty={<Empty>{say('none')}</Empty>}
      />
      {senders.length === 0 ? null : (
        <Panel title={say('candidates')}>
          <Text size="sm" c="dimmed" mb="xs">
            {say('candidatesText')}
          </Text>
          <DataTable
            label={say('candidates')}
            rows={senders}
            columns={waiting}
            rowKey={(row) => row.calling_ae_title}
          />
        </Panel>
      )}
    </Stack>
  );
}
