import { Anchor, Button, Drawer, Grid, Group, Stack, Text } from '@mantine/core';
import { call, type OrderedProcedure, type OrderFile } from '@negatoscope/api-client';
import {
  Failure,
  Loading,
  PageHeader,
  Panel,
  useFormat,
  useLanguage,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { SafetyDialog } from '../board/SafetyDialog';
import { CallButtons } from '../context/CallButtons';
import { shownName } from '../patients/names';
import { PatientLine } from '../patients/PatientLine';
import { useMay } from '../session/session';
import { OrderBadge, PriorityBadge } from './badges';
import { procedureName } from './describe';
import { messages } from './messages';
import { OrderFacts } from './OrderFacts';
import { OrderHistory } from './OrderHistory';
import { ProcedureCard } from './ProcedureCard';
import { type Chosen, chosenName, ProcedurePicker, sentProcedure } from './ProcedurePicker';
import { ReasonDialog } from './ReasonDialog';
import { SafetyList } from './SafetyList';
import { candidatesOf, TogetherDialog } from './TogetherDialog';
import { WordsFields } from './WordsFields';
import { sentWords, type TypedWords, wordsOf } from './words';

type Deed = 'hold' | 'release' | 'cancel' | 'discontinue' | 'reopen';
type Open =
  | { readonly kind: 'hold' | 'cancel' | 'discontinue' | 'edit' | 'safety' | 'add' | 'together' }
  | { readonly kind: 'remove' | 'refuse'; readonly procedure: OrderedProcedure };
/** One acquisition for this order's procedures and steps of others, or taken apart. */
interface Grouping {
  readonly isOn: boolean;
  readonly others: readonly number[];
}
const DONE = {
  hold: 'held',
  release: 'released',
  cancel: 'canceled',
  discontinue: 'discontinued',
  reopen: 'reopened',
} as const;
const BACK = { hold: 'release', release: 'hold', cancel: 'reopen', reopen: 'cancel' } as const;

/** An order with all that is known of it, and what may be done with it. */
export function OrderPage(): ReactNode {
  const params = useParams({ from: '/signed-in/shell/orders/$number' });
  const number = Number(params.number);
  const order = useQuery({
    queryKey: ['orders', 'file', number],
    queryFn: ({ signal }) => call('GET /api/v1/orders/{number}', { path: { number }, signal }),
    refetchInterval: 20_000,
  });
  if (order.isError) return <Failure error={order.error} onRetry={() => void order.refetch()} />;
  if (order.data === undefined) return <Loading />;
  return <OpenOrder order={order.data} />;
}

function OpenOrder(props: { readonly order: OrderFile }): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const mayOrder = useMay('order');
  const maySchedule = useMay('schedule');
  const mayVet = useMay('vet');
  const [open, setOpen] = useState<Open | null>(null);

  function take(after: OrderFile): void {
    client.setQueryData(['orders', 'file', after.id], after);
    void client.invalidateQueries({ queryKey: ['orders', 'list'] });
    void client.invalidateQueries({ queryKey: ['orders', 'vetting'] });
    setOpen(null);
  }

  function failed(error: unknown): void {
    notify.failed(error);
    void client.invalidateQueries({ queryKey: ['orders', 'file', order.id] });
  }

  const tell = useMutation({
    mutationFn: (told: { readonly deed: Deed; readonly reason: string; readonly version: number }) =>
      call('POST /api/v1/orders/{number}/{deed}', {
        path: { number: order.id, deed: told.deed },
        body: { version: told.version, reason: told.reason },
      }),
    onSuccess: (after, { deed }) => {
      take(after);
      if (deed === 'discontinue') return notify.done(say(DONE[deed]));
      notify.done(say(DONE[deed]), () =>
        tell.mutate({ deed: BACK[deed], reason: '', version: after.version }),
      );
    },
    onError: failed,
  });
  const tellIt = (deed: Deed, reason = '') => tell.mutate({ deed, reason, version: order.version });

  const onProcedure = useMutation({
    mutationFn: (told: {
      readonly procedure: OrderedProcedure;
      readonly deed: 'cancel' | 'reconsider';
      readonly reason: string;
    }) => {
      const path = { number: told.procedure.id };
      const body = { version: told.procedure.version, reason: told.reason };
      return told.deed === 'cancel'
        ? call('POST /api/v1/requested-procedures/{number}/cancel', { path, body })
        : call('POST /api/v1/requested-procedures/{number}/reconsider', { path, body });
    },
    onSuccess: (after, { deed, procedure }) => {
      take(after);
      notify.done(
        deed === 'cancel' ? say('procedureCanceled') : say('takenBack', { name: procedureName(procedure) }),
      );
    },
    onError: failed,
  });

  const steps = order.procedures
    .filter((one) => one.state === 'REQUESTED' || one.state === 'SCHEDULED')
    .flatMap((one) => one.steps.filter((step) => step.state !== 'CANCELED'));
  const isGrouped = steps.some((one) => one.acquired_with !== null);
  const canGroup =
    mayOrder &&
    new Set(steps.map((one) => one.modality)).size === 1 &&
    new Set(order.procedures.filter((one) => one.steps.some((step) => steps.includes(step)))).size > 1;
  const group = useMutation({
    mutationFn: async ({ isOn, others }: Grouping) => {
      const [first] = steps;
      if (isOn)
        await call('POST /api/v1/step-groups', {
          body: { steps: [...steps.map((one) => one.id), ...others] },
        });
      else if (first !== undefined)
        await call('DELETE /api/v1/step-groups/{step}', { path: { step: first.id } });
    },
    onSuccess: (_, { isOn, others }) => {
      setOpen(null);
      void client.invalidateQueries({ queryKey: ['orders'] });
      const text = say(isOn ? 'grouped' : 'ungrouped');
      // Taken apart again, what was together before would be so no more.
      if (isOn && isGrouped) notify.done(text);
      else notify.done(text, () => group.mutate({ isOn: !isOn, others }));
    },
    onError: failed,
  });

  const elsewhere = useQuery({
    queryKey: ['orders', 'list', 'together', order.patient.id],
    queryFn: ({ signal }) =>
      call('GET /api/v1/orders', {
        query: { patient: order.patient.id, state: ['REQUESTED', 'SCHEDULED'], limit: 50 },
        signal,
      }),
    enabled: mayOrder && steps.length > 0,
  });
  const others = (elsewhere.data?.orders ?? []).filter((one) => one.id !== order.id);
  const candidates = candidatesOf(others, steps);
  const groups = new Set(steps.map((one) => one.acquired_with).filter((one) => one !== null));
  const partners = others
    .flatMap((one) => one.procedures.flatMap((procedure) => procedure.steps))
    .filter((one) => one.acquired_with !== null && groups.has(one.acquired_with))
    .map((one) => one.id);

  const { state } = order;
  const isEnded = state === 'CANCELED' || state === 'COMPLETED' || state === 'DISCONTINUED';
  const canBook =
    maySchedule &&
    (state === 'REQUESTED' || state === 'SCHEDULED') &&
    order.procedures.some(
      (one) => one.vetting !== 'WAITING' && one.steps.some((step) => step.state === 'WAITING'),
    );
  const deeds = (procedure: OrderedProcedure) => [
    ...(mayOrder && (procedure.state === 'REQUESTED' || procedure.state === 'SCHEDULED')
      ? [
          {
            label: say('removeProcedure'),
            perform: () => setOpen({ kind: 'remove', procedure }),
          },
        ]
      : []),
    ...(mayVet &&
    (procedure.vetting === 'ACCEPTED' || procedure.vetting === 'REFUSED') &&
    state !== 'COMPLETED'
      ? [
          {
            label: say('vettingWAITING'),
            perform: () => onProcedure.mutate({ procedure, deed: 'reconsider' as const, reason: '' }),
          },
        ]
      : []),
  ];
  return (
    <>
      <PageHeader
        title={
          <Group gap="sm">
            {say('file', { number: order.accession_number })}
            <OrderBadge state={state} />
            <PriorityBadge priority={order.priority} />
          </Group>
        }
        description={order.state_reason}
        actions={
          <Group gap="xs">
            <CallButtons open={{ registered_patient: order.patient.id }} />
            {canBook ? (
              <Button
                renderRoot={(root) => (
                  <Link to="/calendar" search={{ order: order.id }} {...(root as object)} />
                )}
              >
                {say('book')}
              </Button>
            ) : null}
            {mayOrder ? (
              <>
                {state === 'ON HOLD' ? (
                  <Button loading={tell.isPending} onClick={() => tellIt('release')}>
                    {say('release')}
                  </Button>
                ) : null}
                {state === 'CANCELED' ? (
                  <Button variant="default" loading={tell.isPending} onClick={() => tellIt('reopen')}>
                    {say('reopen')}
                  </Button>
                ) : (
                  <Button variant="default" onClick={() => setOpen({ kind: 'edit' })}>
                    {say('edit')}
                  </Button>
                )}
                {state === 'REQUESTED' || state === 'SCHEDULED' ? (
                  <Button variant="default" onClick={() => setOpen({ kind: 'hold' })}>
                    {say('hold')}
                  </Button>
                ) : null}
                {state === 'IN PROGRESS' ? (
                  <Button variant="default" color="red" onClick={() => setOpen({ kind: 'discontinue' })}>
                    {say('discontinue')}
                  </Button>
                ) : null}
                {!isEnded && state !== 'IN PROGRESS' ? (
                  <Button variant="default" onClick={() => setOpen({ kind: 'cancel' })}>
                    {say('cancelOrder')}
                  </Button>
                ) : null}
              </>
            ) : null}
          </Group>
        }
      />
      <Grid gap="sm">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack gap="sm">
            <Panel>
              <Anchor
                c="inherit"
                underline="never"
                renderRoot={(root) => (
                  <Link
                    to="/patients/registered/$number"
                    params={{ number: String(order.patient.id) }}
                    {...root}
                  />
                )}
              >
                <PatientLine patient={order.patient} />
              </Anchor>
            </Panel>
            <Panel
              title={say('procedures')}
              actions={
                <Group gap="xs">
                  {mayOrder && candidates.length > 0 ? (
                    <Button size="compact-sm" variant="default" onClick={() => setOpen({ kind: 'together' })}>
                      {say('together')}
                    </Button>
                  ) : null}
                  {canGroup || (mayOrder && isGrouped) ? (
                    <Button
                      size="compact-sm"
                      variant="default"
                      loading={group.isPending}
                      onClick={() => group.mutate({ isOn: !isGrouped, others: partners })}
                    >
                      {say(isGrouped ? 'ungroup' : 'group')}
                    </Button>
                  ) : null}
                  {mayOrder && state !== 'CANCELED' ? (
                    <Button size="compact-sm" variant="default" onClick={() => setOpen({ kind: 'add' })}>
                      {say('addProcedure')}
                    </Button>
                  ) : null}
                </Group>
              }
            >
              <Stack gap="xs">
                {order.procedures.map((one) => (
                  <ProcedureCard
                    key={one.id}
                    procedure={one}
                    deeds={deeds(one)}
                    studies={order.studies[String(one.id)] ?? []}
                  />
                ))}
              </Stack>
            </Panel>
            <Panel title={say('facts')} isFlush>
              <OrderFacts order={order} />
            </Panel>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Stack gap="sm">
            <Panel
              title={say('safety')}
              actions={
                mayOrder && order.safety.length > 0 && !isEnded ? (
                  <Button size="compact-sm" variant="default" onClick={() => setOpen({ kind: 'safety' })}>
                    {say('answerQuestions')}
                  </Button>
                ) : null
              }
            >
              <SafetyList safety={order.safety} />
            </Panel>
            <Panel title={say('history')}>
              <OrderHistory order={order} />
            </Panel>
          </Stack>
        </Grid.Col>
      </Grid>
      {open?.kind === 'hold' || open?.kind === 'cancel' || open?.kind === 'discontinue' ? (
        <EndDialog deed={open.kind} isSending={tell.isPending} onDo={tellIt} onClose={() => setOpen(null)} />
      ) : null}
      {open?.kind === 'together' ? (
        <TogetherDialog
          candidates={candidates}
          isSending={group.isPending}
          onDo={(others) => group.mutate({ isOn: true, others })}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open?.kind === 'remove' ? (
        <ReasonDialog
          title={`${say('removeProcedure')} · ${procedureName(open.procedure)}`}
          verb={say('removeProcedure')}
          isDangerous
          isSending={onProcedure.isPending}
          onDo={(reason) => onProcedure.mutate({ procedure: open.procedure, deed: 'cancel', reason })}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open?.kind === 'safety' ? (
        <SafetyDialog
          request={order.id}
          name={shownName(order.patient, format)}
          onClose={() => {
            setOpen(null);
            void client.invalidateQueries({ queryKey: ['orders'] });
          }}
          onFree={() => {
            setOpen(null);
            void client.invalidateQueries({ queryKey: ['orders'] });
          }}
        />
      ) : null}
      {open?.kind === 'edit' ? (
        <EditDrawer order={order} onClose={() => setOpen(null)} onDone={take} onFailed={failed} />
      ) : null}
      {open?.kind === 'add' ? (
        <AddDrawer order={order} onClose={() => setOpen(null)} onDone={take} onFailed={failed} />
      ) : null}
    </>
  );
}

const VERBS = { hold: 'hold', cancel: 'cancelOrder', discontinue: 'discontinue' } as const;
const TEXTS = { hold: 'holdText', cancel: 'cancelText', discontinue: 'discontinueText' } as const;

function EndDialog(props: {
  readonly deed: 'hold' | 'cancel' | 'discontinue';
  readonly isSending: boolean;
  readonly onDo: (deed: Deed, reason: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { deed } = props;
  const say = useMessages(messages);
  return (
    <ReasonDialog
      title={say(VERBS[deed])}
      text={say(TEXTS[deed])}
      verb={say(VERBS[deed])}
      isRequired
      isDangerous={deed !== 'hold'}
      isSending={props.isSending}
      onDo={(reason) => props.onDo(deed, reason)}
      onClose={props.onClose}
    />
  );
}

interface DrawerProps {
  readonly order: OrderFile;
  readonly onClose: () => void;
  readonly onDone: (after: OrderFile) => void;
  readonly onFailed: (error: unknown) => void;
}

function EditDrawer(props: DrawerProps): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const [typed, setTyped] = useState<TypedWords>(() => wordsOf(order));
  const send = useMutation({
    mutationFn: (told: { readonly words: TypedWords; readonly version: number }) =>
      call('PATCH /api/v1/orders/{number}', {
        path: { number: order.id },
        body: { version: told.version, ...sentWords(told.words, order) },
      }),
    onSuccess: (after) => {
      props.onDone(after);
      const before = wordsOf(order);
      notify.done(say('saved'), () => {
        call('PATCH /api/v1/orders/{number}', {
          path: { number: order.id },
          body: { version: after.version, ...sentWords(before, order) },
        }).then(props.onDone, props.onFailed);
      });
    },
    onError: props.onFailed,
  });
  return (
    <Drawer
      opened
      onClose={props.onClose}
      position="right"
      size="lg"
      title={say('edit')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate({ words: typed, version: order.version });
        }}
      >
        <WordsFields typed={typed} onChange={setTyped} />
        <Group justify="flex-end" gap="xs" mt="md">
          <Button variant="default" onClick={props.onClose}>
            {say('close')}
          </Button>
          <Button type="submit" loading={send.isPending}>
            {say('save')}
          </Button>
        </Group>
      </form>
    </Drawer>
  );
}

function AddDrawer(props: DrawerProps): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const { language } = useLanguage();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const send = useMutation({
    mutationFn: (one: Chosen) =>
      call('POST /api/v1/orders/{number}/procedures', {
        path: { number: order.id },
        body: {
          version: order.version,
          ...sentProcedure(one),
        },
      }),
    onSuccess: props.onDone,
    onError: props.onFailed,
  });
  return (
    <Drawer
      opened
      onClose={props.onClose}
      position="right"
      size="md"
      title={say('addProcedure')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <Stack gap="sm">
        <ProcedurePicker label={say('addProcedure')} takesWords autoFocus onPick={setChosen} />
        {chosen === null ? null : (
          <Group justify="space-between">
            <Text fw={600}>{chosenName(chosen, language)}</Text>
            <Button loading={send.isPending} onClick={() => send.mutate(chosen)}>
              {say('order')}
            </Button>
          </Group>
        )}
      </Stack>
    </Drawer>
  );
}
