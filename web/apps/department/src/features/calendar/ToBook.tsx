import { ActionIcon, Alert, Badge, Button, Group, Stack, Tabs, Text, Tooltip } from '@mantine/core';
import { call, type Slot } from '@negatoscope/api-client';
import { Empty, Failure, Loading, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { IconX } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, type PointerEvent as ReactPointerEvent, useMemo } from 'react';
import { type Entry, entriesOf, entryOf, isUrgent, minutesOfEntry } from './entries';
import { messages } from './messages';
import { patientName } from './names';
import { SlotList, type Wish } from './SlotList';
import classes from './ToBook.module.css';
import { TO_BOOK } from './useCalendar';

const PAGE = 50;
const REFRESH_MS = 15_000;

/** What waits for a time: orders, and the waiting list; what is chosen gets slots proposed. */
export function ToBook(props: {
  readonly modality: readonly string[];
  readonly order: number | undefined;
  readonly chosen: Entry | null;
  readonly zone: string;
  readonly mayChange: boolean;
  readonly wish: Wish;
  readonly rooms: readonly number[] | null;
  readonly onWish: (wish: Wish) => void;
  readonly roomName: (room: number) => string;
  readonly onChoose: (entry: Entry | null) => void;
  readonly onCarry: (entry: Entry, event: ReactPointerEvent) => void;
  readonly onShow: (slot: Slot) => void;
  readonly onTake: (entry: Entry, slot: Slot) => void;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}): ReactNode {
  const { chosen } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const modality = props.modality.length === 1 ? (props.modality[0] ?? '') : '';
  const steps = useInfiniteQuery({
    queryKey: [...TO_BOOK, 'steps', modality, props.order ?? null],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/waiting-steps', {
        query: { modality, request: props.order ?? null, after: pageParam, limit: PAGE },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.step),
    refetchInterval: REFRESH_MS,
  });
  const waiting = useQuery({
    queryKey: [...TO_BOOK, 'waiting', modality],
    queryFn: ({ signal }) => call('GET /api/v1/waiting-list', { query: { modality, limit: 200 }, signal }),
    refetchInterval: REFRESH_MS,
  });
  const orders = useMemo(() => entriesOf(steps.data?.pages.flat() ?? []), [steps.data]);
  const listed = useMemo(() => (waiting.data ?? []).map(entryOf), [waiting.data]);
  const park = useMutation({
    mutationFn: (entry: Entry) =>
      call('POST /api/v1/waiting-list', { body: { steps: entry.steps.map((step) => step.step) } }),
    onSuccess: () => {
      notify.done(say('onList'));
      props.onChoose(null);
      props.onChanged();
    },
    onError: notify.failed,
  });

  return (
    <aside className={classes['panel']} aria-label={say('list')}>
      {chosen === null ? (
        <Group justify="space-between" px={8} pt={6}>
          <Text size="sm" fw={600}>
            {say('list')}
          </Text>
          <ActionIcon aria-label={say('hideList')} onClick={props.onClose}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ) : null}
      {chosen === null ? (
        <Tabs defaultValue="orders" style={{ display: 'contents' }} keepMounted={false}>
          <Tabs.List grow>
            <Tabs.Tab value="orders" px={6}>
              {say('ordersTab')}{' '}
              {orders.length > 0 ? <Count count={orders.length} isMore={steps.hasNextPage} /> : null}
            </Tabs.Tab>
            <Tabs.Tab value="waiting" px={6}>
              {say('waitingTab')} {listed.length > 0 ? <Count count={listed.length} /> : null}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="orders" className={classes['content'] ?? ''}>
            {steps.isError ? <Failure error={steps.error} onRetry={() => void steps.refetch()} /> : null}
            {steps.isPending ? <Loading /> : null}
            {steps.data !== undefined && orders.length === 0 ? (
              <Empty title={say('nothingWaits')}>
                {props.order === undefined
                  ? say('nothingWaitsText')
                  : say('orderOf', { number: String(props.order) })}
              </Empty>
            ) : null}
            <Entries {...props} entries={orders} />
            {steps.hasNextPage ? (
              <Button
                variant="default"
                fullWidth
                mt="xs"
                loading={steps.isFetchingNextPage}
                onClick={() => void steps.fetchNextPage()}
              >
                {say('more')}
              </Button>
            ) : null}
          </Tabs.Panel>
          <Tabs.Panel value="waiting" className={classes['content'] ?? ''}>
            {waiting.isError ? (
              <Failure error={waiting.error} onRetry={() => void waiting.refetch()} />
            ) : null}
            {waiting.isPending ? <Loading /> : null}
            {waiting.data !== undefined && listed.length === 0 ? (
              <Empty title={say('nobodyWaits')}>{say('nobodyWaitsText')}</Empty>
            ) : null}
            <Entries {...props} entries={listed} />
          </Tabs.Panel>
        </Tabs>
      ) : (
        <div className={classes['content']}>
          <Stack gap="sm">
            <Group justify="space-between" wrap="nowrap">
              <Text size="xs" c="dimmed">
                {say('beingBooked')}
              </Text>
              <ActionIcon aria-label={say('stopBooking')} onClick={() => props.onChoose(null)}>
                <IconX size={16} aria-hidden />
              </ActionIcon>
            </Group>
            <div
              className={`${classes['entry']} ${classes['chosen']}`}
              data-entry={chosen.key}
              onPointerDown={(event) => props.onCarry(chosen, event)}
            >
              <EntryText entry={chosen} />
            </div>
            {chosen.isHeld ? (
              <Alert color="yellow" py={6}>
                {say('vettingWaits')}
              </Alert>
            ) : null}
            <Text size="xs" c="dimmed">
              {say('dragHint')}
            </Text>
            <Text size="sm" fw={600}>
              {say('proposals')}
            </Text>
            <SlotList
              steps={chosen.steps.map((step) => step.step)}
              isUrgent={isUrgent(chosen)}
              zone={props.zone}
              verb={say('bookHere')}
              roomName={props.roomName}
              wish={props.wish}
              rooms={props.rooms}
              onWish={props.onWish}
              onShow={props.onShow}
              onTake={(slot) => props.onTake(chosen, slot)}
            />
            {chosen.waiting === undefined && props.mayChange ? (
              <Button variant="default" loading={park.isPending} onClick={() => park.mutate(chosen)}>
                {say('putOnList')}
              </Button>
            ) : null}
          </Stack>
        </div>
      )}
    </aside>
  );
}

function Count(props: { readonly count: number; readonly isMore?: boolean }): ReactNode {
  return (
    <Badge size="xs" variant="light" ml={4}>
      {props.count}
      {props.isMore === true ? '+' : ''}
    </Badge>
  );
}

function Entries(props: {
  readonly entries: readonly Entry[];
  readonly mayChange: boolean;
  readonly onChoose: (entry: Entry) => void;
  readonly onCarry: (entry: Entry, event: ReactPointerEvent) => void;
}): ReactNode {
  return (
    <Stack gap={6}>
      {props.entries.map((entry) => (
        // biome-ignore lint/a11y/useSemanticElements: it is dragged as well
        <div
          key={entry.key}
          role="button"
          tabIndex={0}
          className={classes['entry']}
          data-entry={entry.key}
          onClick={() => props.onChoose(entry)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            props.onChoose(entry);
          }}
          onPointerDown={(event) => props.onCarry(entry, event)}
        >
          <EntryText entry={entry} />
        </div>
      ))}
    </Stack>
  );
}

function EntryText(props: { readonly entry: Entry }): ReactNode {
  const { entry } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const from = format.date(entry.wishedFrom);
  const until = format.date(entry.wishedUntil);
  return (
    <>
      <Group gap={6} wrap="nowrap" justify="space-between">
        <Text size="sm" fw={600} truncate>
          {patientName(entry.patient, format) || say('noPatient')}
        </Text>
        {entry.priority === 'STAT' || entry.priority === 'HIGH' ? (
          <Badge
            size="xs"
            variant="light"
            color={entry.priority === 'STAT' ? 'red' : 'orange'}
            tt="none"
            style={{ flex: 'none' }}
          >
            {say(entry.priority)}
          </Badge>
        ) : null}
      </Group>
      {entry.steps.map((step) => (
        <Text key={step.step} size="xs" truncate>
          {step.modality} · {step.description}
        </Text>
      ))}
      <Tooltip label={entry.note} disabled={entry.note === ''}>
        <Text size="xs" c="dimmed" truncate>
          {[
            say('minutes', { count: minutesOfEntry(entry) }),
            entry.patient === null ? '' : format.date(entry.patient.birth_date),
            from !== '' && until !== ''
              ? say('wished', { from, until })
              : from !== ''
                ? say('wishedFrom', { from })
                : until !== ''
                  ? say('wishedUntil', { until })
                  : '',
            entry.isHeld ? '⏳' : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </Tooltip>
    </>
  );
}
