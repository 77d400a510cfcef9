import { Alert, Button, Center, Group, Select, Stack, TextInput } from '@mantine/core';
import { call, type HL7Message, type HL7Sender } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { effectsOf, senderOf, typeOf } from './describe';
import { MessageDrawer } from './MessageDrawer';
import { messages } from './messages';
import { StateBadge } from './StateBadge';
import { type MessageSearch, readSearch, STATES, type State } from './search';

const PAGE = 100;
const REFRESH_MS = 5000;

/** What other systems sent, what they were told, what came of it. */
export function MessagesPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const search = useSearch({ from: '/signed-in/shell/admin/messages' });
  const navigate = useNavigate({ from: '/admin/messages' });
  const change = (to: { readonly [K in keyof MessageSearch]?: MessageSearch[K] | undefined }) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });

  const overview = useQuery({
    queryKey: ['hl7', 'overview'],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/overview', { signal }),
    refetchInterval: REFRESH_MS,
  });
  const { patient = '', type = '', state, sender = '' } = search;
  const list = useInfiniteQuery({
    queryKey: ['hl7', 'list', patient, type, state, sender],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/hl7/messages', {
        query: {
          patient_identifier: patient,
          message_type: type,
          state: state ?? null,
          sending_application: sender,
          limit: PAGE,
          ...(pageParam === 0 ? {} : { before_id: pageParam }),
        },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const rows = list.data?.pages.flat() ?? [];

  const columns: readonly Column<HL7Message>[] = [
    { key: 'at', title: say('received'), width: 140, render: (row) => format.dateTime(row.stored_at) },
    { key: 'type', title: say('type'), width: 100, render: typeOf },
    { key: 'sender', title: say('sender'), render: senderOf },
    {
      key: 'patient',
      title: say('patient'),
      render: (row) => row.patient_identifiers.filter((one) => one.includes('^')).join(', '),
    },
    { key: 'told', title: say('told'), width: 80, render: (row) => row.verdict.code },
    { key: 'state', title: say('state'), width: 110, render: (row) => <StateBadge state={row.state} /> },
    {
      key: 'effect',
      title: say('effect'),
      render: (row) => row.state_reason || effectsOf(row, say).join(' · '),
    },
  ];
  const senderColumns: readonly Column<HL7Sender>[] = [
    { key: 'sender', title: say('sender'), render: senderOf },
    { key: 'address', title: say('address'), render: (row) => row.last_peer },
    { key: 'last', title: say('lastAt'), render: (row) => format.relative(row.last_at) },
    { key: 'count', title: say('count'), align: 'right', render: (row) => format.number(row.message_count) },
    {
      key: 'pending',
      title: say('pending'),
      align: 'right',
      render: (row) => format.number(row.pending_count),
    },
    { key: 'failed', title: say('failed'), align: 'right', render: (row) => format.number(row.failed_count) },
  ];
  const waiting = overview.data?.pending_count ?? 0;

  return (
    <>
      <PageHeader title={say('title')} />
      <Stack gap="sm">
        {waiting > 0 ? (
          <Alert color="blue" py="xs">
            {say('waiting', {
              count: waiting,
              since: format.dateTime(overview.data?.oldest_pending_at),
            })}
          </Alert>
        ) : null}
        <Panel title={say('senders')} isFlush>
          {overview.data === undefined ? null : (
            <DataTable
              label={say('senders')}
              rows={overview.data.senders}
              columns={senderColumns}
              rowKey={(row) => `${row.sending_application}|${row.sending_facility}`}
              onOpen={(row) => change({ sender: row.sending_application })}
              empty={<Empty>{say('noSender')}</Empty>}
            />
          )}
        </Panel>
        <Panel title={say('list')} isFlush>
          <Group gap="xs" p="xs">
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
              aria-label={say('sender')}
              placeholder={say('sender')}
              value={sender}
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
          </Group>
          {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
          {list.isPending ? <Loading /> : null}
          {list.data === undefined ? null : (
            <DataTable
              label={say('list')}
              rows={rows}
              columns={columns}
              rowKey={(row) => String(row.id)}
              onOpen={(row) => change({ open: row.id })}
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
      </Stack>
      <MessageDrawer number={search.open} onClose={() => change({ open: undefined })} />
    </>
  );
}
