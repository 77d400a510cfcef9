import { ActionIcon, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { call, type HL7Destination, type HL7Sender } from '@negatoscope/api-client';
import {
  type Column,
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
import { IconDots, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { StateBadge } from '../admin/live';
import { DestinationForm } from './DestinationForm';
import { partnerOf } from './describe';
import type { Change } from './MessagesPage';
import { messages } from './messages';

const REFRESH_MS = 3000;
type Act = 'pause' | 'resume' | 'test' | 'remove';

/** Where messages go, how each connection is doing; who sends to us. */
export function Connections(props: { readonly onChange: Change }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [form, setForm] = useState<{ readonly before: HL7Destination | null } | null>(null);
  const destinations = useQuery({
    queryKey: ['hl7', 'destinations'],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/destinations', { signal }),
    refetchInterval: REFRESH_MS,
  });
  const overview = useQuery({
    queryKey: ['hl7', 'overview'],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/overview', { signal }),
    refetchInterval: REFRESH_MS,
  });
  const act = useMutation({
    mutationFn: async (of: { readonly act: Act; readonly row: HL7Destination }): Promise<number | null> => {
      const path = { number: of.row.id };
      if (of.act === 'pause') await call('POST /api/v1/hl7/destinations/{number}/pause', { path });
      if (of.act === 'resume') await call('POST /api/v1/hl7/destinations/{number}/resume', { path });
      if (of.act === 'remove') await call('DELETE /api/v1/hl7/destinations/{number}', { path });
      if (of.act === 'test')
        return (await call('POST /api/v1/hl7/destinations/{number}/test', { path })).message;
      return null;
    },
    onSuccess: (message, of) => {
      if (message !== null) props.onChange({ tab: undefined, open: `out-${message}` });
      else notify.done(say(`${of.act as 'pause' | 'resume' | 'remove'}Done`, { name: of.row.name }));
    },
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries({ queryKey: ['hl7'] }),
  });
  async function askRemove(row: HL7Destination): Promise<void> {
    const yes = await confirm({
      title: say('removeTitle', { name: row.name }),
      text: say('removeText'),
      verb: say('remove'),
      isDangerous: true,
    });
    if (yes) act.mutate({ act: 'remove', row });
  }

  const state = (row: HL7Destination): ReactNode => {
    if (row.is_active === false) return <StateBadge state="neutral">{say('inactive')}</StateBadge>;
    if (!row.state.is_served) return <StateBadge state="warning">{say('notServed')}</StateBadge>;
    if (row.is_paused) return <StateBadge state="warning">{say('paused')}</StateBadge>;
    if (row.state.connected_at !== null) return <StateBadge state="ok">{say('connected')}</StateBadge>;
    if (row.state.next_attempt_at !== null)
      return <StateBadge state="failed">{say('unreachable')}</StateBadge>;
    return <StateBadge state="neutral">{say('idle')}</StateBadge>;
  };
  const columns: readonly Column<HL7Destination>[] = [
    {
      key: 'name',
      title: say('destination'),
      sortBy: (row) => row.name,
      render: (row) => (
        <Stack gap={0}>
          <Text size="sm" fw={600}>
            {row.name}
          </Text>
          <Text size="xs" c="dimmed" ff="monospace">
            {row.host}:{row.port}
            {row.tls ? ' TLS' : ''}
          </Text>
        </Stack>
      ),
    },
    {
      key: 'kinds',
      title: say('isTold'),
      render: (row) => row.kinds.map((kind) => say(kind)).join(', '),
    },
    {
      key: 'state',
      title: say('state'),
      render: (row) => (
        <Stack gap={2} align="flex-start">
          {state(row)}
          {row.state.connected_at === null && row.state.last_error !== '' && row.is_active !== false ? (
            <Text size="xs" c="red" style={{ overflowWrap: 'anywhere' }}>
              {row.state.last_error}
            </Text>
          ) : null}
        </Stack>
      ),
    },
    {
      key: 'waiting',
      title: say('queue'),
      align: 'right',
      sortBy: (row) => row.state.waiting_count,
      render: (row) => (
        <Stack gap={0} align="flex-end">
          {format.number(row.state.waiting_count)}
          {row.state.oldest_waiting_at === null ? null : (
            <Text size="xs" c="dimmed">
              {say('since', { since: format.relative(row.state.oldest_waiting_at) })}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      key: 'refused',
      title: say('refused'),
      align: 'right',
      sortBy: (row) => row.state.refused_count,
      render: (row) =>
        row.state.refused_count === 0 ? (
          format.number(0)
        ) : (
          <Button
            size="compact-xs"
            variant="light"
            color="red"
            onClick={() => props.onChange({ tab: undefined, destination: row.id, state: 'FAILED' })}
          >
            {format.number(row.state.refused_count)}
          </Button>
        ),
    },
    {
      key: 'last',
      title: say('lastTaken'),
      sortBy: (row) => row.state.last_acknowledged_at,
      render: (row) =>
        row.state.last_acknowledged_at === null ? '' : format.relative(row.state.last_acknowledged_at),
    },
    {
      key: 'day',
      title: say('lastDay'),
      align: 'right',
      render: (row) => format.number(row.state.acknowledged_count),
    },
    {
      key: 'actions',
      title: say('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button size="compact-xs" variant="default" onClick={() => act.mutate({ act: 'test', row })}>
            {say('test')}
          </Button>
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <ActionIcon variant="subtle" aria-label={say('moreOf', { name: row.name })}>
                <IconDots size={16} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setForm({ before: row })}>{say('change')}</Menu.Item>
              <Menu.Item onClick={() => act.mutate({ act: row.is_paused ? 'resume' : 'pause', row })}>
                {say(row.is_paused ? 'resume' : 'pause')}
              </Menu.Item>
              <Menu.Item
                onClick={() => props.onChange({ tab: undefined, direction: 'out', destination: row.id })}
              >
                {say('itsMessages')}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Item color="red" onClick={() => void askRemove(row)}>
                {say('remove')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      ),
    },
  ];
  const senderColumns: readonly Column<HL7Sender>[] = [
    {
      key: 'sender',
      title: say('sender'),
      render: (row) => partnerOf(row.sending_application, row.sending_facility),
    },
    { key: 'address', title: say('address'), render: (row) => row.last_peer },
    { key: 'last', title: say('lastAt'), render: (row) => format.relative(row.last_at) },
    { key: 'count', title: say('count'), align: 'right', render: (row) => format.number(row.message_count) },
    {
      key: 'pending',
      title: say('pending'),
      align: 'right',
      render: (row) => format.number(row.pending_count),
    },
    { key: 'failed', title: say('failed'), align: 'right', render: (row) => format.number(row.failed_count) },
  ];
  return (
    <Stack gap="sm">
      <Panel
        title={say('destinations')}
        isFlush
        actions={
          <Button
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => setForm({ before: null })}
          >
            {say('add')}
          </Button>
        }
      >
        {destinations.isError ? (
          <Failure error={destinations.error} onRetry={() => void destinations.refetch()} />
        ) : null}
        {destinations.isPending ? <Loading /> : null}
        {destinations.data === undefined ? null : (
          <DataTable
            label={say('destinations')}
            rows={destinations.data}
            columns={columns}
            rowKey={(row) => String(row.id)}
            onOpen={(row) => setForm({ before: row })}
            empty={<Empty title={say('noDestination')}>{say('noDestinationText')}</Empty>}
          />
        )}
      </Panel>
      <Panel title={say('senders')} isFlush>
        {overview.data === undefined ? null : (
          <DataTable
            label={say('senders')}
            rows={overview.data.senders}
            columns={senderColumns}
            rowKey={(row) => `${row.sending_application}|${row.sending_facility}`}
            onOpen={(row) =>
              props.onChange({ tab: undefined, direction: 'in', sender: row.sending_application })
            }
            empty={<Empty>{say('noSender')}</Empty>}
          />
        )}
      </Panel>
      {form === null ? null : (
        <DestinationForm
          before={form.before}
          onClose={() => setForm(null)}
          onSaved={(name) => {
            setForm(null);
            notify.done(say('saved', { name }));
            void client.invalidateQueries({ queryKey: ['hl7'] });
          }}
        />
      )}
    </Stack>
  );
}
