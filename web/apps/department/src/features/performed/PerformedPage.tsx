import { Badge, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { Empty, Failure, Loading, PageHeader, useFormat, useMessages } from '@negatoscope/ui';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback } from 'react';
import { useChanges } from '../live/useChanges';
import { messages } from './messages';
import { nameOf, PERFORMED, type PerformedStep } from './model';
import classes from './PerformedPage.module.css';
import { PerformedPanel } from './PerformedPanel';

const TONES = { 'IN PROGRESS': 'blue', COMPLETED: 'green', DISCONTINUED: 'orange' } as const;

/** What modalities say that they did; first what waits for a person. */
export function PerformedPage(): ReactNode {
  const say = useMessages(messages);
  const search = useSearch({ from: '/signed-in/shell/performed-steps' });
  const navigate = useNavigate({ from: '/performed-steps' });
  const client = useQueryClient();
  const show = search.show ?? 'waiting';
  const query =
    show === 'waiting' ? { flagged: true } : show === 'progress' ? { state: 'IN PROGRESS' as const } : {};
  const list = useInfiniteQuery({
    queryKey: [...PERFORMED, show],
    queryFn: ({ signal, pageParam }) =>
      call('GET /api/v1/performed-steps', { query: { ...query, before: pageParam, limit: 50 }, signal }),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next_before,
    refetchInterval: 60_000,
  });
  const reload = useCallback(() => void client.invalidateQueries({ queryKey: PERFORMED }), [client]);
  useChanges({ onChanges: ({ changes }) => changes.length > 0 && reload(), onMissed: reload });
  const found = list.data?.pages.flatMap((page) => page.items) ?? [];
  const open = (one: number | undefined): void =>
    void navigate({
      search: (before) => ({
        ...(before.show === undefined ? {} : { show: before.show }),
        ...(one === undefined ? {} : { open: one }),
      }),
      replace: true,
    });
  return (
    <div>
      <PageHeader
        title={say('title')}
        description={say('about')}
        actions={
          <SegmentedControl
            size="xs"
            aria-label={say('title')}
            value={show}
            data={(['waiting', 'progress', 'all'] as const).map((value) => ({ value, label: say(value) }))}
            onChange={(value) =>
              void navigate({ search: value === 'waiting' ? {} : { show: value as 'all' }, replace: true })
            }
          />
        }
      />
      {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
      <div className={classes['columns'] ?? ''}>
        <div>
          {list.isPending ? (
            <Loading />
          ) : found.length === 0 ? (
            <Empty title={say(show === 'waiting' ? 'none' : 'noneOther')} />
          ) : (
            <ul className={classes['list'] ?? ''}>
              {found.map((one) => (
                <li key={one.id}>
                  <Line one={one} isOpen={one.id === search.open} onOpen={() => open(one.id)} />
                </li>
              ))}
            </ul>
          )}
          {list.hasNextPage ? (
            <Button
              variant="default"
              mt="xs"
              loading={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {say('more')}
            </Button>
          ) : null}
        </div>
        <div>
          {search.open === undefined ? (
            <Text size="sm" c="dimmed">
              {found.length === 0 ? '' : say('choose')}
            </Text>
          ) : (
            <PerformedPanel key={search.open} number={search.open} onChanged={reload} />
          )}
        </div>
      </div>
    </div>
  );
}

function Line(props: {
  readonly one: PerformedStep;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
}): ReactNode {
  const { one } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const name = nameOf(one);
  return (
    <button
      type="button"
      className={classes['line'] ?? ''}
      aria-current={props.isOpen || undefined}
      onClick={props.onOpen}
    >
      <Group gap={8} wrap="nowrap" justify="space-between">
        <Text size="sm" fw={600} truncate>
          {name === '' ? say('unknownPatient') : name}
        </Text>
        <StateBadge state={one.state} />
      </Group>
      <Text size="sm" c="dimmed" truncate>
        {[
          one.modality,
          one.performed_station_ae_title,
          format.dateTime(one.started_at ?? one.created_at),
          say('images', { count: one.instance_count }),
        ].join(' · ')}
      </Text>
      {one.flags.length === 0 || one.seen_at !== null ? null : (
        <Stack gap={0}>
          {one.flags.map((flag) => (
            <span key={flag} className={classes['flag'] ?? ''}>
              {say(flag)}
            </span>
          ))}
        </Stack>
      )}
    </button>
  );
}

export function StateBadge(props: { readonly state: PerformedStep['state'] }): ReactNode {
  const say = useMessages(messages);
  return (
    <Badge variant="light" tt="none" color={TONES[props.state]} style={{ flex: 'none' }}>
      {say(props.state)}
    </Badge>
  );
}
