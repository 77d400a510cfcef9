import { Alert, Badge, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { type AuditChain, type AuditSink, type AuditVerification, call } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messages } from './messages';

const KEY = ['audit', 'state'];
const EVERY_MS = 5000;

/** Whether the trail is as it was written, where its chains end, how far repositories are behind. */
export function State(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const state = useQuery({
    queryKey: KEY,
    refetchInterval: EVERY_MS,
    queryFn: ({ signal }) => call('GET /api/v1/audit/state', { signal }),
  });
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  if (state.data === undefined) return <Loading />;
  const { chains, sinks, verifications } = state.data;
  return (
    <Stack gap="sm">
      <Verdict verifications={verifications} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <Panel title={say('chains')} isFlush>
          <Chains chains={chains} />
        </Panel>
        <Panel title={say('anchors')}>
          <Text size="sm">
            {say('waiting', { count: state.data.waiting_count })}
            {state.data.oldest_waiting_at === null
              ? ''
              : `, ${say('oldest', { when: format.relative(state.data.oldest_waiting_at) })}`}
          </Text>
          <Text size="sm">
            {state.data.anchor_number === null
              ? say('noAnchor')
              : say('anchor', {
                  number: String(state.data.anchor_number),
                  when: format.dateTime(state.data.anchored_at),
                })}
          </Text>
        </Panel>
      </SimpleGrid>
      <Panel title={say('sinks')} isFlush>
        {sinks.length === 0 ? (
          <Empty title={say('noSinks')}>{say('noSinksHint')}</Empty>
        ) : (
          <Sinks sinks={sinks} />
        )}
      </Panel>
      <Panel title={say('verifications')} isFlush>
        <Verifications verifications={verifications} />
      </Panel>
    </Stack>
  );
}

function Verdict(props: { readonly verifications: readonly AuditVerification[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const ask = useMutation({
    mutationFn: () => call('POST /api/v1/audit/verifications'),
    onSuccess: () => {
      notify.done(say('verifyAsked'));
      void client.invalidateQueries({ queryKey: KEY });
    },
    onError: notify.failed,
  });
  const done = props.verifications.find((one) => one.ended_at !== null);
  const open = props.verifications.find((one) => one.ended_at === null);
  const findings = done?.findings ?? [];
  const color = done === undefined ? 'gray' : findings.length === 0 ? 'teal' : 'red';
  return (
    <Alert
      color={color}
      variant="light"
      role={findings.length === 0 ? 'status' : 'alert'}
      icon={findings.length === 0 ? <IconShieldCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={say(done === undefined ? 'neverVerified' : findings.length === 0 ? 'sound' : 'notSound')}
    >
      <Group justify="space-between" align="flex-end">
        <Stack gap={2}>
          {done === undefined ? null : (
            <Text size="sm">
              {say('verifiedAt', {
                when: format.relative(done.ended_at),
                count: done.record_count ?? 0,
              })}
            </Text>
          )}
          {findings.map((one) => (
            <Text size="sm" key={String(one['text'])} lang="en">
              {String(one['text'])}
            </Text>
          ))}
          {open === undefined ? null : (
            <Text size="sm">{say(open.started_at === null ? 'asked' : 'verifying')}</Text>
          )}
        </Stack>
        <Button
          variant="default"
          disabled={open !== undefined}
          loading={ask.isPending}
          onClick={() => ask.mutate()}
        >
          {say('verify')}
        </Button>
      </Group>
    </Alert>
  );
}

function Chains(props: { readonly chains: readonly AuditChain[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const names: Readonly<Record<string, string>> = {
    access: say('chainAccess'),
    security: say('chainSecurity'),
    operation: say('chainOperation'),
  };
  const columns: readonly Column<AuditChain>[] = [
    { key: 'chain', title: say('chain'), render: (row) => names[row.chain] ?? row.chain },
    { key: 'seq', title: say('records'), align: 'right', render: (row) => format.number(row.seq) },
    {
      key: 'purged',
      title: say('purged'),
      align: 'right',
      render: (row) => (row.purged_seq === 0 ? '' : format.number(row.purged_seq)),
    },
    {
      key: 'hash',
      title: say('hash'),
      render: (row) => (
        <Text span ff="monospace" size="xs" title={row.hash}>
          {row.hash.slice(0, 16)}…
        </Text>
      ),
    },
  ];
  return (
    <DataTable label={say('chains')} rows={props.chains} columns={columns} rowKey={(row) => row.chain} />
  );
}

function Sinks(props: { readonly sinks: readonly AuditSink[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const columns: readonly Column<AuditSink>[] = [
    { key: 'name', title: say('sink'), render: (row) => row.name },
    { key: 'told', title: say('told'), align: 'right', render: (row) => format.number(row.sent_count) },
    {
      key: 'behind',
      title: say('behind'),
      render: (row) =>
        row.waiting_count === 0
          ? say('upToDate')
          : `${format.number(row.waiting_count)} · ${format.relative(row.oldest_waiting_at)}`,
    },
    { key: 'last', title: say('lastTold'), render: (row) => format.relative(row.last_sent_at) },
    {
      key: 'problem',
      title: say('problem'),
      render: (row) =>
        row.last_error === null ? null : (
          <Text size="sm" c="red">
            <span lang="en">{row.last_error}</span> ·{' '}
            {say('nextTry', { when: format.relative(row.next_attempt_at) })}
          </Text>
        ),
    },
  ];
  return <DataTable label={say('sinks')} rows={props.sinks} columns={columns} rowKey={(row) => row.name} />;
}

function Verifications(props: { readonly verifications: readonly AuditVerification[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const columns: readonly Column<AuditVerification>[] = [
    { key: 'at', title: say('time'), render: (row) => format.dateTime(row.started_at ?? row.requested_at) },
    {
      key: 'by',
      title: say('requestedBy'),
      render: (row) => (row.requested_by === 'schedule' ? say('schedule') : row.requested_by),
    },
    {
      key: 'records',
      title: say('records'),
      align: 'right',
      render: (row) => format.number(row.record_count),
    },
    {
      key: 'result',
      title: say('result'),
      render: (row) => {
        if (row.findings === null) return say(row.started_at === null ? 'wait' : 'running');
        if (row.findings.length === 0) return say('soundShort');
        return (
          <Badge color="red" tt="none">
            {say('found', { count: row.findings.length })}
          </Badge>
        );
      },
    },
  ];
  return (
    <DataTable
      label={say('verifications')}
      rows={props.verifications}
      columns={columns}
      rowKey={(row) => String(row.id)}
    />
  );
}
