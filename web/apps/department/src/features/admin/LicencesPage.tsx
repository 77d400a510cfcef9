import { Anchor, Button, Stack } from '@mantine/core';
import { type Component, call } from '@negatoscope/api-client';
import { type Column, DataTable, PageHeader, Panel, useMessages } from '@negatoscope/ui';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { contains, Filter, Shown } from './live';
import { messages } from './operations.messages';

/** Whose work is in this program. */
export function LicencesPage(): ReactNode {
  const say = useMessages(messages);
  const [filter, setFilter] = useState('');
  const components = useQuery({
    queryKey: ['admin', 'licences'],
    queryFn: ({ signal }) => call('GET /api/v1/operations/licences', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const columns: readonly Column<Component>[] = [
    {
      key: 'name',
      title: say('package'),
      sortBy: (row) => row.name,
      render: (row) =>
        row.homepage === '' ? (
          row.name
        ) : (
          <Anchor size="sm" href={row.homepage} target="_blank" rel="noreferrer noopener">
            {row.name}
          </Anchor>
        ),
    },
    { key: 'version', title: say('version'), render: (row) => row.version },
    { key: 'licence', title: say('licence'), sortBy: (row) => row.licence, render: (row) => row.licence },
    {
      key: 'ecosystem',
      title: say('ecosystem'),
      sortBy: (row) => row.ecosystem,
      render: (row) => say(row.ecosystem === 'web' ? 'web' : 'python'),
    },
  ];
  return (
    <Stack gap="sm">
      <PageHeader
        title={say('licences')}
        description={say('licencesHint')}
        actions={
          <>
            <Filter value={filter} onChange={setFilter} />
            <Button
              component="a"
              href="/api/v1/operations/licences.txt"
              download
              variant="default"
              leftSection={<IconDownload size={14} />}
            >
              {say('download')}
            </Button>
          </>
        }
      />
      <Panel isFlush>
        <Shown query={components}>
          {(rows) => (
            <DataTable
              label={say('licences')}
              rows={rows.filter((row) => contains(filter, row.name, row.licence))}
              columns={columns}
              rowKey={(row) => `${row.ecosystem} ${row.name} ${row.version}`}
            />
          )}
        </Shown>
      </Panel>
    </Stack>
  );
}
