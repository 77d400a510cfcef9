import { SimpleGrid, Stack, Text } from '@mantine/core';
import { type Association, call, type Process } from '@negatoscope/api-client';
import { type Column, DataTable, Empty, PageHeader, Panel, useFormat, useMessages } from '@negatoscope/ui';
import { type ReactNode, useState } from 'react';
import { Figure } from './JobsPage';
import { contains, Filter, Shown, StateBadge, useLive } from './live';
import { messages } from './operations.messages';

/** Who is connected now. */
export function ConnectionsPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [filter, setFilter] = useState('');
  const connections = useLive(
    ['connections'],
    (signal) => call('GET /api/v1/operations/connections', { signal }),
    3000,
  );
  const seconds = (value: number): string =>
    value < 120
      ? `${format.number(Math.round(value))}\u00A0s`
      : `${format.number(Math.round(value / 60))}\u00A0min`;

  const associationColumns: readonly Column<Association>[] = [
    {
      key: 'calling',
      title: say('calling'),
      sortBy: (row) => row.calling_ae_title,
      render: (row) => (
        <Text size="sm" fw={600}>
          {row.calling_ae_title}
        </Text>
      ),
    },
    { key: 'from', title: say('from'), sortBy: (row) => row.peer_host, render: (row) => row.peer_host },
    {
      key: 'tls',
      title: 'TLS',
      render: (row) =>
        row.tls === '' ? (
          <Text size="xs" c="dimmed">
            {say('clear')}
          </Text>
        ) : (
          <Text size="xs">{row.tls}</Text>
        ),
    },
    { key: 'last', title: say('doing_'), sortBy: (row) => row.last, render: (row) => row.last },
    {
      key: 'requests',
      title: say('requests'),
      align: 'right',
      sortBy: (row) => row.requests,
      render: (row) => format.number(row.requests),
    },
    {
      key: 'duration',
      title: say('duration'),
      align: 'right',
      sortBy: (row) => row.seconds,
      render: (row) => seconds(row.seconds),
    },
    {
      key: 'quiet',
      title: say('quiet'),
      align: 'right',
      sortBy: (row) => row.idle_s,
      render: (row) => seconds(row.idle_s),
    },
  ];
  const processColumns: readonly Column<Process>[] = [
    {
      key: 'role',
      title: say('role'),
      sortBy: (row) => row.role,
      render: (row) => <StateBadge state="neutral">{row.role}</StateBadge>,
    },
    { key: 'node', title: say('node'), sortBy: (row) => row.node, render: (row) => row.node },
    { key: 'pid', title: say('pid'), align: 'right', sortBy: (row) => row.pid, render: (row) => row.pid },
    {
      key: 'started',
      title: say('running_'),
      sortBy: (row) => row.started_at,
      render: (row) => format.relative(row.started_at),
    },
    {
      key: 'heard',
      title: say('heard'),
      align: 'right',
      sortBy: (row) => row.age_s,
      render: (row) => seconds(row.age_s),
    },
  ];

  return (
    <Stack gap="sm">
      <PageHeader
        title={say('connections')}
        description={say('connectionsHint')}
        actions={<Filter value={filter} onChange={setFilter} />}
      />
      <Shown query={connections}>
        {(data) => (
          <Stack gap="sm">
            <Panel>
              <SimpleGrid cols={{ base: 2, sm: 5 }} spacing="xs">
                <Figure label={say('associations')} value={format.number(data.associations.length)} />
                <Figure label={say('halfOpen')} value={format.number(data.half_open)} />
                <Figure label={say('sessions')} value={format.number(data.sessions)} />
                <Figure label={say('httpRequests')} value={format.number(data.http_requests)} />
                <Figure label={say('sockets')} value={format.number(data.web_sockets)} />
              </SimpleGrid>
            </Panel>
            <Panel title={say('associations')} isFlush>
              <DataTable
                label={say('associations')}
                rows={data.associations.filter((row) =>
                  contains(filter, row.calling_ae_title, row.peer_host, row.last),
                )}
                columns={associationColumns}
                rowKey={(row) =>
                  `${row.node} ${row.pid} ${row.calling_ae_title} ${row.peer_host} ${row.seconds - row.idle_s}`
                }
                empty={<Empty title={say('noAssociations')} />}
              />
            </Panel>
            <Panel title={say('processes')} isFlush>
              <DataTable
                label={say('processes')}
                rows={data.processes.filter((row) => contains(filter, row.role, row.node, row.pid))}
                columns={processColumns}
                rowKey={(row) => `${row.node} ${row.pid}`}
                empty={<Empty title={say('noProcesses')} />}
              />
            </Panel>
          </Stack>
        )}
      </Shown>
    </Stack>
  );
}
