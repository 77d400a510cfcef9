import { Badge, Button } from '@mantine/core';
import { call, type SessionEntry } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Failure,
  Loading,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { browserOf } from './browser';
import { messages } from './messages';

const KEY = ['me', 'sessions'];

/** Where this account is signed in. */
export function OwnSessions(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const sessions = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call('GET /api/v1/me/sessions', { signal }),
  });
  const after = {
    onSuccess: () => void client.invalidateQueries({ queryKey: KEY }),
    onError: notify.failed,
  };
  const end = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/me/sessions/{number}', { path: { number } }),
    ...after,
  });
  const endOthers = useMutation({ mutationFn: () => call('DELETE /api/v1/me/sessions'), ...after });

  const columns: readonly Column<SessionEntry>[] = [
    {
      key: 'agent',
      title: say('browser'),
      render: (row) => (
        <span title={row.agent}>
          {browserOf(row.agent) ?? say('unknownBrowser')}{' '}
          {row.is_this_one ? (
            <Badge size="xs" variant="light" tt="none">
              {say('thisSession')}
            </Badge>
          ) : null}
        </span>
      ),
    },
    { key: 'peer', title: say('address'), render: (row) => row.peer },
    {
      key: 'created',
      title: say('since'),
      render: (row) => format.dateTime(row.created_at),
      sortBy: (row) => row.created_at,
    },
    {
      key: 'seen',
      title: say('lastSeen'),
      render: (row) => format.relative(row.seen_at),
      sortBy: (row) => row.seen_at,
    },
    {
      key: 'end',
      title: say('endSession'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        row.is_this_one ? null : (
          <Button variant="default" size="compact-xs" onClick={() => end.mutate(row.id)}>
            {say('endSession')}
          </Button>
        ),
    },
  ];

  const others = sessions.data?.some((row) => !row.is_this_one) ?? false;
  return (
    <Panel
      title={say('sessions')}
      isFlush
      actions={
        others ? (
          <Button
            variant="default"
            size="compact-xs"
            loading={endOthers.isPending}
            onClick={() => endOthers.mutate()}
          >
            {say('endOthers')}
          </Button>
        ) : null
      }
    >
      {sessions.isError ? <Failure error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {sessions.isPending ? <Loading /> : null}
      {sessions.data === undefined ? null : (
        <DataTable
          label={say('sessions')}
          rows={sessions.data}
          columns={columns}
          rowKey={(row) => String(row.id)}
        />
      )}
    </Panel>
  );
}
