import { Box, Chip, Group, Text, UnstyledButton } from '@mantine/core';
import { call, type OrderedProcedure, type WaitingProcedure } from '@negatoscope/api-client';
import {
  type Action,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useActions,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { shownName } from '../patients/names';
import { PriorityBadge } from './badges';
import { procedureName } from './describe';
import { messages } from './messages';
import { type Chosen, sentProcedure } from './ProcedurePicker';
import type { sentProtocol } from './protocol';
import { ReasonDialog } from './ReasonDialog';
import { ReplaceDialog } from './ReplaceDialog';
import { VettingDesk } from './VettingDesk';

const PAGE = 100;

/** What waits for a radiologist: the list at the left, the order at the right, decided from the keyboard. */
export function VettingPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const search = useSearch({ from: '/signed-in/shell/vetting' });
  const navigate = useNavigate({ from: '/vetting' });
  const [chosen, setChosen] = useState<number | null>(null);
  const [dialog, setDialog] = useState<'refuse' | 'replace' | null>(null);
  const list = useQuery({
    queryKey: ['orders', 'vetting', search.modality ?? ''],
    queryFn: ({ signal }) =>
      call('GET /api/v1/orders/vetting', {
        query: { limit: PAGE, ...(search.modality === undefined ? {} : { modality: [search.modality] }) },
        signal,
      }),
    refetchInterval: 20_000,
  });
  const waiting = list.data?.waiting ?? [];
  const at = Math.max(
    0,
    waiting.findIndex((one) => one.procedure === chosen),
  );
  const current = waiting[at];
  const procedure = current?.order.procedures.find((one) => one.id === current.procedure);
  const decide = useDecision((next) => {
    setDialog(null);
    setChosen(next);
  });
  const following = waiting[at + 1]?.procedure ?? waiting[at - 1]?.procedure ?? null;
  const accept = useRef<() => void>(() => undefined);
  const codes = useRef<HTMLInputElement>(null);

  useActions(
    useMemo<readonly Action[]>(() => {
      const group = { en: 'Vetting', fr: 'Validation' };
      const isEnabled = procedure !== undefined && dialog === null;
      const go = (to: number) => {
        const next = waiting[to];
        if (next !== undefined) setChosen(next.procedure);
      };
      return [
        {
          id: 'vetting.next',
          label: { en: 'Next', fr: 'Suivant' },
          group,
          shortcut: 'j',
          isEnabled,
          perform: () => go(at + 1),
        },
        {
          id: 'vetting.previous',
          label: { en: 'Previous', fr: 'Précédent' },
          group,
          shortcut: 'k',
          isEnabled,
          perform: () => go(at - 1),
        },
        {
          id: 'vetting.protocol',
          label: { en: 'Choose the protocol', fr: 'Choisir le protocole' },
          group,
          shortcut: 'p',
          isEnabled,
          perform: () => codes.current?.focus(),
        },
        {
          id: 'vetting.accept',
          label: { en: 'Accept', fr: 'Accepter' },
          group,
          shortcut: 'a',
          isEnabled,
          perform: () => accept.current(),
        },
        {
          id: 'vetting.refuse',
          label: { en: 'Refuse', fr: 'Refuser' },
          group,
          shortcut: 'r',
          isEnabled,
          perform: () => setDialog('refuse'),
        },
        {
          id: 'vetting.replace',
          label: { en: 'Replace', fr: 'Remplacer' },
          group,
          shortcut: 'x',
          isEnabled,
          perform: () => setDialog('replace'),
        },
      ];
    }, [waiting, at, procedure, dialog]),
  );

  const counts = list.data?.counts ?? {};
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  return (
    <>
      <PageHeader
        title={say('vettingTitle')}
        description={total === 0 ? undefined : say('vettingText', { count: total })}
      />
      {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data === undefined ? null : (
        <>
          {total === 0 ? null : (
            <Group gap={6} mb="sm" justify="space-between">
              <Group gap={6}>
                <Chip
                  size="xs"
                  radius="sm"
                  checked={search.modality === undefined}
                  onChange={() => void navigate({ search: {}, replace: true })}
                >
                  {say('all')} {format.number(total)}
                </Chip>
                {Object.entries(counts)
                  .sort(([a], [b]) => a.localeCompare(b))
                  .map(([modality, count]) => (
                    <Chip
                      key={modality}
                      size="xs"
                      radius="sm"
                      checked={search.modality === modality}
                      onChange={(isOn) => void navigate({ search: isOn ? { modality } : {}, replace: true })}
                    >
                      {modality || '–'} {format.number(count)}
                    </Chip>
                  ))}
              </Group>
              <Text size="xs" c="dimmed">
                {say('keys')}
              </Text>
            </Group>
          )}
          {current === undefined || procedure === undefined ? (
            <Panel>
              <Empty>{say('vettingEmpty')}</Empty>
            </Panel>
          ) : (
            <Group align="flex-start" wrap="nowrap" gap="sm">
              <Box w={340} style={{ flexShrink: 0 }}>
                <Panel isFlush>
                  <Box mah="calc(100vh - 190px)" style={{ overflowY: 'auto' }}>
                    {waiting.map((one) => (
                      <WaitingRow
                        key={one.procedure}
                        waiting={one}
                        isChosen={one === current}
                        onChoose={() => setChosen(one.procedure)}
                      />
                    ))}
                  </Box>
                </Panel>
              </Box>
              <Box flex={1} miw={0}>
                <VettingDesk
                  key={procedure.id}
                  waiting={current}
                  procedure={procedure}
                  isSending={decide.isPending}
                  accept={accept}
                  codesRef={codes}
                  onAccept={(chosen, modality) =>
                    decide.mutate({ kind: 'accept', procedure, following, chosen, modality })
                  }
                  onAsk={setDialog}
                />
              </Box>
            </Group>
          )}
          {dialog === 'refuse' && procedure !== undefined ? (
            <ReasonDialog
              title={say('refuseTitle', { name: procedureName(procedure) })}
              hint={say('refuseHint')}
              verb={say('refuse')}
              isRequired
              isDangerous
              isSending={decide.isPending}
              onDo={(reason) => decide.mutate({ kind: 'refuse', procedure, following, reason })}
              onClose={() => setDialog(null)}
            />
          ) : null}
          {dialog === 'replace' && procedure !== undefined ? (
            <ReplaceDialog
              procedure={procedure}
              isSending={decide.isPending}
              onDo={(by, chosen, reason) =>
                decide.mutate({ kind: 'replace', procedure, following, by, chosen, reason })
              }
              onClose={() => setDialog(null)}
            />
          ) : null}
        </>
      )}
    </>
  );
}

type Decision = { readonly procedure: OrderedProcedure; readonly following: number | null } & (
  | { readonly kind: 'accept'; readonly chosen: SentProtocol; readonly modality: string | null }
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'replace'; readonly by: Chosen; readonly chosen: SentProtocol; readonly reason: string }
);
type SentProtocol = ReturnType<typeof sentProtocol>;
const SAID = { accept: 'accepted', refuse: 'refused', replace: 'replaced' } as const;

/** Sends what was decided, offers to take it back, and goes on to the next. */
function useDecision(onDone: (next: number | null) => void) {
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const again = () => void client.invalidateQueries({ queryKey: ['orders'] });
  return useMutation({
    mutationFn: (decision: Decision) => {
      const path = { number: decision.procedure.id };
      const { version } = decision.procedure;
      if (decision.kind === 'accept')
        return call('POST /api/v1/requested-procedures/{number}/accept', {
          path,
          body: { version, modality: decision.modality, ...decision.chosen },
        });
      if (decision.kind === 'refuse')
        return call('POST /api/v1/requested-procedures/{number}/refuse', {
          path,
          body: { version, reason: decision.reason },
        });
      const { by } = decision;
      return call('POST /api/v1/requested-procedures/{number}/replace', {
        path,
        body: {
          version,
          reason: decision.reason,
          ...decision.chosen,
          ...sentProcedure(by),
        },
      });
    },
    onSuccess: (after, { kind, procedure, following }) => {
      onDone(following);
      again();
      const name = procedureName(procedure);
      const now = after.procedures.find((one) => one.id === procedure.id);
      const text = say(SAID[kind], { name });
      if (kind === 'replace' || now === undefined) return notify.done(text);
      notify.done(text, () => {
        call('POST /api/v1/requested-procedures/{number}/reconsider', {
          path: { number: procedure.id },
          body: { version: now.version },
        }).then(() => {
          notify.info(say('takenBack', { name }));
          again();
        }, notify.failed);
      });
    },
    onError: (error) => {
      notify.failed(error);
      again();
    },
  });
}

function WaitingRow(props: {
  readonly waiting: WaitingProcedure;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}): ReactNode {
  const { waiting, isChosen } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isChosen) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  const procedure = waiting.order.procedures.find((one) => one.id === waiting.procedure);
  return (
    <UnstyledButton
      ref={row}
      w="100%"
      px="sm"
      py={8}
      display="block"
      aria-current={isChosen}
      onClick={props.onChoose}
      style={{
        borderBottom: '1px solid var(--n-border)',
        borderInlineStart: `3px solid ${isChosen ? 'var(--mantine-primary-color-filled)' : 'transparent'}`,
        background: isChosen ? 'var(--mantine-primary-color-light)' : undefined,
      }}
    >
      <Group justify="space-between" wrap="nowrap" gap={6}>
        <Text size="sm" fw={600} truncate>
          {procedure === undefined ? '' : procedureName(procedure)}
        </Text>
        <PriorityBadge priority={waiting.order.priority} />
      </Group>
      <Text size="xs" c="dimmed" truncate>
        {[
          procedure?.modality,
          shownName(waiting.order.patient, format),
          waiting.order.requesting_service,
          say('waitsSince', { when: format.relative(waiting.order.created_at) }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </Text>
    </UnstyledButton>
  );
}
