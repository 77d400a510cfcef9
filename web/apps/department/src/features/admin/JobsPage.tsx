import { Button, Group, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core';
import { type Chore, call, type Job, type ParkedEvent } from '@negatoscope/api-client';
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
import { contains, Filter, Shown, StateBadge, useLive } from './live';
import { messages as common } from './messages';
import { messages } from './operations.messages';

const STATES = ['todo', 'doing', 'failed', 'cancelled', 'aborted'] as const;
type JobState = (typeof STATES)[number];

/** Jobs, events on their way, chores. */
export function JobsPage(): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [filter, setFilter] = useState('');
  const [state, setState] = useState<JobState | 'all'>('all');
  const jobs = useLive(['jobs', state], (signal) =>
    call('GET /api/v1/operations/jobs', { query: state === 'all' ? {} : { status: state }, signal }),
  );
  const after = {
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries({ queryKey: ['admin', 'jobs'] }),
  };
  const retry = useMutation({
    mutationFn: (number: number) => call('POST /api/v1/operations/jobs/{number}/retry', { path: { number } }),
    ...after,
  });
  const cancel = useMutation({
    mutationFn: (number: number) =>
      call('POST /api/v1/operations/jobs/{number}/cancel', { path: { number } }),
    ...after,
  });
  const deliver = useMutation({
    mutationFn: (number: number) =>
      call('POST /api/v1/operations/events/{number}/retry', { path: { number } }),
    ...after,
  });

  async function askCancel(id: number): Promise<void> {
    const yes = await confirm({
      title: say('cancelTitle', { id: String(id) }),
      text: say('cancelText'),
      verb: say('cancelJob'),
      isDangerous: true,
    });
    if (yes) cancel.mutate(id);
  }

  const jobColumns: readonly Column<Job>[] = [
    { key: 'id', title: 'N°', sortBy: (row) => row.id, render: (row) => row.id, width: 70 },
    {
      key: 'task',
      title: say('job'),
      sortBy: (row) => row.task,
      render: (row) => (
        <Stack gap={0}>
          <Text size="sm">{row.task}</Text>
          <Text size="xs" c="dimmed" ff="monospace" lineClamp={1}>
            {JSON.stringify(row.arguments)}
          </Text>
        </Stack>
      ),
    },
    { key: 'queue', title: say('queue'), sortBy: (row) => row.queue, render: (row) => row.queue },
    {
      key: 'state',
      title: sayCommon('state'),
      sortBy: (row) => row.status,
      render: (row) => (
        <StateBadge state={row.status === 'failed' ? 'failed' : row.status === 'doing' ? 'ok' : 'neutral'}>
          {say(row.is_cancelling ? 'aborting' : (row.status as JobState))}
        </StateBadge>
      ),
    },
    {
      key: 'attempts',
      title: say('attempts'),
      align: 'right',
      sortBy: (row) => row.attempts,
      render: (row) => format.number(row.attempts),
    },
    {
      key: 'changed',
      title: say('changed'),
      sortBy: (row) => row.changed_at,
      render: (row) => format.relative(row.changed_at),
    },
    {
      key: 'reason',
      title: sayCommon('reason'),
      render: (row) => (
        <Text size="xs" ff="monospace" lineClamp={2} title={row.reason ?? ''} lang="en">
          {row.reason ?? ''}
        </Text>
      ),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        row.status === 'failed' ? (
          <Button size="compact-xs" variant="light" onClick={() => retry.mutate(row.id)}>
            {say('retry')}
          </Button>
        ) : row.status === 'todo' || row.status === 'doing' ? (
          <Button size="compact-xs" variant="default" onClick={() => void askCancel(row.id)}>
            {say('cancelJob')}
          </Button>
        ) : null,
    },
  ];
  const parkedColumns: readonly Column<ParkedEvent>[] = [
    { key: 'id', title: 'N°', sortBy: (row) => row.id, render: (row) => row.id, width: 70 },
    { key: 'kind', title: say('event'), sortBy: (row) => row.kind, render: (row) => row.kind },
    {
      key: 'parked',
      title: sayCommon('since'),
      sortBy: (row) => row.parked_at,
      render: (row) => format.relative(row.parked_at),
    },
    {
      key: 'reason',
      title: sayCommon('reason'),
      render: (row) => (
        <Text size="xs" ff="monospace" lineClamp={2} title={row.reason} lang="en">
          {row.reason}
        </Text>
      ),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button size="compact-xs" variant="light" onClick={() => deliver.mutate(row.id)}>
          {say('retry')}
        </Button>
      ),
    },
  ];
  const choreColumns: readonly Column<Chore>[] = [
    { key: 'name', title: say('chore'), sortBy: (row) => row.name, render: (row) => row.name },
    {
      key: 'state',
      title: sayCommon('state'),
      render: (row) => (
        <StateBadge state={row.error !== '' ? 'failed' : row.is_running ? 'ok' : 'neutral'}>
          {say(row.error !== '' ? 'failed' : row.is_running ? 'running' : 'idle')}
        </StateBadge>
      ),
    },
    {
      key: 'last',
      title: say('lastRun'),
      sortBy: (row) => row.started_at,
      render: (row) => (row.started_at === null ? sayCommon('never') : format.relative(row.started_at)),
    },
    {
      key: 'took',
      title: say('took'),
      align: 'right',
      sortBy: (row) => row.seconds,
      render: (row) => `${format.number(row.seconds, { maximumFractionDigits: 2 })}\u00A0s`,
    },
    {
      key: 'runs',
      title: say('runs'),
      align: 'right',
      sortBy: (row) => row.runs,
      render: (row) => format.number(row.runs),
    },
    {
      key: 'error',
      title: sayCommon('reason'),
      render: (row) => (
        <Text size="xs" ff="monospace" lineClamp={2} lang="en">
          {row.error}
        </Text>
      ),
    },
  ];

  return (
    <Stack gap="sm">
      <PageHeader
        title={say('jobs')}
        description={say('jobsHint')}
        actions={<Filter value={filter} onChange={setFilter} />}
      />
      <Shown query={jobs}>
        {(data) => (
          <Stack gap="sm">
            <Panel title={say('outbox')}>
              <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="xs">
                <Figure label={say('waiting')} value={format.number(data.outbox.waiting)} />
                <Figure
                  label={say('oldest')}
                  value={data.outbox.oldest_at === null ? '—' : format.relative(data.outbox.oldest_at)}
                />
                <Figure label={say('retrying')} value={format.number(data.outbox.retrying)} />
                <Figure label={say('parked')} value={format.number(data.outbox.parked)} />
              </SimpleGrid>
            </Panel>
            {data.parked.length === 0 ? null : (
              <Panel title={say('parkedTitle')} isFlush>
                <DataTable
                  label={say('parkedTitle')}
                  rows={data.parked}
                  columns={parkedColumns}
                  rowKey={(row) => String(row.id)}
                />
              </Panel>
            )}
            <Panel
              title={say('job')}
              isFlush
              actions={
                <SegmentedControl
                  size="xs"
                  aria-label={sayCommon('state')}
                  value={state}
                  onChange={(value) => setState(value as JobState | 'all')}
                  data={[
                    { value: 'all', label: sayCommon('all') },
                    ...STATES.slice(0, 4).map((value) => {
                      const count = data.counts
                        .filter((one) => one.status === value)
                        .reduce((sum, one) => sum + one.count, 0);
                      return { value, label: count === 0 ? say(value) : `${say(value)} ${count}` };
                    }),
                  ]}
                />
              }
            >
              <DataTable
                label={say('job')}
                rows={data.jobs.filter((row) =>
                  contains(filter, row.task, row.queue, row.reason, JSON.stringify(row.arguments)),
                )}
                columns={jobColumns}
                rowKey={(row) => String(row.id)}
                empty={<Empty title={say('noJobs')}>{say('noJobsHint')}</Empty>}
              />
            </Panel>
            <Panel title={say('chores')} isFlush>
              <DataTable
                label={say('chores')}
                rows={data.chores.filter((row) => contains(filter, row.name, row.error))}
                columns={choreColumns}
                rowKey={(row) => row.name}
                empty={<Empty title={say('noChores')} />}
              />
            </Panel>
          </Stack>
        )}
      </Shown>
    </Stack>
  );
}

/** A number with its name above. */
export function Figure(props: { readonly label: string; readonly value: ReactNode }): ReactNode {
  return (
    <Group gap={0}>
      <Stack gap={0}>
        <Text size="xs" c="dimmed">
          {props.label}
        </Text>
        <Text size="lg" fw={600}>
          {props.value}
        </Text>
      </Stack>
    </Group>
  );
}
