import { Alert, Anchor, Button, Code, Drawer, Group, Stack, Table, Text, Title } from '@mantine/core';
import { call, type HL7Explained, type HL7OutboundExplained, type HL7Segment } from '@negatoscope/api-client';
import {
  Failure,
  Loading,
  useConfirm,
  useFormat,
  useLanguage,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay } from '../session/session';
import { effectsOf, ordersOf, partnerOf, patientsOf, typeOf } from './describe';
import { messages } from './messages';
import { StateBadge } from './StateBadge';
import type { Direction } from './search';

type Fact = readonly [string, ReactNode];

/** One message: what was answered, what came of it, and its segments explained. */
export function MessageDrawer(props: {
  readonly open: { readonly direction: Direction; readonly id: number } | null;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const { open } = props;
  return (
    <Drawer
      opened={open !== null}
      onClose={props.onClose}
      position="right"
      size="xl"
      title={
        open === null
          ? ''
          : say(open.direction === 'in' ? 'message' : 'sentMessage', { number: String(open.id) })
      }
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {open === null ? null : open.direction === 'in' ? <Came number={open.id} /> : <Went number={open.id} />}
    </Drawer>
  );
}

function Came(props: { readonly number: number }): ReactNode {
  const { number } = props;
  const explained = useQuery({
    queryKey: ['hl7', 'message', number],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/messages/{number}', { path: { number }, signal }),
  });
  if (explained.isError) return <Failure error={explained.error} onRetry={() => void explained.refetch()} />;
  if (explained.data === undefined) return <Loading />;
  return <CameExplained explained={explained.data} />;
}

function CameExplained(props: { readonly explained: HL7Explained }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const { message, segments, text } = props.explained;
  const replay = useMutation({
    mutationFn: () => call('POST /api/v1/hl7/messages/{number}/replay', { path: { number: message.id } }),
    onSuccess: () => {
      notify.done(say('replayed', { number: String(message.id) }));
      void client.invalidateQueries({ queryKey: ['hl7'] });
    },
    onError: notify.failed,
  });
  const told = [message.verdict.code, message.verdict.error_code, message.verdict.reason]
    .filter((part) => part !== '')
    .join(' · ');
  const facts: readonly Fact[] = [
    [say('type'), typeOf(message)],
    [say('sender'), partnerOf(message.sending_application, message.sending_facility)],
    [say('address'), message.peer],
    [say('controlId'), message.control_id],
    [say('version'), message.version_id],
    [say('received'), format.dateTime(message.stored_at)],
    [say('size'), format.bytes(message.byte_count)],
    [say('told'), told],
    [say('processed'), format.dateTime(message.processed_at)],
    [say('reason'), message.state_reason],
    [say('effect'), effectsOf(message.effect, say).join('\n')],
    [
      say('links'),
      <Links key="links" patients={patientsOf(message.effect)} orders={ordersOf(message.effect)} />,
    ],
    [say('attempts'), message.attempt_count === 0 ? '' : format.number(message.attempt_count)],
    [say('notes'), message.notes.join('\n')],
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <StateBadge state={message.state} />
        {message.state === 'FAILED' || message.state === 'IGNORED' ? (
          <Button
            size="compact-sm"
            variant="default"
            loading={replay.isPending}
            onClick={() => replay.mutate()}
          >
            {say('replay')}
          </Button>
        ) : null}
      </Group>
      <Facts label={say('message', { number: String(message.id) })} facts={facts} />
      <Segments segments={segments} />
      {segments.length === 0 ? <Unreadable text={text} /> : null}
    </Stack>
  );
}

function Went(props: { readonly number: number }): ReactNode {
  const { number } = props;
  const explained = useQuery({
    queryKey: ['hl7', 'outbound', number],
    queryFn: ({ signal }) => call('GET /api/v1/hl7/outbound/{number}', { path: { number }, signal }),
    refetchInterval: (query) => (query.state.data?.message.state === 'WAITING' ? 1000 : false),
  });
  if (explained.isError) return <Failure error={explained.error} onRetry={() => void explained.refetch()} />;
  if (explained.data === undefined) return <Loading />;
  return <WentExplained explained={explained.data} />;
}

function WentExplained(props: { readonly explained: HL7OutboundExplained }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const { message, segments, answer, text } = props.explained;
  const decide = useMutation({
    mutationFn: (what: 'replay' | 'give-up') =>
      what === 'replay'
        ? call('POST /api/v1/hl7/outbound/{number}/replay', { path: { number: message.id } })
        : call('POST /api/v1/hl7/outbound/{number}/give-up', { path: { number: message.id } }),
    onSuccess: (_, what) => {
      notify.done(say(what === 'replay' ? 'sentAgain' : 'givenUp', { number: String(message.id) }));
      void client.invalidateQueries({ queryKey: ['hl7'] });
    },
    onError: notify.failed,
  });
  async function giveUp(): Promise<void> {
    const yes = await confirm({
      title: say('giveUpTitle', { number: String(message.id) }),
      text: say('giveUpText', { name: message.destination_name }),
      verb: say('giveUp'),
      isDangerous: true,
    });
    if (yes) decide.mutate('give-up');
  }
  const facts: readonly Fact[] = [
    [say('type'), typeOf(message)],
    [say('meaning'), meaningOf(message.kind, message.action)],
    [say('destination'), message.destination_name],
    [
      say('links'),
      <Links
        key="links"
        patients={message.patient === null ? [] : [message.patient]}
        orders={message.request === null ? [] : [message.request]}
      />,
    ],
    [say('controlId'), message.control_id],
    [say('version'), message.version_id],
    [say('made'), format.dateTime(message.created_at)],
    [say('size'), format.bytes(message.byte_count)],
    [say('lastSent'), format.dateTime(message.last_sent_at)],
    [say('attempts'), message.attempt_count === 0 ? '' : format.number(message.attempt_count)],
    [say('lastError'), message.last_error],
    [say('answer'), [message.acknowledgment_code, message.error_code].filter(Boolean).join(' · ')],
    [say('reason'), message.reason],
    [say('finished'), format.dateTime(message.finished_at)],
  ];
  const canReplay = message.state === 'REFUSED' || message.state === 'GIVEN UP';
  const canGiveUp = message.state === 'REFUSED' || message.state === 'WAITING';
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <StateBadge state={message.state} />
        <Group gap="xs">
          {canReplay ? (
            <Button
              size="compact-sm"
              variant="default"
              loading={decide.isPending}
              onClick={() => decide.mutate('replay')}
            >
              {say('sendAgain')}
            </Button>
          ) : null}
          {canGiveUp ? (
            <Button
              size="compact-sm"
              variant="default"
              color="red"
              loading={decide.isPending}
              onClick={() => void giveUp()}
            >
              {say('giveUp')}
            </Button>
          ) : null}
        </Group>
      </Group>
      <Facts label={say('sentMessage', { number: String(message.id) })} facts={facts} />
      {message.kind === 'TEST' && message.state === 'ACKNOWLEDGED' ? (
        <Alert color="green" py="xs">
          {say('testAnswered', { name: message.destination_name, code: message.acknowledgment_code })}
        </Alert>
      ) : null}
      <Segments segments={segments} />
      {segments.length === 0 ? <Unreadable text={text} /> : null}
      {answer.length > 0 ? (
        <>
          <Title order={5}>{say('answer')}</Title>
          <Segments segments={answer} />
        </>
      ) : null}
    </Stack>
  );

  function meaningOf(kind: string, action: string): string {
    const words: Readonly<Record<string, string>> = {
      ORDERS: say('ORDERS'),
      'ORDER STATUS': say('ORDER STATUS'),
      'ORDER NUMBERS': say('ORDER NUMBERS'),
      APPOINTMENTS: say('APPOINTMENTS'),
      PATIENTS: say('PATIENTS'),
      'ADT FORWARD': say('ADT FORWARD'),
      TEST: say('TEST'),
    };
    return `${words[kind] ?? kind} · ${action.replace('_', ' ')}`;
  }
}

/** The files and the orders that a message was about. */
function Links(props: {
  readonly patients: readonly number[];
  readonly orders: readonly number[];
}): ReactNode {
  const say = useMessages(messages);
  const may = useMay("read the department's work");
  const links = [
    ...props.patients.slice(0, 20).map((number) => ({
      to: '/patients/registered/$number' as const,
      number: String(number),
      text: say('ofPatient', { patient: String(number) }),
    })),
    ...props.orders.slice(0, 20).map((number) => ({
      to: '/orders/$number' as const,
      number: String(number),
      text: say('oneOrder', { number: String(number) }),
    })),
  ];
  if (links.length === 0) return '–';
  return (
    <Group gap="sm">
      {links.map((link) =>
        may ? (
          <Anchor
            key={link.text}
            size="sm"
            renderRoot={(root) => <Link to={link.to} params={{ number: link.number }} {...root} />}
          >
            {link.text}
          </Anchor>
        ) : (
          <Text key={link.text} size="sm">
            {link.text}
          </Text>
        ),
      )}
    </Group>
  );
}

function Facts(props: { readonly label: string; readonly facts: readonly Fact[] }): ReactNode {
  return (
    <Table variant="vertical" aria-label={props.label}>
      <Table.Tbody>
        {props.facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w={170}>{name}</Table.Th>
              <Table.Td style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}

function Unreadable(props: { readonly text: string }): ReactNode {
  const say = useMessages(messages);
  return (
    <>
      <Text size="sm">{say('unreadable')}</Text>
      <Code block>{props.text}</Code>
    </>
  );
}

/** Segments with the names of their fields, as written. */
function Segments(props: { readonly segments: readonly HL7Segment[] }): ReactNode {
  const say = useMessages(messages);
  const { language } = useLanguage();
  const named = (one: { readonly name: string; readonly name_fr: string }): string =>
    language === 'fr' ? one.name_fr : one.name;
  return props.segments.map((segment, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: segments repeat and never move
    <div key={index}>
      <Group gap="xs" mb={2}>
        <Code fw={700}>{segment.id}</Code>
        <Text size="sm" c="dimmed">
          {named(segment)}
        </Text>
      </Group>
      <Table aria-label={`${segment.id} ${named(segment)}`} withTableBorder>
        <Table.Tbody>
          {segment.fields.map((field) => (
            <Table.Tr key={field.number}>
              <Table.Td w={70} c="dimmed">
                {segment.id}-{field.number}
              </Table.Td>
              <Table.Td w={210}>{named(field)}</Table.Td>
              <Table.Td ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                {field.value}
                {field.is_cut ? (
                  <Text span c="dimmed" size="xs">
                    {' '}
                    … {say('cut')}
                  </Text>
                ) : null}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  ));
}
