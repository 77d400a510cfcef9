import { Button, Group, Stack, Text, Tooltip } from '@mantine/core';
import { call, type Decided, type SetAside, type Task } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { contains, Filter, Shown, StateBadge, useLive } from '../live';
import { messages as common } from '../messages';
import { CompareDialog } from './CompareDialog';
import { messages, tasks as taskMessages } from './messages';

export const REASONS = {
  'CONTENT DIFFERS': 'contentDiffers',
  'OTHER PATIENT': 'otherPatient',
  'OTHER STUDY': 'otherStudy',
} as const;

/** Objects set aside, tasks, and decisions that can be taken back. */
export function ConflictsPage(): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const sayTask = useMessages(taskMessages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const [filter, setFilter] = useState('');
  const [compared, setCompared] = useState<number | null>(null);
  const pending = useLive(['aside'], (signal) => call('GET /api/v1/set-aside', { signal }), 8000);
  const tasks = useLive(['tasks'], (signal) => call('GET /api/v1/tasks', { signal }), 8000);
  const decided = useLive(['decided'], (signal) => call('GET /api/v1/set-aside/decided', { signal }), 8000);
  const refresh = (): void => {
    for (const key of ['aside', 'tasks', 'decided']) {
      void client.invalidateQueries({ queryKey: ['admin', key] });
    }
  };
  const close = useMutation({
    mutationFn: (number: number) => call('POST /api/v1/tasks/{number}/done', { path: { number } }),
    onSuccess: () => notify.done(say('closed')),
    onError: notify.failed,
    onSettled: refresh,
  });
  const reopen = useMutation({
    mutationFn: (number: number) => call('POST /api/v1/set-aside/{number}/reopen', { path: { number } }),
    onSuccess: () => notify.done(say('reopened')),
    onError: notify.failed,
    onSettled: refresh,
  });

  const reasonOf = (reason: string): string => {
    const key = REASONS[reason as keyof typeof REASONS];
    return key === undefined ? reason : say(key);
  };
  const object = (row: { readonly sop_instance_uid: string; readonly study_instance_uid: string }) => (
    <Stack gap={0}>
      <Uid>{row.sop_instance_uid}</Uid>
      <Text size="xs" c="dimmed" ff="monospace">
        {say('study')} {row.study_instance_uid}
      </Text>
    </Stack>
  );
  const pendingColumns: readonly Column<SetAside>[] = [
    {
      key: 'reason',
      title: sayCommon('reason'),
      sortBy: (row) => row.reason,
      render: (row) => (
        <StateBadge state={row.reason === 'CONTENT DIFFERS' ? 'warning' : 'failed'}>
          {reasonOf(row.reason)}
        </StateBadge>
      ),
    },
    { key: 'object', title: say('object'), render: object },
    {
      key: 'from',
      title: say('from'),
      sortBy: (row) => row.calling_ae_title,
      render: (row) => row.calling_ae_title ?? '',
    },
    {
      key: 'received',
      title: say('received'),
      sortBy: (row) => row.received_at,
      render: (row) => format.dateTime(row.received_at),
    },
    {
      key: 'size',
      title: say('size'),
      align: 'right',
      sortBy: (row) => row.size,
      render: (row) => format.bytes(row.size),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button size="compact-xs" variant="light" onClick={() => setCompared(row.id)}>
          {say('compare')}
        </Button>
      ),
    },
  ];
  const taskColumns: readonly Column<Task>[] = [
    {
      key: 'kind',
      title: say('task'),
      sortBy: (row) => row.kind,
      render: (row) => (
        <Text size="sm" fw={600}>
          {row.kind}
        </Text>
      ),
    },
    {
      key: 'subject',
      title: say('subject'),
      render: (row) => (
        <Tooltip label={JSON.stringify(row.detail)} multiline maw={480} disabled={row.detail === null}>
          <Text size="xs" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
            {row.subject}
          </Text>
        </Tooltip>
      ),
    },
    {
      key: 'toDo',
      title: say('toDo'),
      render: (row) => (
        <Text size="sm" maw={460}>
          {sayTask(row.kind in taskMessages.en ? (row.kind as keyof typeof taskMessages.en) : 'other')}
        </Text>
      ),
    },
    {
      key: 'created',
      title: sayCommon('since'),
      sortBy: (row) => row.created_at,
      render: (row) => format.relative(row.created_at),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Button size="compact-xs" variant="default" onClick={() => close.mutate(row.id)}>
          {say('done')}
        </Button>
      ),
    },
  ];
  const decidedColumns: readonly Column<Decided>[] = [
    { key: 'object', title: say('object'), render: object },
    { key: 'reason', title: sayCommon('reason'), render: (row) => reasonOf(row.reason) },
    {
      key: 'decision',
      title: say('decision'),
      render: (row) => (
        <StateBadge state="neutral">{say(row.state === 'ACCEPTED' ? 'ACCEPTED' : 'DISMISSED')}</StateBadge>
      ),
    },
    { key: 'by', title: say('by'), sortBy: (row) => row.resolved_by, render: (row) => row.resolved_by ?? '' },
    {
      key: 'when',
      title: say('when'),
      sortBy: (row) => row.resolved_at,
      render: (row) => format.dateTime(row.resolved_at),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button size="compact-xs" variant="light" onClick={() => setCompared(row.id)}>
            {say('compare')}
          </Button>
          {row.state === 'DISMISSED' ? (
            <Button size="compact-xs" variant="default" onClick={() => reopen.mutate(row.id)}>
              {say('reopen')}
            </Button>
          ) : null}
        </Group>
      ),
    },
  ];
  const matches = (row: SetAside | Decided): boolean =>
    contains(filter, row.sop_instance_uid, row.study_instance_uid, row.calling_ae_title, row.reason);

  return (
    <Stack gap="sm">
      <PageHeader
        title={say('title')}
        description={say('description')}
        actions={<Filter value={filter} onChange={setFilter} />}
      />
      <Panel title={say('pending')} isFlush>
        <Shown query={pending}>
          {(rows) => (
            <DataTable
              label={say('pending')}
              rows={rows.filter(matches)}
              columns={pendingColumns}
              rowKey={(row) => String(row.id)}
              onOpen={(row) => setCompared(row.id)}
              empty={<Empty title={say('noPending')} />}
            />
          )}
        </Shown>
      </Panel>
      <Panel title={say('tasks')} isFlush>
        <Shown query={tasks}>
          {(rows) => (
            <DataTable
              label={say('tasks')}
              rows={rows.filter((row) => contains(filter, row.kind, row.subject))}
              columns={taskColumns}
              rowKey={(row) => String(row.id)}
              empty={<Empty title={say('noTasks')} />}
            />
          )}
        </Shown>
      </Panel>
      <Panel title={say('decided')} isFlush>
        <Shown query={decided}>
          {(rows) => (
            <DataTable
              label={say('decided')}
              rows={rows.filter(matches)}
              columns={decidedColumns}
              rowKey={(row) => String(row.id)}
              empty={<Empty title={say('noDecided')} />}
            />
          )}
        </Shown>
      </Panel>
      {compared === null ? null : (
        <CompareDialog
          number={compared}
          onClose={() => setCompared(null)}
          onDecided={(text) => {
            setCompared(null);
            notify.done(text);
            refresh();
          }}
        />
      )}
    </Stack>
  );
}

function Uid(props: { readonly children: string }): ReactNode {
  return (
    <Text size="xs" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
      {props.children}
    </Text>
  );
}
