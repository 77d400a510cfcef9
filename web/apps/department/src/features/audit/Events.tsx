import { Button, Menu, Text } from '@mantine/core';
import { type AuditEvent, addressOf, call } from '@negatoscope/api-client';
import { Empty, Failure, Loading, useMessages } from '@negatoscope/ui';
import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { EventDrawer } from './EventDrawer';
import { EventTable } from './EventTable';
import { Filters } from './Filters';
import { messages } from './messages';
import { type AuditSearch, queryOf } from './search';

const PAGE = 200;

/** Events as they are found: filters above, as many rows as one scrolls to, an event beside. */
export function Events(props: {
  readonly search: AuditSearch;
  readonly onChange: (next: AuditSearch) => void;
}): ReactNode {
  const { search, onChange } = props;
  const say = useMessages(messages);
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const query = queryOf(search);
  const found = useInfiniteQuery({
    queryKey: ['audit', 'events', query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/audit/events', { query: { ...query, limit: PAGE, cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.next_cursor,
  });
  const events = useMemo(() => found.data?.pages.flatMap((page) => page.events) ?? [], [found.data]);
  const exportAs = (format: 'csv' | 'json') => addressOf('/api/v1/audit/export', {}, { ...query, format });
  return (
    <>
      <Filters
        search={search}
        onChange={onChange}
        actions={
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />}>
                {say('export')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>{say('exportHint')}</Menu.Label>
              <Menu.Item component="a" href={exportAs('csv')} download>
                {say('exportCsv')}
              </Menu.Item>
              <Menu.Item component="a" href={exportAs('json')} download>
                {say('exportJson')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        }
      />
      {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} /> : null}
      {found.isPending ? <Loading /> : null}
      {found.isSuccess && events.length === 0 ? <Empty title={say('none')}>{say('noneHint')}</Empty> : null}
      {events.length === 0 ? null : (
        <>
          <EventTable
            events={events}
            hasMore={found.hasNextPage}
            onMore={() => {
              if (!found.isFetching) void found.fetchNextPage();
            }}
            onOpen={setOpen}
          />
          <Text size="xs" c="dimmed" mt={4} aria-live="polite">
            {say('shown', { count: events.length })} · {say(found.hasNextPage ? 'more' : 'end')}
          </Text>
        </>
      )}
      <EventDrawer event={open} onClose={() => setOpen(null)} onSearch={onChange} />
    </>
  );
}
