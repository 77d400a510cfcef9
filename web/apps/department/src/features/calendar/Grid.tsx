import type { Appointment } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconClock,
  IconUserCheck,
  IconUserOff,
} from '@tabler/icons-react';
import {
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  type PointerEvent as ReactPointerEvent,
  type Ref,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { tintOf } from './colours';
import { type Entry, minutesOfEntry } from './entries';
import classes from './Grid.module.css';
import type { Block, Column, Span } from './layout';
import { messages } from './messages';
import { patientName } from './names';
import type { Colour } from './search';
import { clock } from './time';

/** Minutes to which times are rounded. */
const SNAP = 5;
const HOUR_PX = 84;
const NARROWEST_PX = 118;
const LEAST_MIN = 5;
/** Pixels that the pointer goes before it carries something. */
const LIFT_PX = 5;
const EDGE_PX = 40;
const STATE_ICONS = {
  BOOKED: IconClock,
  ARRIVED: IconUserCheck,
  FULFILLED: IconCircleCheck,
  NOSHOW: IconUserOff,
} as const;

export type Carried =
  | { readonly kind: 'move' | 'resize'; readonly block: Block }
  | { readonly kind: 'entry'; readonly entry: Entry };

export interface Target {
  readonly column: Column;
  readonly start: number;
  readonly end: number;
}

export interface Proposal {
  readonly key: string;
  readonly column: string;
  readonly start: number;
  readonly end: number;
}

export interface GridHandle {
  /** Carry something that is not in the grid yet; follows the pointer. */
  readonly carry: (entry: Entry, event: ReactPointerEvent) => void;
}

export interface GridProps {
  readonly columns: readonly Column[];
  readonly headOf: (column: Column) => {
    readonly name: string;
    readonly more: string;
    readonly isToday: boolean;
  };
  readonly blocks: ReadonlyMap<string, readonly Block[]>;
  readonly closed: ReadonlyMap<string, readonly Span[]>;
  readonly range: readonly [number, number];
  /** Where the line of the present is, if one of the columns has it. */
  readonly now: { readonly day: string; readonly minute: number };
  readonly colour: Colour;
  readonly mayChange: boolean;
  readonly open: number | undefined;
  readonly proposals: readonly Proposal[];
  /** A click on an empty place books it. */
  readonly booking: Entry | null;
  readonly onOpen: (appointment: Appointment) => void;
  readonly onDrop: (carried: Carried, target: Target) => void;
  readonly onProposal: (key: string) => void;
  readonly handle: Ref<GridHandle>;
}

/** Rooms beside each other, time downwards; everything can be carried by pointer or keyboard. */
export function Grid(props: GridProps): ReactNode {
  const { columns, blocks, range } = props;
  const say = useMessages(messages);
  const scroller = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const [first, last] = range;
  const [carry, setCarry] = useState<{ carried: Carried; target: Target | null; byKeys: boolean } | null>(
    null,
  );
  const [hovered, setHovered] = useState<{ block: Block; x: number; y: number } | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const live = useRef(carry);
  live.current = carry;

  const rangeKey = `${first}`;
  const nowMinute = props.now.minute;
  const hasNow = columns.some((column) => column.day === props.now.day);
  const scrolled = useRef('');
  useLayoutEffect(() => {
    const box = scroller.current;
    const key = `${rangeKey}|${columns[0]?.day ?? ''}`;
    if (box === null || scrolled.current === key || columns.length === 0) return;
    scrolled.current = key;
    const wanted = hasNow ? nowMinute - 60 : 7 * 60 + 30;
    box.scrollTop = Math.max(0, ((wanted - first) / 60) * HOUR_PX);
  }, [rangeKey, first, columns, hasNow, nowMinute]);

  function locate(x: number, y: number): { column: Column; minute: number } | null {
    const box = scroller.current?.getBoundingClientRect();
    if (box === undefined || x < box.left || x > box.right || y < box.top || y > box.bottom) return null;
    const found = [...(sheet.current?.querySelectorAll<HTMLElement>('[data-column]') ?? [])].find((one) => {
      const rect = one.getBoundingClientRect();
      return x >= rect.left && x < rect.right;
    });
    const column = columns.find((one) => one.key === found?.dataset['column']);
    if (found === undefined || column === undefined) return null;
    return { column, minute: first + ((y - found.getBoundingClientRect().top) / HOUR_PX) * 60 };
  }

  function targetOf(carried: Carried, x: number, y: number, grip: number): Target | null {
    const place = locate(x, y);
    if (place === null) return null;
    if (carried.kind === 'resize') {
      const { block } = carried;
      const end = Math.max(block.start + LEAST_MIN, snap(place.minute));
      return { column: columnOf(block), start: block.start, end: Math.min(1440, end) };
    }
    const length =
      carried.kind === 'entry' ? minutesOfEntry(carried.entry) : carried.block.end - carried.block.start;
    const start = Math.max(0, Math.min(1440 - LEAST_MIN, snap(place.minute - grip)));
    return { column: place.column, start, end: start + length };
  }

  function columnOf(block: Block): Column {
    const found = columns.find((one) => block.key === `${block.appointment.id}-${one.key}`);
    return found ?? (columns[0] as Column);
  }

  function begin(carried: Carried, event: ReactPointerEvent, grip: number): void {
    if (event.button !== 0 || !props.mayChange) return;
    const from = { x: event.clientX, y: event.clientY };
    let isLifted = false;
    let last = from;
    const timer = setInterval(() => {
      if (isLifted) scrollAtEdge(scroller.current, last);
    }, 30);
    const move = (to: PointerEvent) => {
      last = { x: to.clientX, y: to.clientY };
      if (!isLifted && Math.hypot(last.x - from.x, last.y - from.y) < LIFT_PX) return;
      isLifted = true;
      setHovered(null);
      setCarry({ carried, target: targetOf(carried, last.x, last.y, grip), byKeys: false });
    };
    const stop = () => {
      clearInterval(timer);
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', stop);
      window.removeEventListener('keydown', giveUp, true);
      setCarry(null);
    };
    const up = (to: PointerEvent) => {
      const target = isLifted ? targetOf(carried, to.clientX, to.clientY, grip) : null;
      stop();
      if (isLifted) swallowClick();
      if (target !== null && isElsewhere(carried, target)) props.onDrop(carried, target);
    };
    const giveUp = (pressed: globalThis.KeyboardEvent) => {
      if (pressed.key !== 'Escape') return;
      pressed.preventDefault();
      pressed.stopPropagation();
      stop();
      if (isLifted) swallowClick();
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', stop);
    window.addEventListener('keydown', giveUp, true);
  }

  function isElsewhere(carried: Carried, target: Target): boolean {
    if (carried.kind === 'entry') return true;
    const { block } = carried;
    return target.column !== columnOf(block) || target.start !== block.start || target.end !== block.end;
  }

  useImperativeHandle(props.handle, () => ({
    carry: (entry, event) => begin({ kind: 'entry', entry }, event, 0),
  }));

  const ordered = columns.flatMap((column) => blocks.get(column.key) ?? []);
  const stop = ordered.find((one) => one.key === focused)?.key ?? ordered[0]?.key;

  // Put down in another column it is another element: whoever goes on with the keyboard stays on it.
  const dropped = useRef<number | null>(null);
  useEffect(() => {
    if (dropped.current === null || document.activeElement !== document.body) return;
    const moved = [...blocks.values()].flat().find((one) => one.appointment.id === dropped.current);
    dropped.current = null;
    focusBlock(moved?.key);
  });

  function focusBlock(key: string | undefined): void {
    if (key === undefined) return;
    setFocused(key);
    const found = [...(sheet.current?.querySelectorAll<HTMLElement>('[data-block]') ?? [])].find(
      (one) => one.dataset['block'] === key,
    );
    found?.focus();
  }

  function neighbour(block: Block, key: string): string | undefined {
    const here = columns.indexOf(columnOf(block));
    const list = blocks.get(columnOf(block).key) ?? [];
    const index = list.findIndex((one) => one.key === block.key);
    if (key === 'ArrowDown') return list[index + 1]?.key;
    if (key === 'ArrowUp') return list[index - 1]?.key;
    const step = key === 'ArrowRight' ? 1 : -1;
    for (let at = here + step; at >= 0 && at < columns.length; at += step) {
      const others = blocks.get(columns[at]?.key ?? '') ?? [];
      if (others.length === 0) continue;
      return [...others].sort((a, b) => Math.abs(a.start - block.start) - Math.abs(b.start - block.start))[0]
        ?.key;
    }
    return undefined;
  }

  function onKeys(event: KeyboardEvent, block: Block): void {
    const carrying = live.current;
    if (carrying?.byKeys === true && carrying.carried.kind !== 'entry' && carrying.target !== null) {
      const { target } = carrying;
      const changed = keyed(event, target);
      if (event.key === 'Enter') {
        event.preventDefault();
        const isResized = target.start === block.start && target.column === columnOf(block);
        const carried: Carried = { kind: isResized ? 'resize' : 'move', block };
        setCarry(null);
        if (isElsewhere(carried, target)) {
          dropped.current = block.appointment.id;
          props.onDrop(carried, target);
        }
      } else if (event.key === 'Escape' || event.key === 'Tab') {
        if (event.key === 'Escape') event.preventDefault();
        event.stopPropagation();
        setCarry(null);
      } else if (changed !== null) {
        event.preventDefault();
        setCarry({ ...carrying, target: changed });
        showMinute(scroller.current, changed.start - first);
      }
      return;
    }
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      props.onOpen(block.appointment);
    } else if (event.key.toLowerCase() === 'm' && isMovable(block)) {
      event.preventDefault();
      event.stopPropagation();
      const target = { column: columnOf(block), start: block.start, end: block.end };
      setCarry({ carried: { kind: 'move', block }, target, byKeys: true });
    } else if (event.key.startsWith('Arrow')) {
      event.preventDefault();
      focusBlock(neighbour(block, event.key));
    }
  }

  function keyed(event: KeyboardEvent, target: Target): Target | null {
    const down = event.key === 'ArrowDown' ? SNAP : event.key === 'ArrowUp' ? -SNAP : 0;
    if (down !== 0 && event.shiftKey) {
      const end = Math.max(target.start + LEAST_MIN, Math.min(1440, target.end + down));
      return { ...target, end };
    }
    if (down !== 0) {
      const start = Math.max(0, target.start + down);
      return { ...target, start, end: start + target.end - target.start };
    }
    const side = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const column = side === 0 ? undefined : columns[columns.indexOf(target.column) + side];
    return column === undefined ? null : { ...target, column };
  }

  function isMovable(block: Block): boolean {
    return props.mayChange && block.appointment.state === 'BOOKED';
  }

  const hours: number[] = [];
  for (let at = first; at < last; at += 60) hours.push(at);
  const lifted = carry === null || carry.carried.kind === 'entry' ? null : carry.carried.block.key;
  const top = (minute: number) => ((minute - first) / 60) * HOUR_PX;
  const style = {
    '--columns': columns.length,
    '--height': `${((last - first) / 60) * HOUR_PX}px`,
    '--hour': `${HOUR_PX}px`,
    '--narrowest': `${NARROWEST_PX}px`,
  } as CSSProperties;

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <section ref={scroller} className={classes['scroller']} tabIndex={0} aria-label={say('grid')}>
      <p className={classes['hidden']} id="calendar-help">
        {say('help')}
      </p>
      <p className={classes['hidden']} aria-live="assertive">
        {carry?.byKeys === true && carry.target !== null
          ? say('moving', {
              time: `${clock(carry.target.start)}–${clock(carry.target.end)}`,
              room: props.headOf(carry.target.column).name,
            })
          : ''}
      </p>
      <div
        ref={sheet}
        className={`${classes['sheet']} ${carry === null ? '' : classes['carrying']}`}
        style={style}
      >
        <div className={classes['corner']} />
        {columns.map((column) => {
          const head = props.headOf(column);
          return (
            <div
              key={column.key}
              className={`${classes['head']} ${head.isToday ? classes['headToday'] : ''}`}
              title={`${head.name} ${head.more}`}
            >
              <span className={classes['headName']}>{head.name}</span>
              <span className={classes['headMore']}>{head.more}</span>
            </div>
          );
        })}
        <div className={classes['axis']} aria-hidden>
          {hours.map((at) => (
            <span key={at} className={classes['hour']} style={{ top: top(at) }}>
              {clock(at)}
            </span>
          ))}
        </div>
        {columns.map((column, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: proposals are buttons; this is a shortcut of the pointer
          // biome-ignore lint/a11y/noStaticElementInteractions: likewise
          <div
            key={column.key}
            className={classes['column']}
            data-column={column.key}
            onClick={(event) => {
              if (props.booking === null || event.target !== event.currentTarget) return;
              const carried: Carried = { kind: 'entry', entry: props.booking };
              const target = targetOf(carried, event.clientX, event.clientY, 0);
              if (target !== null) props.onDrop(carried, target);
            }}
          >
            {(props.closed.get(column.key) ?? []).map((span) => {
              const start = Math.max(first, span.start);
              const end = Math.min(last, span.end);
              if (end <= start) return null;
              const isDown = span.kind !== 'CLOSED';
              return (
                <div
                  key={`${span.start}-${span.kind}`}
                  className={`${classes['closed']} ${isDown ? classes['down'] : ''}`}
                  style={{ top: top(start), height: top(end) - top(start) }}
                >
                  {isDown
                    ? `${say(span.kind as 'OTHER')}${span.reason === '' ? '' : ` : ${span.reason}`}`
                    : null}
                </div>
              );
            })}
            {props.proposals
              .filter((one) => one.column === column.key)
              .map((one) => (
                <button
                  key={one.key}
                  type="button"
                  className={classes['proposal']}
                  style={{ top: top(one.start), height: top(one.end) - top(one.start) }}
                  onClick={() => props.onProposal(one.key)}
                >
                  {say('proposal', { time: clock(one.start) })}
                </button>
              ))}
            {(blocks.get(column.key) ?? []).map((block) => (
              <BlockView
                key={block.key}
                block={block}
                colour={props.colour}
                top={top(block.start)}
                height={top(block.end) - top(block.start)}
                isMovable={isMovable(block)}
                isLifted={block.key === lifted}
                isOpen={block.appointment.id === props.open}
                isStop={block.key === stop}
                room={props.headOf(column).name}
                onKeyDown={(event) => onKeys(event, block)}
                onFocus={() => setFocused(block.key)}
                onOpen={() => props.onOpen(block.appointment)}
                onHover={(at) => setHovered(at === null || carry !== null ? null : { block, ...at })}
                onBegin={(kind, event, grip) => begin({ kind, block }, event, grip)}
              />
            ))}
            {column.day === props.now.day && props.now.minute >= first && props.now.minute <= last ? (
              <div
                className={`${classes['now']} ${index === 0 ? classes['nowFirst'] : ''}`}
                style={{ top: top(props.now.minute) }}
                title={say('now')}
              />
            ) : null}
            {carry?.target?.column.key === column.key ? (
              <div
                className={classes['ghost']}
                data-ghost
                style={{
                  top: top(carry.target.start),
                  height: top(carry.target.end) - top(carry.target.start),
                }}
              >
                {clock(carry.target.start)}–{clock(carry.target.end)}
              </div>
            ) : null}
          </div>
        ))}
      </div>
      {hovered === null ? null : <HoverCard {...hovered} />}
    </section>
  );
}

function BlockView(props: {
  readonly block: Block;
  readonly colour: Colour;
  readonly top: number;
  readonly height: number;
  readonly room: string;
  readonly isMovable: boolean;
  readonly isLifted: boolean;
  readonly isOpen: boolean;
  readonly isStop: boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onFocus: () => void;
  readonly onOpen: () => void;
  readonly onHover: (at: { x: number; y: number } | null) => void;
  readonly onBegin: (kind: 'move' | 'resize', event: ReactPointerEvent, grip: number) => void;
}): ReactNode {
  const { block } = props;
  const { appointment } = block;
  const say = useMessages(messages);
  const format = useFormat();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const name = patientName(appointment.patient, format) || say('noPatient');
  const width = 100 / block.lanes;
  const Icon = STATE_ICONS[appointment.state as keyof typeof STATE_ICONS] ?? IconClock;
  const names = [
    classes['block'],
    classes[appointment.state],
    props.isMovable ? classes['movable'] : '',
    block.isOverbooked ? classes['overbooked'] : '',
    props.isLifted ? classes['lifted'] : '',
    props.isOpen ? classes['open'] : '',
  ];
  const style = {
    top: props.top,
    height: Math.max(14, props.height - 1),
    left: `calc(${block.lane * width}% + 2px)`,
    width: `calc(${width}% - 4px)`,
    '--tint': tintOf(appointment, block.modality, props.colour),
  } as CSSProperties;
  const time = `${clock(block.start)}–${clock(block.end)}`;
  const state = say(appointment.state as 'BOOKED');
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button would not let its children be dragged apart
    <div
      role="button"
      tabIndex={props.isStop ? 0 : -1}
      className={names.filter(Boolean).join(' ')}
      style={style}
      data-block={block.key}
      data-appointment={appointment.id}
      aria-describedby="calendar-help"
      onKeyDown={props.onKeyDown}
      onFocus={props.onFocus}
      onClick={props.onOpen}
      onPointerDown={(event) => {
        clearTimeout(timer.current);
        props.onHover(null);
        if (!props.isMovable) return;
        const rect = event.currentTarget.getBoundingClientRect();
        props.onBegin('move', event, ((event.clientY - rect.top) / HOUR_PX) * 60);
      }}
      onPointerEnter={(event) => {
        const at = { x: event.clientX, y: event.clientY };
        clearTimeout(timer.current);
        timer.current = setTimeout(() => props.onHover(at), 350);
      }}
      onPointerLeave={() => {
        clearTimeout(timer.current);
        props.onHover(null);
      }}
    >
      <span className={`${classes['line']} ${classes['name']}`}>
        <Icon size={11} aria-hidden style={{ flex: 'none' }} />
        {block.isOverbooked ? (
          <IconAlertTriangle
            size={11}
            aria-hidden
            style={{ flex: 'none' }}
            color="var(--mantine-color-red-6)"
          />
        ) : null}
        <span className={classes['line']}>{name}</span>
      </span>
      {props.height < 30 ? null : (
        <span className={classes['line']}>
          {clock(block.start)} {block.modality} {block.description}
        </span>
      )}
      <span className={classes['hidden']}>
        {[
          time,
          props.room,
          props.height < 30 ? `${block.modality} ${block.description}` : '',
          state,
          block.isOverbooked ? say('overbooked') : '',
        ]
          .filter(Boolean)
          .join(', ')}
      </span>
      {props.isMovable && block.isLast ? (
        <span
          className={classes['stretch']}
          data-stretch
          onPointerDown={(event) => {
            event.stopPropagation();
            props.onBegin('resize', event, 0);
          }}
        />
      ) : null}
    </div>
  );
}

function HoverCard(props: { readonly block: Block; readonly x: number; readonly y: number }): ReactNode {
  const { block } = props;
  const { appointment } = block;
  const say = useMessages(messages);
  const format = useFormat();
  const left = Math.min(props.x + 14, window.innerWidth - 320);
  const top = Math.min(props.y + 14, window.innerHeight - 150);
  const born = appointment.patient?.birth_date ?? '';
  return (
    <div role="tooltip" className={classes['card']} style={{ left, top }}>
      <strong>{patientName(appointment.patient, format) || say('noPatient')}</strong>
      {born === '' ? null : <div>{say('born', { date: format.date(born) })}</div>}
      <div>
        {clock(block.start)}–{clock(block.end)} · {say(appointment.state as 'BOOKED')}
      </div>
      <div>
        {block.modality} · {block.description}
      </div>
      {appointment.overbooking_reason === '' ? null : (
        <div>{say('overbookedBecause', { reason: appointment.overbooking_reason })}</div>
      )}
      {appointment.note === '' ? null : <div>{appointment.note}</div>}
    </div>
  );
}

function snap(minute: number): number {
  return Math.round(minute / SNAP) * SNAP;
}

/** The click that follows a drop opens nothing. */
function swallowClick(): void {
  const swallow = (event: MouseEvent) => {
    event.stopPropagation();
    event.preventDefault();
  };
  window.addEventListener('click', swallow, { capture: true, once: true });
  setTimeout(() => window.removeEventListener('click', swallow, { capture: true }), 0);
}

function scrollAtEdge(box: HTMLElement | null, at: { readonly x: number; readonly y: number }): void {
  if (box === null) return;
  const rect = box.getBoundingClientRect();
  if (at.x < rect.left || at.x > rect.right || at.y < rect.top || at.y > rect.bottom) return;
  const speed = (near: number, far: number) => (near < EDGE_PX ? -14 : far < EDGE_PX ? 14 : 0);
  box.scrollBy(
    speed(at.x - rect.left - 52, rect.right - at.x),
    speed(at.y - rect.top - 36, rect.bottom - at.y),
  );
}

function showMinute(box: HTMLElement | null, minute: number): void {
  if (box === null) return;
  const at = (minute / 60) * HOUR_PX;
  if (at < box.scrollTop || at > box.scrollTop + box.clientHeight - 100)
    box.scrollTop = Math.max(0, at - 100);
}
