import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { type Caller, call, type Echo, type RegisteredEntity } from '@negatoscope/api-client';
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
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { contains, Filter, Shown, StateBadge, useLive } from '../live';
import { messages as common } from '../messages';
import { type Draft, EntityForm } from './EntityForm';
import { messages } from './messages';
import { TestResult } from './TestResult';

const REFUSALS = {
  'unknown calling AE title': 'reasonUnknown',
  'wrong called AE title': 'reasonWrongCalled',
  'calling AE title from another host than registered': 'reasonHost',
  'calling AE title in clear, TLS required': 'reasonTls',
  'calling AE title with another certificate than registered': 'reasonCertificate',
  'disabled AE title': 'reasonDisabled',
} as const;

/** Columns left out where there is little room. */
const WIDE = ['accepted', 'refused', 'implementation', 'security'];

/** Who may call, where it is called; a test that says what to do; who was refused. */
export function EntitiesPage(): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const hasRoom = useMediaQuery('(min-width: 1200px)', true);
  const [filter, setFilter] = useState('');
  const [draft, setDraft] = useState<Draft | null>(null);
  const [tested, setTested] = useState<{ name: string; result: Echo | null } | null>(null);
  const entities = useLive(['ae'], (signal) => call('GET /api/v1/application-entities', { signal }));
  const callers = useLive(['callers'], (signal) =>
    call('GET /api/v1/callers', { query: { is_registered: false }, signal }),
  );
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ['admin', 'ae'] });
    void client.invalidateQueries({ queryKey: ['admin', 'callers'] });
  };
  const test = useMutation({
    mutationFn: (ae_title: string) =>
      call('POST /api/v1/application-entities/{ae_title}/echo', { path: { ae_title } }),
    onMutate: (name) => setTested({ name, result: null }),
    onSuccess: (result, name) => setTested({ name, result }),
    onError: (error) => {
      setTested(null);
      notify.failed(error);
    },
  });
  const remove = useMutation({
    mutationFn: (ae_title: string) =>
      call('DELETE /api/v1/application-entities/{ae_title}', { path: { ae_title } }),
    onSuccess: (_, name) => notify.done(say('removed', { name })),
    onError: notify.failed,
    onSettled: refresh,
  });
  const dismiss = useMutation({
    mutationFn: (row: Caller) =>
      call('DELETE /api/v1/callers/{ae_title}/{peer_host}', {
        path: { ae_title: row.ae_title, peer_host: row.peer_host },
      }),
    onError: notify.failed,
    onSettled: refresh,
  });

  async function askRemove(name: string): Promise<void> {
    const yes = await confirm({
      title: say('removeTitle', { name }),
      text: say('removeText'),
      verb: sayCommon('remove'),
      isDangerous: true,
    });
    if (yes) remove.mutate(name);
  }

  const security = (row: RegisteredEntity): ReactNode => (
    <Group gap={4}>
      {row.tls_required ? (
        <StateBadge state="ok">{say('tlsOnly')}</StateBadge>
      ) : row.tls ? (
        <StateBadge state="neutral">{say('tlsBadge')}</StateBadge>
      ) : null}
      {(row.certificates ?? []).length > 0 ? <StateBadge state="ok">{say('certificate')}</StateBadge> : null}
      {row.check_host ? <StateBadge state="ok">{say('fixedHost')}</StateBadge> : null}
    </Group>
  );
  const columns: readonly Column<RegisteredEntity>[] = [
    {
      key: 'ae_title',
      title: say('aeTitle'),
      sortBy: (row) => row.ae_title,
      render: (row) => (
        <Stack gap={0}>
          <Group gap={6}>
            <Text size="sm" fw={600}>
              {row.ae_title}
            </Text>
            {row.is_enabled ? null : <StateBadge state="warning">{say('disabled')}</StateBadge>}
          </Group>
          {hasRoom ? null : security(row)}
          {row.description === '' ? null : (
            <Text size="xs" c="dimmed">
              {row.description}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      key: 'address',
      title: say('address'),
      sortBy: (row) => row.host,
      render: (row) => (
        <Text size="sm" ff="monospace">
          {row.host}:{row.port}
        </Text>
      ),
    },
    {
      key: 'rights',
      title: say('rights'),
      render: (row) => (
        <Group gap={4}>
          {[...(row.roles ?? [])].sort().map((role) => (
            <Badge
              key={role}
              size="sm"
              variant="default"
              tt="none"
              fw={400}
              style={{ flexShrink: 0, maxWidth: 'none' }}
              styles={{ label: { overflow: 'visible' } }}
            >
              {say(role)}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      key: 'security',
      title: say('security'),
      render: security,
    },
    {
      key: 'seen',
      title: say('lastSeen'),
      sortBy: (row) => row.last_seen_at,
      render: (row) => (
        <span title={format.dateTime(row.last_seen_at)}>
          {row.last_seen_at ? format.relative(row.last_seen_at) : sayCommon('never')}
        </span>
      ),
    },
    {
      key: 'accepted',
      title: say('accepted'),
      align: 'right',
      sortBy: (row) => row.accepted_count,
      render: (row) => format.number(row.accepted_count),
    },
    {
      key: 'refused',
      title: say('refused'),
      align: 'right',
      sortBy: (row) => row.refused_count,
      render: (row) => format.number(row.refused_count),
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
            variant="light"
            loading={test.isPending && test.variables === row.ae_title}
            onClick={() => test.mutate(row.ae_title)}
          >
            {say('test')}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => setDraft({ kind: 'change', entity: row })}
          >
            {say('edit')}
          </Button>
          <Button size="compact-xs" variant="subtle" color="red" onClick={() => void askRemove(row.ae_title)}>
            {sayCommon('remove')}
          </Button>
        </Group>
      ),
    },
  ];

  const callerColumns: readonly Column<Caller>[] = [
    {
      key: 'ae_title',
      title: say('aeTitle'),
      sortBy: (row) => row.ae_title,
      render: (row) => (
        <Text size="sm" fw={600}>
          {row.ae_title}
        </Text>
      ),
    },
    { key: 'from', title: say('from'), sortBy: (row) => row.peer_host, render: (row) => row.peer_host },
    {
      key: 'implementation',
      title: say('implementation'),
      render: (row) => row.implementation_version_name ?? '',
    },
    {
      key: 'reason',
      title: sayCommon('reason'),
      render: (row) => {
        const key = REFUSALS[(row.last_refusal ?? '') as keyof typeof REFUSALS];
        return key === undefined ? (row.last_refusal ?? '') : say(key);
      },
    },
    {
      key: 'last',
      title: say('lastRefused'),
      sortBy: (row) => row.last_refused_at,
      render: (row) => (row.last_refused_at ? format.relative(row.last_refused_at) : ''),
    },
    {
      key: 'count',
      title: say('refused'),
      align: 'right',
      sortBy: (row) => row.refused_count,
      render: (row) => format.number(row.refused_count),
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
            variant="light"
            onClick={() => setDraft({ kind: 'add', ae_title: row.ae_title, host: row.peer_host })}
          >
            {say('register')}
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => dismiss.mutate(row)}>
            {say('dismiss')}
          </Button>
        </Group>
      ),
    },
  ];

  const refusedCallers = callers.data?.filter((row) => row.last_refusal !== null) ?? [];
  return (
    <Stack gap="sm">
      <PageHeader
        title={say('title')}
        description={say('description')}
        actions={
          <>
            <Filter value={filter} onChange={setFilter} />
            <Button leftSection={<IconPlus size={14} />} onClick={() => setDraft({ kind: 'add' })}>
              {say('add')}
            </Button>
          </>
        }
      />
      {tested === null ? null : (
        <TestResult name={tested.name} result={tested.result} onClose={() => setTested(null)} />
      )}
      <Panel isFlush>
        <Shown query={entities}>
          {(rows) => (
            <DataTable
              label={say('title')}
              rows={rows.filter((row) => contains(filter, row.ae_title, row.host, row.description))}
              columns={hasRoom ? columns : columns.filter((column) => !WIDE.includes(column.key))}
              rowKey={(row) => row.ae_title}
              onOpen={(row) => setDraft({ kind: 'change', entity: row })}
              empty={<Empty title={say('empty')}>{say('emptyHint')}</Empty>}
            />
          )}
        </Shown>
      </Panel>
      <Panel title={say('callers')} isFlush>
        <Text size="xs" c="dimmed" px="sm" pt={6}>
          {say('callersHint')}
        </Text>
        <Shown query={callers}>
          {() => (
            <DataTable
              label={say('callers')}
              rows={refusedCallers}
              columns={hasRoom ? callerColumns : callerColumns.filter((column) => !WIDE.includes(column.key))}
              rowKey={(row) => `${row.ae_title} ${row.peer_host}`}
              empty={<Empty title={say('callersEmpty')} />}
            />
          )}
        </Shown>
      </Panel>
      <Text size="xs" c="dimmed">
        {say('rules')}
      </Text>
      {draft === null ? null : (
        <EntityForm
          draft={draft}
          onClose={() => setDraft(null)}
          onSaved={(name) => {
            setDraft(null);
            notify.done(say('saved', { name }));
            refresh();
          }}
        />
      )}
    </Stack>
  );
}
