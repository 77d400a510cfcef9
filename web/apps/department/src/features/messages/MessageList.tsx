import {
  Alert,
  Badge,
  Button,
  Center,
  CloseButton,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { call, type HL7Line } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  Panel,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { IconArrowDownLeft, IconArrowUpRight } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { effectsOf, partnerOf, typeOf } from './describe';
import { MessageDrawer } from './MessageDrawer';
import type { Change } from './MessagesPage';
import { messages } from './messages';
import { StateBadge } from './StateBadge';
import { DIRECTIONS, type Direction, type MessageSearch, openOf, STATES, type State } from './search';

const PAGE = 100;
const REFRESH_MS = 5000;

/** Messages of both directions, found by patient, type, state, partner. */
export function MessageList(props: { readonly search: MessageSearch; readonly onChange: Change }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const change = props.onChange;
  const { direction, patient = '', type = '', state, sender = '', destination, request } = props.search;

  const overview = useQuery({
    queryKey: ['hl7', 'overview'],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/overview', { signal }),
    refetchInterval: REFRESH_MS,
  });
  const list = useInfiniteQuery({
    queryKey: ['hl7', 'list', direction, patient, type, state, sender, destination, request],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/hl7/messages', {
        query: {
          direction: direction ?? null,
          patient_identifier: patient,
          message_type: type,
          state: state ?? null,
          partner: sender,
          destination: destination ?? null,
          request: request ?? null,
          limit: PAGE,
          before: pageParam,
        },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.place),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const rows = list.data?.pages.flat() ?? [];
  const columns: readonly Column<HL7Line>[] = [
    {
      key: 'direction',
      title: say('direction'),
      isTitleHidden: true,
      width: 34,
      render: (row) =>
        row.direction === 'in' ? (
          <IconArrowDownLeft size={16} role="img" aria-label={say('in')} />
        ) : (
          <IconArrowUpRight size={16} role="img" aria-label={say('out')} />
        ),
    },
    { key: 'at', title: say('at'), width: 140, render: (row) => format.dateTime(row.at) },
    {
      key: 'type',
      title: say('type'),
      width: 165,
      render: (row) => (
        <Group gap={6} wrap="nowrap">
          {typeOf(row)}
          {row.kind.startsWith('ORDER') ? (
            <Text span size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
              {row.action.replace('_', ' ')}
            </Text>
          ) : null}
        </Group>
      ),
    },
    { key: 'partner', title: say('partner'), render: (row) => partnerOf(row.partner, row.partner_facility) },
    {
      key: 'patient',
      title: say('patient'),
      render: (row) => row.patient_identifiers.filter((one) => one.includes('^')).join(', '),
    },
    { key: 'told', title: say('answer'), width: 80, render: (row) => row.acknowledgment_code },
    { key: 'state', title: say('state'), width: 110, render: (row) => <StateBadge state={row.state} /> },
    {
      key: 'effect',
      title: say('effect'),
      render: (row) => row.reason || effectsOf(row.effect, say).join(' · '),
    },
  ];
  const waiting = overview.data?.pending_count ?? 0;
  return (
    <Stack gap="sm">
      {waiting > 0 ? (
        <Alert color="blue" py="xs">
          {say('waiting', {
            count: waiting,
            since: format.dateTime(overview.data?.oldest_pending_at),
          })}
        </Alert>
      ) : null}
      <Panel isFlush>
        <Group gap="xs" p="xs">
          <Select
            aria-label={say('direction')}
            placeholder={say('bothDirections')}
            clearable
            w={170}
            value={direction ?? null}
            data={DIRECTIONS.map((one) => ({ value: one, label: say(one) }))}
            onChange={(value) => change({ direction: (value as Direction | null) ?? undefined })}
          />
          <TextInput
            aria-label={say('patient')}
            placeholder={say('patient')}
            value={patient}
            onChange={(event) => change({ patient: event.currentTarget.value })}
          />
          <TextInput
            aria-label={say('type')}
            placeholder={say('typeHint')}
            value={type}
            w={120}
            onChange={(event) => change({ type: event.currentTarget.value })}
          />
          <TextInput
            aria-label={say('partner')}
            placeholder={say('partner')}
            value={sender}
            w={160}
            onChange={(event) => change({ sender: event.currentTarget.value })}
          />
          <Select
            aria-label={say('state')}
            placeholder={say('anyState')}
            clearable
            w={160}
            value={state ?? null}
            data={STATES.map((one) => ({ value: one, label: say(one) }))}
            onChange={(value) => change({ state: (value as State | null) ?? undefined })}
          />
          {destination === undefined ? null : (
            <Badge
              variant="light"
              tt="none"
              size="lg"
              rightSection={
                <CloseButton
                  size="xs"
                  aria-label={say('anyDestination')}
                  onClick={() => change({ destination: undefined })}
                />
              }
            >
              {say('oneDestination', { name: rows[0]?.partner ?? String(destination) })}
            </Badge>
          )}
          {request === undefined ? null : (
            <Badge
              variant="light"
              tt="none"
              size="lg"
              rightSection={
                <CloseButton
                  size="xs"
                  aria-label={say('anyOrder')}
                  onClick={() => change({ request: undefined })}
                />
              }
            >
              {say('oneOrder', { number: String(request) })}
            </Badge>
          )}
        </Group>
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading /> : null}
        {list.data === undefined ? null : (
          <DataTable
            label={say('list')}
            minWidth={1040}
            rows={rows}
            columns={columns}
            rowKey={(row) => `${row.direction}-${row.id}`}
            onOpen={(row) => change({ open: `${row.direction}-${row.id}` })}
            empty={<Empty>{say('noMatch')}</Empty>}
          />
        )}
        {list.hasNextPage ? (
          <Center p="xs">
            <Button
              variant="default"
              size="compact-sm"
              loading={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {say('more')}
            </Button>
          </Center>
        ) : null}
      </Panel>
      <MessageDrawer open={openOf(props.search.open ?? '')} onClose={() => change({ open: undefined })} />
    </Stack>
  );
}
