import { Button } from '@mantine/core';
import { call, type SessionEntry } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { browserOf } from '../account/browser';
import { Listed } from './Listed';
import { messages } from './messages';

const KEY = ['admin', 'sessions'];

/** Who is signed in now. */
export function SessionsPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const sessions = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call('GET /api/v1/sessions', { signal }),
    refetchInterval: 30_000,
  });
  const end = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/sessions/{number}', { path: { number } }),
    onSuccess: () => notify.done(say('ended')),
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries({ queryKey: KEY }),
  });
  const columns: readonly Column<SessionEntry>[] = [
    { key: 'user', title: say('user'), sortBy: (row) => row.user_name, render: (row) => row.user_name },
    { key: 'method', title: say('method'), sortBy: (row) => row.method, render: (row) => row.method },
    { key: 'peer', title: say('address'), sortBy: (row) => row.peer, render: (row) => row.peer },
    {
      key: 'agent',
      title: say('browser'),
      render: (row) => <span title={row.agent}>{browserOf(row.agent) ?? row.agent.slice(0, 40)}</span>,
    },
    {
      key: 'created',
      title: say('since'),
      sortBy: (row) => row.created_at,
      render: (row) => format.dateTime(row.created_at),
    },
    {
      key: 'seen',
      title: say('lastSeen'),
      sortBy: (row) => row.seen_at,
      render: (row) => format.relative(row.seen_at),
    },
    {
      key: 'end',
      title: say('end'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        row.is_this_one ? null : (
          <Button size="compact-xs" variant="default" onClick={() => end.mutate(row.id)}>
            {say('end')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <PageHeader title={say('sessions')} description={say('sessionsText')} />
      <Panel isFlush>
        <Listed query={sessions}>
          {(rows) => (
            <DataTable
              label={say('sessions')}
              rows={rows}
              columns={columns}
              rowKey={(row) => String(row.id)}
            />
          )}
        </Listed>
      </Panel>
    </>
  );
}
