import { Anchor, Badge, Button, Drawer, Group, Stack, Text, Textarea, Timeline } from '@mantine/core';
import { type Appointment, call, type Slot } from '@negatoscope/api-client';
import { Failure, Loading, Panel, useFormat, useLanguage, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';
import { patientName } from './names';
import { SlotList } from './SlotList';
import { clock, dayOf, minutesOf } from './time';

/** One appointment beside the grid: what it is, what happened to it, what can be done. */
export function AppointmentDrawer(props: {
  readonly number: number | undefined;
  readonly zone: string;
  readonly mayChange: boolean;
  readonly roomName: (room: number) => string;
  readonly onMove: (appointment: Appointment, slot: Slot) => void;
  /** Something was done; `undo` takes it back. */
  readonly onDone: (appointment: Appointment, text: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { number } = props;
  const say = useMessages(messages);
  const found = useQuery({
    queryKey: ['calendar', 'open', number ?? 0],
    queryFn: ({ signal }) =>
      call('GET /api/v1/appointments/{number}', { path: { number: number ?? 0 }, signal }),
    enabled: number !== undefined,
    refetchInterval: 15_000,
  });
  return (
    <Drawer
      opened={number !== undefined}
      onClose={props.onClose}
      position="right"
      size="md"
      title={say('appointment')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} /> : null}
      {number !== undefined && found.isPending ? <Loading /> : null}
      {found.data === undefined || number === undefined ? null : (
        <Details key={number} {...props} appointment={found.data.appointment} history={found.data.history} />
      )}
    </Drawer>
  );
}

type Deed = 'cancel' | 'miss' | 'slots' | null;

function Details(props: {
  readonly appointment: Appointment;
  readonly history: readonly { id: number; at: string; kind: string; source: string; detail: object }[];
  readonly zone: string;
  readonly mayChange: boolean;
  readonly roomName: (room: number) => string;
  readonly onMove: (appointment: Appointment, slot: Slot) => void;
  readonly onDone: (appointment: Appointment, text: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { appointment, zone } = props;
  const { patient } = appointment;
  const say = useMessages(messages);
  const format = useFormat();
  const { language } = useLanguage();
  const [deed, setDeed] = useState<Deed>(null);
  const rooms = [...new Set(appointment.steps.map((step) => step.room).filter((one) => one !== null))];
  const orders = new Map(appointment.steps.map((step) => [step.request, step.accession_number]));
  const isBooked = appointment.state === 'BOOKED';
  return (
    <Stack gap="sm">
      <Stack gap={2}>
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600} size="lg" truncate>
            {patientName(patient, format) || say('noPatient')}
          </Text>
          <Badge tt="none" variant="light" style={{ flex: 'none' }}>
            {say(appointment.state)}
          </Badge>
        </Group>
        {patient === null ? null : (
          <Text size="sm" c="dimmed">
            {[
              patient.birth_date === '' ? '' : say('born', { date: format.date(patient.birth_date) }),
              patient.sex,
              patient.patient_id === '' ? '' : `${patient.patient_id} (${patient.patient_id_authority})`,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        )}
      </Stack>
      <Stack gap={2}>
        <Text size="sm" fw={600}>
          {whenOf(appointment, zone, format.locale)}
        </Text>
        <Text size="sm">{rooms.map(props.roomName).join(', ')}</Text>
        {appointment.overbooking_reason === '' ? null : (
          <Text size="sm" c="red">
            {say('overbookedBecause', { reason: appointment.overbooking_reason })}
          </Text>
        )}
        {appointment.state_reason === '' ? null : (
          <Text size="sm">{say('because', { reason: appointment.state_reason })}</Text>
        )}
      </Stack>
      <Stack gap={4}>
        {appointment.steps.map((step) => (
          <Text key={step.step} size="sm">
            {step.modality} · {step.description} ·{' '}
            <Text span size="sm" c="dimmed">
              {say('minutes', { count: step.duration_min })}
            </Text>
          </Text>
        ))}
      </Stack>
      <Group gap="md">
        {[...orders].map(([request, accession]) => (
          <PathLink key={request} to={`/orders/${request}`}>
            {say('accession', { number: accession })}
          </PathLink>
        ))}
        {patient === null ? null : (
          <PathLink to={`/patients/registered/${patient.id}`}>{say('openPatient')}</PathLink>
        )}
      </Group>
      {isBooked && deed === null ? (
        <Group gap="xs">
          <Button
            component="a"
            variant="default"
            target="_blank"
            rel="noopener"
            href={`/api/v1/appointments/${appointment.id}/letter.pdf?language=${language}`}
          >
            {say('letter')}
          </Button>
        </Group>
      ) : null}
      {props.mayChange && isBooked && deed === null ? (
        <Group gap="xs">
          <Button variant="default" onClick={() => setDeed('slots')}>
            {say('findSlots')}
          </Button>
          <Button variant="default" onClick={() => setDeed('miss')}>
            {say('missIt')}
          </Button>
          <Button variant="light" color="red" onClick={() => setDeed('cancel')}>
            {say('cancelIt')}
          </Button>
        </Group>
      ) : null}
      {deed === 'slots' ? (
        <Panel title={say('otherSlots')}>
          <SlotList
            steps={appointment.steps.map((step) => step.step)}
            ignore={appointment.id}
            zone={zone}
            verb={say('moveHere')}
            roomName={props.roomName}
            onTake={(slot) => props.onMove(appointment, slot)}
          />
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={() => setDeed(null)}>
              {say('goBack')}
            </Button>
          </Group>
        </Panel>
      ) : null}
      {deed === 'cancel' || deed === 'miss' ? (
        <Ending
          appointment={appointment}
          deed={deed}
          onBack={() => setDeed(null)}
          onDone={(done) => {
            setDeed(null);
            props.onDone(done, say(deed === 'cancel' ? 'cancelled' : 'missed'));
          }}
        />
      ) : null}
      <Note appointment={appointment} mayChange={props.mayChange} onDone={props.onDone} />
      <Panel title={say('history')}>
        <Timeline bulletSize={10} lineWidth={1}>
          {props.history.map((one) => (
            <Timeline.Item key={one.id} title={<Text size="sm">{happened(one.kind, say)}</Text>}>
              <Text size="xs" c="dimmed">
                {format.dateTime(one.at)} · {say('source', { name: one.source.replace(/^user:/, '') })}
              </Text>
            </Timeline.Item>
          ))}
        </Timeline>
      </Panel>
    </Stack>
  );
}

const KINDS = [
  'BOOKED',
  'MOVED',
  'APPOINTMENT CHANGED',
  'APPOINTMENT CANCELLED',
  'NO SHOW',
  'UNDONE',
  'ORDERED',
  'ARRIVED',
] as const;

function happened(kind: string, say: (key: (typeof KINDS)[number]) => string): string {
  const known = KINDS.find((one) => one === kind);
  return known === undefined ? kind : say(known);
}

function whenOf(appointment: Appointment, zone: string, locale: string): string {
  if (appointment.start_at === null || appointment.end_at === null) return '';
  const start = new Date(appointment.start_at);
  const day = dayOf(start, zone);
  const name = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: zone }).format(start);
  return `${name}, ${clock(minutesOf(start, day, zone))}–${clock(minutesOf(new Date(appointment.end_at), day, zone))}`;
}

function Ending(props: {
  readonly appointment: Appointment;
  readonly deed: 'cancel' | 'miss';
  readonly onBack: () => void;
  readonly onDone: (appointment: Appointment) => void;
}): ReactNode {
  const { id, version } = props.appointment;
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  const isCancel = props.deed === 'cancel';
  const end = useMutation({
    mutationFn: () => {
      const input = { path: { number: id }, body: { version, reason: reason.trim() } };
      return isCancel
        ? call('POST /api/v1/appointments/{number}/cancel', input)
        : call('POST /api/v1/appointments/{number}/no-show', input);
    },
    onSuccess: props.onDone,
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!end.isPending && (!isCancel || reason.trim() !== '')) end.mutate();
  }

  return (
    <Panel title={say(isCancel ? 'cancelIt' : 'missIt')}>
      <form onSubmit={onSubmit}>
        <Stack gap="xs">
          {end.isError ? <Failure error={end.error} /> : null}
          <Text size="sm">{say(isCancel ? 'cancelText' : 'missText')}</Text>
          <Textarea
            label={say('reason')}
            required={isCancel}
            autoFocus
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onBack}>
              {say('goBack')}
            </Button>
            <Button
              type="submit"
              color="red"
              loading={end.isPending}
              disabled={isCancel && reason.trim() === ''}
            >
              {say(isCancel ? 'cancelIt' : 'missIt')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function Note(props: {
  readonly appointment: Appointment;
  readonly mayChange: boolean;
  readonly onDone: (appointment: Appointment, text: string) => void;
}): ReactNode {
  const { appointment } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const [note, setNote] = useState(appointment.note);
  const keep = useMutation({
    mutationFn: () =>
      call('PATCH /api/v1/appointments/{number}', {
        path: { number: appointment.id },
        body: { version: appointment.version, note: note.trim() },
      }),
    onSuccess: (done) => props.onDone(done, say('noted')),
    onError: notify.failed,
  });
  return (
    <Stack gap={6}>
      <Textarea
        label={say('note')}
        autosize
        minRows={2}
        maxRows={8}
        maxLength={1000}
        value={note}
        readOnly={!props.mayChange}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {note.trim() === appointment.note.trim() ? null : (
        <Group justify="flex-end">
          <Button variant="default" loading={keep.isPending} onClick={() => keep.mutate()}>
            {say('saveNote')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** A link to a page of the application by its path; absent when there is no such page. */
function PathLink(props: { readonly to: string; readonly children: ReactNode }): ReactNode {
  const router = useRouter();
  const parent = props.to.slice(0, props.to.lastIndexOf('/') + 1);
  const isThere = Object.values(router.routesById).some((route) =>
    (route.fullPath as string).startsWith(`${parent}$`),
  );
  if (!isThere) return null;
  return (
    <Anchor
      size="sm"
      href={props.to}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        void router.navigate({ to: props.to as never });
      }}
    >
      {props.children}
    </Anchor>
  );
}
