import {
  Anchor,
  Badge,
  Box,
  Button,
  Center,
  Chip,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type ListedOrder } from '@negatoscope/api-client';
import {
  type Action,
  type Column,
  DataTable,
  DateField,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useActions,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { ageOf, partialDate, shownName } from '../patients/names';
import { useMay } from '../session/session';
import { OrderBadge, PriorityBadge, VettingBadge } from './badges';
import { procedureName, wantedProcedures } from './describe';
import { messages } from './messages';
import {
  dayStart,
  MODALITIES,
  type OrderPriority,
  type OrdersSearch,
  PRIORITIES,
  readSearch,
  STATES,
  VETTING,
  type VettingState,
} from './search';

const PAGE = 100;
const QUIET_MS = 250;
const REFRESH_MS = 15_000;

/** Everything that was asked for, newest first. */
export function OrdersPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const mayOrder = useMay('order');
  const mayVet = useMay('vet');
  const search = useSearch({ from: '/signed-in/shell/orders' });
  const navigate = useNavigate({ from: '/orders' });
  const change = (to: { readonly [K in keyof OrdersSearch]?: OrdersSearch[K] | undefined }) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  const [text, setText] = useState(search.text ?? '');
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const box = useRef<HTMLInputElement>(null);
  const table = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: typed words go into the address, not back
  useEffect(() => {
    if (wanted !== (search.text ?? '')) change({ text: wanted });
  }, [wanted]);

  const query = {
    ...(search.text === undefined ? {} : { text: search.text }),
    ...(search.state === undefined ? {} : { state: [search.state] }),
    ...(search.priority === undefined ? {} : { priority: [search.priority] }),
    ...(search.modality === undefined ? {} : { modality: [search.modality] }),
    ...(search.vetting === undefined ? {} : { vetting: [search.vetting] }),
    ...(search.from === undefined ? {} : { created_from: dayStart(search.from) }),
    ...(search.until === undefined ? {} : { created_until: dayStart(search.until, 1) }),
    ...(search.patient === undefined ? {} : { patient: search.patient }),
    ...(search.unknown === undefined ? {} : { not_in_catalogue: true }),
  };
  const list = useInfiniteQuery({
    queryKey: ['orders', 'list', query],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/orders', {
        query: { ...query, limit: PAGE, ...(pageParam === 0 ? {} : { before: pageParam }) },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next_before ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const rows = list.data?.pages.flatMap((page) => page.orders) ?? [];
  const first = list.data?.pages[0];
  const counts: Readonly<Record<string, number>> = first?.counts ?? {};
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const isFiltered = Object.keys(search).length > 0;

  useActions(
    useMemo<readonly Action[]>(
      () => [
        {
          id: 'orders.search',
          label: { en: 'Search orders', fr: 'Chercher une demande' },
          group: { en: 'Orders', fr: 'Demandes' },
          shortcut: 'f',
          perform: () => box.current?.focus(),
        },
        {
          id: 'orders.new',
          label: { en: 'New order', fr: 'Nouvelle demande' },
          group: { en: 'Orders', fr: 'Demandes' },
          shortcut: 'n',
          isEnabled: mayOrder,
          perform: () => void navigate({ to: '/orders/new' }),
        },
      ],
      [mayOrder, navigate],
    ),
  );

  const open = (row: ListedOrder) =>
    void navigate({ to: '/orders/$number', params: { number: String(row.id) } });

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown') return;
    const row = table.current?.querySelector<HTMLElement>('tbody tr');
    if (row) {
      event.preventDefault();
      row.focus();
    }
  }

  const columns: readonly Column<ListedOrder>[] = [
    {
      key: 'patient',
      title: say('patient'),
      render: (row) => {
        const age = ageOf(row.patient.birth_date);
        return (
          <Box miw={170}>
            <Anchor
              size="sm"
              fw={600}
              renderRoot={(root) => (
                <Link to="/orders/$number" params={{ number: String(row.id) }} {...root} />
              )}
            >
              {shownName(row.patient, format) || row.patient_id}
            </Anchor>
            <Text size="xs" c="dimmed">
              {[
                partialDate(row.patient.birth_date, format),
                age === null ? '' : `${age}`,
                row.patient.sex,
                row.patient_id,
              ]
                .filter(Boolean)
                .join(' · ')}
            </Text>
          </Box>
        );
      },
    },
    {
      key: 'procedures',
      title: say('procedures'),
      render: (row) => (
        <Stack gap={0}>
          {wantedProcedures(row).map((one) => (
            <Group key={one.id} gap={6} wrap="nowrap">
              <Text size="xs" c="dimmed" w={26} style={{ flexShrink: 0 }}>
                {one.modality}
              </Text>
              <Text size="sm" truncate maw={260}>
                {procedureName(one)}
              </Text>
              {one.catalogue === null ? (
                <Badge size="sm" variant="outline" color="orange" tt="none" title={say('notInCatalogueHint')}>
                  {say('notInCatalogue')}
                </Badge>
              ) : null}
              {one.vetting === 'ACCEPTED' ? null : <VettingBadge vetting={one.vetting} />}
            </Group>
          ))}
        </Stack>
      ),
    },
    {
      key: 'state',
      title: say('state'),
      width: 120,
      render: (row) => (
        <Stack gap={4} align="flex-start">
          <OrderBadge state={row.state} />
          <PriorityBadge priority={row.priority} />
        </Stack>
      ),
    },
    {
      key: 'when',
      title: say('when'),
      width: 130,
      render: (row) =>
        row.starts_at !== null ? (
          format.dateTime(row.starts_at)
        ) : row.wished_at !== null && row.state === 'REQUESTED' ? (
          <Text size="xs" c="dimmed">
            {say('wished', { date: format.date(new Date(row.wished_at)) })}
          </Text>
        ) : null,
    },
    {
      key: 'service',
      title: say('service'),
      render: (row) => (
        <>
          <Text size="sm" truncate maw={120}>
            {row.requesting_service}
          </Text>
          <Text size="xs" c="dimmed" truncate maw={120}>
            {format.personName(row.requesting_physician)}
          </Text>
        </>
      ),
    },
    {
      key: 'number',
      title: say('number'),
      width: 120,
      render: (row) => (
        <>
          {row.accession_number}
          <Text size="xs" c="dimmed" title={format.dateTime(row.created_at)}>
            {format.relative(row.created_at)}
          </Text>
        </>
      ),
    },
  ];

  return (
    <>
      <PageHeader
        title={say('title')}
        actions={
          <Group gap="xs">
            {mayVet && (first?.waiting_for_vetting ?? 0) > 0 ? (
              <Button variant="default" renderRoot={(root) => <Link to="/vetting" {...(root as object)} />}>
                {say('toVet', { count: first?.waiting_for_vetting ?? 0 })}
              </Button>
            ) : null}
            {mayOrder ? (
              <Button
                leftSection={<IconPlus size={16} aria-hidden />}
                renderRoot={(root) => <Link to="/orders/new" {...(root as object)} />}
              >
                {say('newOrder')}
              </Button>
            ) : null}
          </Group>
        }
      />
      <Panel isFlush>
        <Stack gap="xs" p="xs">
          <Group gap="xs">
            <TextInput
              ref={box}
              flex={1}
              miw={220}
              aria-label={say('search')}
              placeholder={say('search')}
              leftSection={<IconSearch size={15} aria-hidden />}
              value={text}
              maxLength={200}
              onChange={(event) => setText(event.currentTarget.value)}
              onKeyDown={onKeyDown}
            />
            <Select
              aria-label={say('priority')}
              placeholder={say('priorityAny')}
              clearable
              w={150}
              value={search.priority ?? null}
              data={PRIORITIES.map((one) => ({ value: one, label: say(`priority${one}`) }))}
              onChange={(value) => change({ priority: (value as OrderPriority | null) ?? undefined })}
            />
            <Select
              aria-label={say('modality')}
              placeholder={say('modalityAny')}
              clearable
              searchable
              w={150}
              value={search.modality ?? null}
              data={[...MODALITIES]}
              onChange={(value) => change({ modality: value ?? undefined })}
            />
            <Select
              aria-label={say('vetting')}
              placeholder={say('vettingAny')}
              clearable
              w={160}
              value={search.vetting ?? null}
              data={VETTING.map((one) => ({ value: one, label: say(`vetting${one}`) }))}
              onChange={(value) => change({ vetting: (value as VettingState | null) ?? undefined })}
            />
            <DateField
              w={130}
              aria-label={say('from')}
              placeholder={say('from')}
              value={search.from ?? ''}
              onChange={(day) => change({ from: day })}
            />
            <DateField
              w={130}
              aria-label={say('until')}
              placeholder={say('until')}
              value={search.until ?? ''}
              onChange={(day) => change({ until: day })}
            />
          </Group>
          <Group gap={6}>
            <Chip
              size="xs"
              radius="sm"
              checked={search.state === undefined}
              onChange={() => change({ state: undefined })}
            >
              {say('all')} {format.number(total)}
            </Chip>
            {STATES.filter((one) => (counts[one] ?? 0) > 0 || search.state === one).map((one) => (
              <Chip
                key={one}
                size="xs"
                radius="sm"
                checked={search.state === one}
                onChange={(isOn) => change({ state: isOn ? one : undefined })}
              >
                {say(one)} {format.number(counts[one] ?? 0)}
              </Chip>
            ))}
            <Chip
              size="xs"
              radius="sm"
              color="orange"
              title={say('notInCatalogueHint')}
              checked={search.unknown === true}
              onChange={(isOn) => change({ unknown: isOn ? true : undefined })}
            >
              {say('notInCatalogue')}
            </Chip>
            {search.patient === undefined ? null : (
              <Chip size="xs" radius="sm" checked onChange={() => change({ patient: undefined })}>
                {say('ofOnePatient')}
              </Chip>
            )}
            {isFiltered ? (
              <Button
                size="compact-xs"
                variant="subtle"
                onClick={() => {
                  setText('');
                  void navigate({ search: {}, replace: true });
                }}
              >
                {say('clear')}
              </Button>
            ) : null}
          </Group>
        </Stack>
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading /> : null}
        {list.data === undefined ? null : (
          <div ref={table}>
            <DataTable
              label={say('list')}
              rows={rows}
              columns={columns}
              rowKey={(row) => String(row.id)}
              onOpen={open}
              empty={<Empty>{say(isFiltered ? 'noMatch' : 'nothing')}</Empty>}
            />
          </div>
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
    </>
  );
}
