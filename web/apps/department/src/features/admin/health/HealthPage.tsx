import { Alert, Button, Stack, Text } from '@mantine/core';
import { type Check, call } from '@negatoscope/api-client';
import { type Column, DataTable, PageHeader, Panel, useLanguage, useMessages } from '@negatoscope/ui';
import { IconAlertTriangle, IconCircleCheck, IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { contains, Filter, Shown, StateBadge, useLive } from '../live';
import { messages as common } from '../messages';
import { foundIn } from './found';
import { hints, kinds, messages } from './messages';

const ORDER = { failed: 0, warning: 1, ok: 2 } as const;

/** Whether everything is as it must be, and what to do where it is not. */
export function HealthPage(): ReactNode {
  const say = useMessages(messages);
  const sayKind = useMessages(kinds);
  const sayHint = useMessages(hints);
  const sayCommon = useMessages(common);
  const { language } = useLanguage();
  const [filter, setFilter] = useState('');
  const health = useLive(['health'], (signal) => call('GET /api/v1/operations/health', { signal }), 30_000);

  function nameOf(check: Check): string {
    if (!(check.kind in kinds.en)) return check.name;
    const title = sayKind(check.kind as keyof typeof kinds.en);
    const own = check.name.split(' ').slice(1).join(' ');
    const wantsName = ['volume', 'library', 'tls'].includes(check.kind) || check.name.includes('https');
    return own !== '' && wantsName ? `${title} (${own})` : title;
  }

  const columns: readonly Column<Check>[] = [
    {
      key: 'state',
      title: sayCommon('state'),
      width: 110,
      sortBy: (row) => ORDER[row.state],
      render: (row) => <StateBadge state={row.state}>{say(row.state)}</StateBadge>,
    },
    { key: 'name', title: say('what'), width: 260, sortBy: nameOf, render: nameOf },
    {
      key: 'found',
      title: say('found'),
      render: (row) => {
        const found = foundIn(language, row.detail);
        return (
          <Text size="sm" lang={found === null ? 'en' : undefined} style={{ overflowWrap: 'anywhere' }}>
            {found ?? row.detail}
          </Text>
        );
      },
    },
    {
      key: 'hint',
      title: say('toDo'),
      render: (row) =>
        row.hint === '' ? null : (
          <Text size="sm">
            {language === 'fr' && row.kind in hints.en
              ? sayHint(row.kind as keyof typeof hints.en)
              : row.hint}
          </Text>
        ),
    },
  ];

  return (
    <Stack gap="sm">
      <PageHeader
        title={say('title')}
        description={
          health.data === undefined
            ? undefined
            : say('description', { version: health.data.version, name: health.data.ae_title })
        }
        actions={
          <>
            <Filter value={filter} onChange={setFilter} />
            <Button
              variant="default"
              leftSection={<IconRefresh size={14} />}
              loading={health.isFetching}
              onClick={() => void health.refetch()}
            >
              {say('again')}
            </Button>
          </>
        }
      />
      <Shown query={health}>
        {(data) => (
          <Stack gap="sm">
            <Alert
              role="status"
              variant="light"
              styles={{ title: { color: 'var(--mantine-color-text)' } }}
              color={data.state === 'ok' ? 'teal' : data.state === 'warning' ? 'orange' : 'red'}
              icon={data.state === 'ok' ? <IconCircleCheck size={18} /> : <IconAlertTriangle size={18} />}
              title={say(
                data.state === 'ok' ? 'allWell' : data.state === 'warning' ? 'warnings' : 'failures',
              )}
            />
            <Panel isFlush>
              <DataTable
                label={say('title')}
                rows={data.checks
                  .filter((row) => contains(filter, nameOf(row), row.name, row.detail))
                  .sort((a, b) => ORDER[a.state] - ORDER[b.state])}
                columns={columns}
                rowKey={(row) => row.name}
              />
            </Panel>
          </Stack>
        )}
      </Shown>
    </Stack>
  );
}
