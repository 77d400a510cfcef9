import { Button, Code, Group, Select, Stack, Switch, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type LogEvent } from '@negatoscope/api-client';
import { type Column, DataTable, Empty, PageHeader, Panel, useFormat, useMessages } from '@negatoscope/ui';
import { type ReactNode, useState } from 'react';
import { Filter, Shown, StateBadge, useLive } from './live';
import { messages } from './operations.messages';

const LEVELS = ['debug', 'info', 'warning', 'error'] as const;
type Level = (typeof LEVELS)[number];
const ROLES = ['dicom', 'http', 'worker', 'hl7', 'supervisor', 'http-plain'];
const PAGE = 200;
const WAIT_MS = 300;

/** The latest events, filtered. */
export function LogsPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [level, setLevel] = useState<Level>('info');
  const [role, setRole] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [before, setBefore] = useState<string | null>(null);
  const [follows, setFollows] = useState(true);
  const [wanted] = useDebouncedValue(text, WAIT_MS);
  const isFollowing = follows && before === null;
  const events = useLive(
    ['logs', level, role, wanted, before],
    (signal) =>
      call('GET /api/v1/operations/logs', {
        query: { level, role, text: wanted, before, limit: PAGE },
        signal,
      }),
    isFollowing ? 3000 : 0,
  );

  const columns: readonly Column<LogEvent>[] = [
    {
      key: 'at',
      title: say('time'),
      width: 170,
      render: (row) => (
        <Text size="xs" ff="monospace" title={row.at}>
          {format.dateTime(row.at)}:{row.at.slice(17, 19)}
        </Text>
      ),
    },
    {
      key: 'level',
      title: say('severity'),
      width: 140,
      render: (row) => (
        <StateBadge
          state={
            row.level === 'error' || row.level === 'critical'
              ? 'failed'
              : row.level === 'warning'
                ? 'warning'
                : 'neutral'
          }
        >
          {row.level in messages.en ? say(row.level as Level) : row.level}
        </StateBadge>
      ),
    },
    {
      key: 'role',
      title: say('process'),
      width: 120,
      render: (row) => (
        <Text size="xs" title={String(row.pid)}>
          {row.role}
        </Text>
      ),
    },
    {
      key: 'event',
      title: say('text'),
      render: (row) => (
        <Stack gap={2} lang="en">
          <Text size="sm">{row.event}</Text>
          {Object.keys(row.values).length === 0 ? null : (
            <Code style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {Object.entries(row.values)
                .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
                .join('  ')}
            </Code>
          )}
        </Stack>
      ),
    },
  ];

  return (
    <Stack gap="sm">
      <PageHeader title={say('logs')} description={say('logsHint')} />
      <Group gap="xs" align="flex-end">
        <Select
          label={say('level')}
          w={150}
          allowDeselect={false}
          data={LEVELS.map((value) => ({ value, label: say(value) }))}
          value={level}
          onChange={(value) => {
            setLevel((value ?? 'info') as Level);
            setBefore(null);
          }}
        />
        <Select
          label={say('process')}
          w={180}
          clearable
          placeholder={say('allProcesses')}
          data={ROLES}
          value={role}
          onChange={(value) => {
            setRole(value);
            setBefore(null);
          }}
        />
        <Filter value={text} onChange={setText} label={say('search')} />
        <Switch
          label={say('follow')}
          mb={6}
          checked={isFollowing}
          onChange={(event) => {
            setFollows(event.currentTarget.checked);
            setBefore(null);
          }}
        />
      </Group>
      <Panel isFlush>
        <Shown query={events}>
          {(rows) => (
            <>
              <DataTable
                label={say('logs')}
                rows={rows}
                columns={columns}
                rowKey={(row) => `${row.at} ${row.pid} ${row.event} ${JSON.stringify(row.values)}`}
                empty={<Empty title={say('noLogs')}>{say('noLogsHint')}</Empty>}
              />
              <Group justify="flex-end" p="xs" gap="xs">
                {before === null ? null : (
                  <Button variant="default" onClick={() => setBefore(null)}>
                    {say('newest')}
                  </Button>
                )}
                {rows.length < PAGE ? null : (
                  <Button variant="default" onClick={() => setBefore(rows.at(-1)?.at ?? null)}>
                    {say('older')}
                  </Button>
                )}
              </Group>
            </>
          )}
        </Shown>
      </Panel>
    </Stack>
  );
}
