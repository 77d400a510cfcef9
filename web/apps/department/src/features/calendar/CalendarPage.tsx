import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  Group,
  MultiSelect,
  SegmentedControl,
  Select,
  Title,
} from '@mantine/core';
import { type Appointment, call, type Slot, type StepPlace } from '@negatoscope/api-client';
import {
  DateField,
  Empty,
  Failure,
  Loading,
  useFormat,
  useLanguage,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import {
  IconAlertTriangle,
  IconChevronLeft,
  IconChevronRight,
  IconCircleCheck,
  IconClock,
  IconPlugConnectedX,
  IconUserCheck,
  IconUserOff,
} from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type CSSProperties, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useMay } from '../session/session';
import { AppointmentDrawer } from './AppointmentDrawer';
import classes from './CalendarPage.module.css';
import { STATES, tintOfModality } from './colours';
import { type Entry, entriesOf, isUrgent, planAt, planOf } from './entries';
import { type Carried, Grid, type GridHandle, type Proposal, type Target } from './Grid';
import { blocksOf, type Column, closedOf, rangeOf } from './layout';
import { messages } from './messages';
import { patientName } from './names';
import { ObstacleDialog, obstaclesOf } from './ObstacleDialog';
import { ANY_TIME, useSlots, type Wish } from './SlotList';
import { readSearch, type SearchChange } from './search';
import { ToBook } from './ToBook';
import { addDays, clock, dayOf, instantOf, minutesOf } from './time';
import { TO_BOOK, useDays, useRooms, useTakeDone } from './useCalendar';

const TICK_MS = 30_000;
/** What is chosen stays on one line, however much it is. */
const ONE_LINE = { pillsList: { flexWrap: 'nowrap', overflow: 'hidden' } } as const;

/** Something that is being done to an appointment; asked again with a reason when something is in the way. */
interface Doing {
  readonly run: (reason: string) => Promise<Appointment>;
  readonly said: (done: Appointment) => string;
}

/** The day, or a room's week: who comes when and where. */
export function CalendarPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const { language } = useLanguage();
  const notify = useNotify();
  const mayChange = useMay('schedule');
  const search = useSearch({ from: '/signed-in/shell/calendar' });
  const navigate = useNavigate({ from: '/calendar' });
  const change = (to: SearchChange) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  const grid = useRef<GridHandle>(null);
  const [chosen, setChosen] = useState<Entry | null>(null);
  const [wish, setWish] = useState<Wish>(ANY_TIME);
  const [doing, setDoing] = useState<Doing | null>(null);

  const { rooms: every, modalitiesOf, modalities, names, ...roomQuery } = useRooms();
  const roomName = (room: number) => names.get(room) ?? `#${room}`;
  // Of what is being booked only the rooms that can do it are shown, unless somebody chose others.
  const needed =
    search.room === undefined ? chosen?.steps.map((step) => step.modality).filter(Boolean) : undefined;
  const wanted = search.modality ?? (needed === undefined || needed.length === 0 ? undefined : needed);
  const rooms = every.filter(
    (room) =>
      (wanted === undefined || (modalitiesOf.get(room.id) ?? []).some((one) => wanted.includes(one))) &&
      (search.room === undefined || search.room.includes(room.id)),
  );
  const isWeek = search.view === 'week';
  const shownRooms = isWeek ? rooms.slice(0, 1) : rooms;
  const roomKey = shownRooms.map((room) => room.id).join();
  const roomNumbers = useMemo(() => (roomKey === '' ? [] : roomKey.split(',').map(Number)), [roomKey]);
  const {
    zone,
    today,
    chosen: day,
    days,
    background,
    appointments,
    isLive,
    reload,
  } = useDays(search, roomNumbers);
  const takeDone = useTakeDone();
  const list = appointments.data?.appointments;

  const columns = useMemo<readonly Column[]>(
    () => days.flatMap((one) => roomNumbers.map((room) => ({ key: `${room}-${one}`, room, day: one }))),
    [days, roomNumbers],
  );
  const blocks = useMemo(() => blocksOf(columns, list ?? [], zone), [columns, list, zone]);
  const closed = useMemo(() => {
    const known = new Map((background.data?.resources ?? []).map((one) => [one.resource, one]));
    return new Map(columns.map((one) => [one.key, closedOf(one, known.get(one.room), zone)]));
  }, [columns, background.data, zone]);
  const range = useMemo(() => rangeOf([...closed.values()], [...blocks.values()]), [closed, blocks]);
  const now = useNow();

  // -- booking an order that the address names -----------------------------------------------
  const ordered = useQuery({
    queryKey: [...TO_BOOK, 'order', search.order ?? 0],
    queryFn: ({ signal }) =>
      call('GET /api/v1/waiting-steps', { query: { request: search.order ?? null }, signal }),
    enabled: search.order !== undefined,
  });
  const wantedOrder = useMemo(() => entriesOf(ordered.data ?? [])[0], [ordered.data]);
  const begun = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (search.order === undefined || wantedOrder === undefined || begun.current === search.order) return;
    begun.current = search.order;
    setChosen(wantedOrder);
  }, [search.order, wantedOrder]);

  const slotRooms = search.room === undefined ? null : roomNumbers;
  const slots = useSlots(chosen?.steps.map((step) => step.step) ?? [], wish, zone, {
    rooms: slotRooms,
    isUrgent: chosen !== null && isUrgent(chosen),
  });
  const proposals = useMemo<readonly Proposal[]>(() => {
    if (chosen === null) return [];
    return (slots.data ?? []).flatMap((slot, index) =>
      slot.steps.flatMap((one) => {
        const start = new Date(one.start_at);
        const on = dayOf(start, zone);
        const column = `${one.room}-${on}`;
        const from = minutesOf(start, on, zone);
        const until = minutesOf(new Date(one.end_at), on, zone);
        return [{ key: `${index}|${one.step}`, column, start: from, end: until }];
      }),
    );
  }, [chosen, slots.data, zone]);

  // -- doing ---------------------------------------------------------------------------------
  const carryOut = useMutation({
    mutationFn: ({ what, reason }: { what: Doing; reason: string }) => what.run(reason),
    onSuccess: (done, { what }) => {
      setDoing(null);
      finished(done, what.said(done));
    },
    onError: (error, { what }) => {
      if (obstaclesOf(error) !== null) {
        setDoing(what);
        return;
      }
      setDoing(null);
      notify.failed(error);
      void reload();
    },
  });
  const obstacles = doing === null || !carryOut.isError ? null : obstaclesOf(carryOut.error);

  function start(what: Doing): void {
    carryOut.mutate({ what, reason: '' });
  }

  function finished(done: Appointment, text: string): void {
    takeDone(done);
    void reload();
    notify.done(text, () => {
      call('POST /api/v1/appointments/{number}/undo', {
        path: { number: done.id },
        body: { version: done.version },
      })
        .then((undone) => {
          takeDone(undone);
          notify.done(say('undone'));
        })
        .catch(notify.failed)
        .finally(() => void reload());
    });
  }

  function timeOf(done: Appointment): string {
    if (done.start_at === null) return '';
    const at = new Date(done.start_at);
    const on = dayOf(at, zone);
    const time = clock(minutesOf(at, on, zone));
    return on === day ? time : `${format.date(on)} ${time}`;
  }

  function placeOf(done: Appointment): string {
    const found = done.steps.flatMap((step) => (step.room === null ? [] : [roomName(step.room)]));
    return [...new Set(found)].join(', ');
  }

  function book(entry: Entry, plan: StepPlace[]): void {
    start({
      run: (reason) =>
        entry.waiting === undefined
          ? call('POST /api/v1/appointments', { body: { steps: plan, reason } })
          : call('PATCH /api/v1/appointments/{number}', {
              path: { number: entry.waiting.id },
              body: { version: entry.waiting.version, steps: plan, reason },
            }),
      said: (done) => {
        setChosen(null);
        if (search.order !== undefined) change({ order: undefined });
        return say('booked', { time: timeOf(done), room: placeOf(done) });
      },
    });
  }

  function onDrop(carried: Carried, target: Target): void {
    if (carried.kind === 'entry') {
      const at = instantOf(target.column.day, target.start, zone);
      book(carried.entry, planAt(carried.entry, target.column.room, at));
      return;
    }
    const { block } = carried;
    const { appointment } = block;
    const path = { number: appointment.id };
    const { version } = appointment;
    if (carried.kind === 'resize') {
      const end_at = instantOf(target.column.day, target.end, zone).toISOString();
      start({
        run: (reason) =>
          call('PATCH /api/v1/appointments/{number}', { path, body: { version, end_at, reason } }),
        said: () => say('resized', { start: clock(target.start), end: clock(target.end) }),
      });
      return;
    }
    const from = columns.find((one) => block.key === `${appointment.id}-${one.key}`) ?? target.column;
    const shift =
      instantOf(target.column.day, target.start, zone).getTime() -
      instantOf(from.day, block.start, zone).getTime();
    const start_at = new Date(Date.parse(appointment.start_at ?? '') + shift).toISOString();
    const put =
      target.column.room === block.room
        ? {}
        : { put: { from_resource: block.room, to_resource: target.column.room } };
    const end_at =
      target.end - target.start === block.end - block.start
        ? {}
        : { end_at: instantOf(target.column.day, target.end, zone).toISOString() };
    start({
      run: (reason) =>
        call('PATCH /api/v1/appointments/{number}', {
          path,
          body: { version, ...(shift === 0 ? {} : { start_at }), ...end_at, ...put, reason },
        }),
      said: (done) => say('moved', { time: timeOf(done), room: placeOf(done) }),
    });
  }

  function moveTo(appointment: Appointment, slot: Slot): void {
    start({
      run: (reason) =>
        call('PATCH /api/v1/appointments/{number}', {
          path: { number: appointment.id },
          body: { version: appointment.version, steps: planOf(slot), reason },
        }),
      said: (done) => {
        show(slot);
        return say('moved', { time: timeOf(done), room: placeOf(done) });
      },
    });
  }

  function show(slot: Slot): void {
    change({ day: dayOf(new Date(slot.start_at), zone), open: undefined });
  }

  const holiday = background.data?.holidays.find((one) => one.day === day);
  const holidayName = holiday === undefined ? '' : language === 'fr' ? holiday.name_fr : holiday.name_en;
  const dayName = new Intl.DateTimeFormat(format.locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  const shortDay = new Intl.DateTimeFormat(format.locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  });
  const utc = (one: string) => new Date(`${one}T00:00:00Z`);
  const heading = isWeek
    ? `${shortDay.format(utc(days[0] ?? day))} – ${shortDay.format(utc(days.at(-1) ?? day))}`
    : `${dayName.format(utc(day))}${holidayName === '' ? '' : ` · ${holidayName}`}`;
  const shownModalities = [
    ...new Set([...blocks.values()].flatMap((found) => found.map((one) => one.modality))),
  ].sort();

  return (
    <div className={classes['page']}>
      <div className={classes['bar']}>
        <Title order={1} mr="sm" style={{ whiteSpace: 'nowrap' }}>
          {say('title')}
        </Title>
        <Group gap={4} wrap="nowrap">
          <Button variant="default" onClick={() => change({ day: undefined })} disabled={day === today}>
            {say('today')}
          </Button>
          <ActionIcon
            variant="default"
            size={30}
            aria-label={say('earlier')}
            onClick={() => change({ day: addDays(day, isWeek ? -7 : -1) })}
          >
            <IconChevronLeft size={16} aria-hidden />
          </ActionIcon>
          <DateField
            required
            aria-label={say('date')}
            value={day}
            w={118}
            onChange={(next) => {
              if (next !== '') change({ day: next });
            }}
          />
          <ActionIcon
            variant="default"
            size={30}
            aria-label={say('later')}
            onClick={() => change({ day: addDays(day, isWeek ? 7 : 1) })}
          >
            <IconChevronRight size={16} aria-hidden />
          </ActionIcon>
        </Group>
        <SegmentedControl
          size="xs"
          aria-label={say('view')}
          value={isWeek ? 'week' : 'day'}
          data={[
            { value: 'day', label: say('dayView') },
            { value: 'week', label: say('weekView') },
          ]}
          onChange={(value) => change({ view: value === 'week' ? 'week' : undefined })}
        />
        <MultiSelect
          aria-label={say('modality')}
          placeholder={search.modality === undefined ? say('anyModality') : ''}
          data={modalities}
          value={[...(search.modality ?? [])]}
          clearable
          w={170}
          styles={ONE_LINE}
          onChange={(value) => change({ modality: value, room: undefined })}
        />
        {isWeek ? (
          <Select
            aria-label={say('room')}
            searchable
            allowDeselect={false}
            w={190}
            value={shownRooms[0] === undefined ? null : String(shownRooms[0].id)}
            data={every.map((room) => ({ value: String(room.id), label: room.name }))}
            onChange={(value) =>
              change({ room: value === null ? undefined : [Number(value)], modality: undefined })
            }
          />
        ) : (
          <MultiSelect
            aria-label={say('room')}
            placeholder={search.room === undefined ? say('anyRoom') : ''}
            searchable
            clearable
            w={220}
            styles={ONE_LINE}
            data={every.map((room) => ({ value: String(room.id), label: room.name }))}
            value={(search.room ?? []).map(String)}
            onChange={(value) => change({ room: value.map(Number) })}
          />
        )}
        {search.list === true || chosen !== null || search.order !== undefined ? null : (
          <Button variant="default" ml="auto" onClick={() => change({ list: true })}>
            {say('list')}
          </Button>
        )}
      </div>
      <Group justify="space-between" gap="xs">
        <Title order={2} size="h3" aria-live="polite">
          {heading}
        </Title>
        {isLive || appointments.data === undefined ? null : (
          <Badge
            variant="light"
            color="orange"
            tt="none"
            leftSection={<IconPlugConnectedX size={12} aria-hidden />}
            role="status"
            className={classes['notLive'] ?? ''}
          >
            {say('notLive')}
          </Badge>
        )}
        <Select
          aria-label={say('colourBy')}
          allowDeselect={false}
          w={165}
          value={search.colour ?? 'modality'}
          data={[
            { value: 'modality', label: say('byModality') },
            { value: 'state', label: say('byState') },
          ]}
          onChange={(value) => change({ colour: value === 'state' ? 'state' : undefined })}
        />
      </Group>
      {roomQuery.error === null ? null : (
        <Failure error={roomQuery.error} onRetry={() => void roomQuery.refetch()} />
      )}
      {appointments.isError ? (
        <Failure error={appointments.error} onRetry={() => void appointments.refetch()} />
      ) : null}
      {appointments.data?.is_cut === true ? <Alert color="yellow">{say('cut')}</Alert> : null}
      <div className={classes['body']}>
        {roomQuery.isPending ? (
          <Loading />
        ) : shownRooms.length === 0 ? (
          <div style={{ flex: '1 1 auto' }}>
            <Empty title={say(every.length === 0 ? 'noRoom' : 'noMatch')}>
              {say(every.length === 0 ? 'noRoomText' : 'noMatchText')}
            </Empty>
          </div>
        ) : (
          <Grid
            handle={grid}
            columns={columns}
            headOf={(column) =>
              isWeek
                ? {
                    name: shortDay.format(utc(column.day)),
                    more:
                      dayMore(column.day, background.data?.holidays ?? [], language) || roomName(column.room),
                    isToday: column.day === today,
                  }
                : {
                    name: roomName(column.room),
                    more: [
                      ...(modalitiesOf.get(column.room) ?? []),
                      ...(closed.get(column.key) ?? [])
                        .filter((one) => one.kind !== 'CLOSED' && one.kind !== 'HOLIDAY')
                        .map((one) => `⚠ ${say(one.kind as 'OTHER')} ${clock(one.start)}–${clock(one.end)}`),
                    ].join(' · '),
                    isToday: false,
                  }
            }
            blocks={blocks}
            closed={closed}
            range={range}
            now={{ day: dayOf(now, zone), minute: minutesOf(now, dayOf(now, zone), zone) }}
            colour={search.colour ?? 'modality'}
            mayChange={mayChange && !carryOut.isPending}
            open={search.open}
            proposals={proposals}
            booking={mayChange ? chosen : null}
            onOpen={(appointment) => change({ open: appointment.id })}
            onDrop={onDrop}
            onProposal={(key) => {
              const slot = slots.data?.[Number(key.split('|')[0])];
              if (slot !== undefined && chosen !== null) book(chosen, planOf(slot));
            }}
          />
        )}
        {search.list === true || chosen !== null || search.order !== undefined ? (
          <ToBook
            modality={search.modality ?? []}
            order={search.order}
            chosen={chosen}
            zone={zone}
            mayChange={mayChange}
            wish={wish}
            rooms={slotRooms}
            onWish={setWish}
            roomName={roomName}
            onChoose={(entry) => {
              setChosen(entry);
              if (entry !== null) setWish({ halfDay: null, earliest: day > today ? day : '' });
              if (entry === null && search.order !== undefined) change({ order: undefined, list: true });
            }}
            onCarry={(entry, event) => grid.current?.carry(entry, event)}
            onShow={show}
            onTake={(entry, slot) => book(entry, planOf(slot))}
            onClose={() => change({ list: undefined, order: undefined })}
            onChanged={() => void reload()}
          />
        ) : null}
      </div>
      <Legend colour={search.colour ?? 'modality'} modalities={shownModalities} />
      <AppointmentDrawer
        number={search.open}
        zone={zone}
        mayChange={mayChange}
        roomName={roomName}
        onMove={moveTo}
        onDone={finished}
        onClose={() => change({ open: undefined })}
      />
      <ObstacleDialog
        obstacles={obstacles}
        isPending={carryOut.isPending}
        nameOf={(number) => patientName(list?.find((one) => one.id === number)?.patient ?? null, format)}
        onReason={(reason) => {
          if (doing !== null) carryOut.mutate({ what: doing, reason });
        }}
        onClose={() => setDoing(null)}
      />
    </div>
  );
}

function dayMore(
  day: string,
  holidays: readonly { readonly day: string; readonly name_fr: string; readonly name_en: string }[],
  language: 'en' | 'fr',
): string {
  const found = holidays.find((one) => one.day === day);
  return found === undefined ? '' : language === 'fr' ? found.name_fr : found.name_en;
}

/** The present, moved on twice a minute. */
function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

const ICONS = { BOOKED: IconClock, ARRIVED: IconUserCheck, FULFILLED: IconCircleCheck, NOSHOW: IconUserOff };

function Legend(props: { readonly colour: string; readonly modalities: readonly string[] }): ReactNode {
  const say = useMessages(messages);
  const swatch = (tint: string) => (
    <span className={classes['swatch']} style={{ '--tint': tint } as CSSProperties} aria-hidden />
  );
  return (
    <ul className={classes['legend']} aria-label={say('legend')}>
      {Object.entries(ICONS).map(([state, Icon]) => (
        <li key={state}>
          {props.colour === 'state' ? swatch(STATES[state as keyof typeof STATES]) : null}
          <Icon size={12} aria-hidden />
          {say(state as keyof typeof STATES)}
        </li>
      ))}
      <li>
        <span className={`${classes['swatch']} ${classes['dashed']}`} aria-hidden />
        <IconAlertTriangle size={12} aria-hidden color="var(--mantine-color-red-6)" />
        {say('overbooked')}
      </li>
      {props.colour === 'modality'
        ? props.modalities.map((one) => (
            <li key={one}>
              {swatch(tintOfModality(one))}
              {one}
            </li>
          ))
        : null}
    </ul>
  );
}
