// biome-ignore-all lint/a11y/useSemanticElements: a grid of which only some rows exist cannot be a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, aria-activedescendant says where
import { ActionIcon, Button, Menu } from '@mantine/core';
import type { BoardRow } from '@negatoscope/api-client';
import { useFormat, useLanguage, useMessages } from '@negatoscope/ui';
import { IconCircleCheck, IconDots, IconMapPin, IconNote } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useMemo, useState } from 'react';
import classes from './BoardTable.module.css';
import { Flags } from './Flags';
import { messages } from './messages';
import { byRoom, delayOf, nameOf, possible, type StepAction, spanOf } from './rows';
import { StateChip } from './StateChip';

const ROW_PX = 34;
const HEAD_PX = 28;
const LATE_MIN = 15;
const KEYS: Readonly<Record<string, RowAction>> = {
  a: 'arrive',
  i: 'identity',
  s: 'start',
  e: 'end',
  u: 'undo',
  Enter: 'open',
  v: 'images',
  l: 'label',
  n: 'note',
};
const COLUMNS = [
  'columnTime',
  'columnState',
  'columnPatient',
  'columnIdentifiers',
  'columnProcedure',
  'columnPlace',
  'columnUnit',
  'columnArrived',
  'columnStarted',
  'columnEnded',
  'columnDelay',
  'columnImages',
  'columnFlags',
  'columnNext',
] as const;

export type RowAction = StepAction | 'open' | 'images' | 'label' | 'letter' | 'device' | 'note';

type Item =
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly name: string;
      readonly location: string;
      readonly count: number;
    }
  | { readonly kind: 'row'; readonly key: string; readonly row: BoardRow; readonly at: number };

export interface BoardTableProps {
  readonly rows: readonly BoardRow[];
  readonly isGrouped: boolean;
  readonly timeZone: string;
  readonly now: number;
  readonly fresh: ReadonlySet<number>;
  /** Step that has the keyboard; null for none. */
  readonly active: number | null;
  readonly onActive: (step: number | null) => void;
  readonly mayPerform: boolean;
  readonly onAction: (row: BoardRow, action: RowAction) => void;
  readonly onEscape: () => void;
  readonly scrollRef: RefObject<HTMLDivElement | null>;
}

/** The rows of a day; of hundreds some dozens exist. One tab stop; arrows walk, letters act. */
export function BoardTable(props: BoardTableProps): ReactNode {
  const { rows, isGrouped, active, scrollRef, onAction } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const [menu, setMenu] = useState<number | null>(null);
  const items = useMemo(() => itemsOf(rows, isGrouped, format.locale), [rows, isGrouped, format.locale]);
  const places = useMemo(() => items.flatMap((item, at) => (item.kind === 'row' ? [at] : [])), [items]);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: (at) => (items[at]?.kind === 'group' ? HEAD_PX : ROW_PX),
    getItemKey: (at) => items[at]?.key ?? at,
    overscan: 10,
    scrollPaddingStart: ROW_PX,
  });
  const activeAt = items.findIndex((item) => item.kind === 'row' && item.row.step === active);

  useEffect(() => {
    if (activeAt >= 0) virtual.scrollToIndex(activeAt, { align: 'auto' });
  }, [activeAt, virtual]);

  function go(place: number): void {
    const to = Math.max(0, Math.min(place, places.length - 1));
    const item = items[places[to] ?? -1];
    if (item?.kind === 'row') props.onActive(item.row.step);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scrollRef.current?.clientHeight ?? 300) / ROW_PX) - 2);
    const from = places.indexOf(activeAt);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: places.length - 1,
    };
    const to = moves[event.key];
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isPlain && (to !== undefined || event.key === 'Escape')) {
      event.preventDefault();
      if (to === undefined) props.onEscape();
      else go(to);
      return;
    }
    const item = items[activeAt];
    const action = KEYS[event.key];
    if (action === undefined || item?.kind !== 'row' || !isPlain) return;
    event.preventDefault();
    event.stopPropagation();
    if (isAllowed(item.row, action, props.mayPerform)) onAction(item.row, action);
  }

  return (
    <div
      ref={scrollRef}
      className={classes['scroll'] ?? ''}
      role="grid"
      aria-label={say('title')}
      aria-rowcount={items.length + 1}
      aria-activedescendant={activeAt >= 0 ? `board-row-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.target === event.currentTarget && active === null) go(0);
      }}
    >
      <div className={classes['head'] ?? ''} role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => (
          <div key={column} role="columnheader" className={classes['headCell'] ?? ''} data-column={column}>
            {say(column)}
          </div>
        ))}
      </div>
      <div role="rowgroup" className={classes['body'] ?? ''} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const item = items[index];
          const style = { transform: `translateY(${start}px)` };
          if (item === undefined) return null;
          if (item.kind === 'group')
            return (
              <div
                key={key}
                role="row"
                className={classes['group'] ?? ''}
                style={style}
                aria-rowindex={index + 2}
              >
                <span role="gridcell">
                  <IconMapPin size={13} aria-hidden />{' '}
                  <strong>{item.name === '' ? say('noRoom') : item.name}</strong>{' '}
                  <span className={classes['dim'] ?? ''}>
                    {item.location} · {say('count', { count: item.count })}
                  </span>
                </span>
              </div>
            );
          const { row } = item;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keyboard
            <div
              key={key}
              id={`board-row-${row.step}`}
              role="row"
              tabIndex={-1}
              aria-rowindex={index + 2}
              aria-selected={row.step === active}
              data-active={row.step === active || undefined}
              data-fresh={props.fresh.has(row.step) || undefined}
              data-state={row.state}
              className={classes['row'] ?? ''}
              style={style}
              onClick={() => {
                scrollRef.current?.focus({ preventScroll: true });
                props.onActive(row.step);
              }}
              onDoubleClick={() => onAction(row, 'open')}
            >
              <Cells
                row={row}
                isGrouped={isGrouped}
                now={props.now}
                timeZone={props.timeZone}
                mayPerform={props.mayPerform}
                onAction={onAction}
                isMenuOpen={menu === row.step}
                onMenu={(isOpen) => setMenu(isOpen ? row.step : null)}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Cells(props: {
  readonly row: BoardRow;
  readonly isGrouped: boolean;
  readonly now: number;
  readonly timeZone: string;
  readonly mayPerform: boolean;
  readonly onAction: (row: BoardRow, action: RowAction) => void;
  readonly isMenuOpen: boolean;
  readonly onMenu: (isOpen: boolean) => void;
}): ReactNode {
  const { row, now, onAction } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const { language } = useLanguage();
  const time = useTime(props.timeZone);
  const name = nameOf(row);
  const delay = delayOf(row, now);
  const next = possible(row)[0];
  const procedure = (language === 'fr' ? row.label_fr : row.label_en) || row.procedure_name;
  const cell = (column: (typeof COLUMNS)[number], content: ReactNode, title?: string): ReactNode => (
    <div role="gridcell" className={classes['cell'] ?? ''} data-column={column} title={title}>
      {content}
    </div>
  );
  const transport = TRANSPORT[row.patient_transport];
  const from = [
    row.requesting_service || row.current_patient_location,
    transport === undefined ? '' : say(transport),
  ]
    .filter((part) => part !== '')
    .join(' · ');
  const identifiers = [row.patient_id, row.accession_number].filter((part) => part !== '').join(' · ');
  const place = [props.isGrouped ? '' : row.room_name, row.device_name]
    .filter((part) => part !== '')
    .join(' · ');
  const notes = row.notes.map((note) => `${note.noted_by}, ${time(note.noted_at)} : ${note.text}`).join('\n');
  const mpps = row.mpps_state === null ? undefined : MPPS[row.mpps_state];
  return (
    <>
      {cell('columnTime', <strong>{time(row.start_at)}</strong>)}
      {cell('columnState', <StateChip state={row.state} />, mpps === undefined ? undefined : say(mpps))}
      {cell(
        'columnPatient',
        <span className={classes['person'] ?? ''}>
          <strong className={classes['name'] ?? ''}>{name}</strong>
          {row.identity_status === 'VALI' ? (
            <IconCircleCheck size={13} className={classes['valid'] ?? ''} aria-label={say('validated')} />
          ) : null}
          <span className={classes['born'] ?? ''}>
            {format.date(row.birth_date)} {row.sex}
          </span>
        </span>,
        `${name} ${format.date(row.birth_date)} ${row.sex}`,
      )}
      {cell('columnIdentifiers', identifiers, identifiers)}
      {cell(
        'columnProcedure',
        <>
          <span className={classes['modality'] ?? ''}>{row.modality}</span> {procedure}
          {row.notes.length === 0 ? null : (
            <span className={classes['note'] ?? ''}>{row.notes.at(-1)?.text}</span>
          )}
        </>,
        [procedure, notes].filter((part) => part !== '').join('\n'),
      )}
      {cell('columnPlace', place, place)}
      {cell('columnUnit', from, from)}
      {cell('columnArrived', time(row.arrived_at))}
      {cell('columnStarted', time(row.started_at))}
      {cell('columnEnded', time(row.ended_at))}
      {cell(
        'columnDelay',
        delay === null || Math.abs(delay) < 1 || (delay < 0 && row.started_at === null) ? null : (
          <span data-late={delay >= LATE_MIN || undefined} className={classes['delay'] ?? ''}>
            {delay > 0 ? `+${spanOf(delay)}` : `−${spanOf(-delay)}`}
          </span>
        ),
      )}
      {cell(
        'columnImages',
        row.instance_count > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            className={classes['images'] ?? ''}
            aria-label={say('images')}
            onClick={(event) => {
              event.stopPropagation();
              onAction(row, 'images');
            }}
          >
            {format.number(row.instance_count)}
          </button>
        ) : null,
      )}
      {cell(
        'columnFlags',
        <>
          <Flags flags={row.flags} />
          {notes === '' ? null : <IconNote size={15} aria-label={notes} role="img" />}
        </>,
        notes,
      )}
      {cell(
        'columnNext',
        // biome-ignore lint/a11y/noStaticElementInteractions: it keeps clicks from the row
        // biome-ignore lint/a11y/useKeyWithClickEvents: it keeps clicks from the row
        <span
          className={classes['actions'] ?? ''}
          onClick={(event) => event.stopPropagation()}
          onDoubleClick={(event) => event.stopPropagation()}
        >
          {props.mayPerform && next !== undefined && next !== 'undo' ? (
            <Button
              size="compact-xs"
              variant={next === 'start' || next === 'end' ? 'filled' : 'light'}
              tabIndex={-1}
              onClick={() => onAction(row, next)}
            >
              {say(next)}
            </Button>
          ) : null}
          <RowMenu {...props} name={name} />
        </span>,
      )}
    </>
  );
}

function RowMenu(props: {
  readonly row: BoardRow;
  readonly name: string;
  readonly mayPerform: boolean;
  readonly onAction: (row: BoardRow, action: RowAction) => void;
  readonly isMenuOpen: boolean;
  readonly onMenu: (isOpen: boolean) => void;
}): ReactNode {
  const { row, onAction } = props;
  const say = useMessages(messages);
  const button = (
    <ActionIcon
      size="sm"
      tabIndex={-1}
      aria-label={say('more', { name: props.name })}
      onClick={() => props.onMenu(!props.isMenuOpen)}
    >
      <IconDots size={15} />
    </ActionIcon>
  );
  if (!props.isMenuOpen) return button;
  const entry = (action: RowAction, key?: string): ReactNode =>
    isAllowed(row, action, props.mayPerform) ? (
      <Menu.Item
        key={action}
        rightSection={key === undefined ? undefined : <span className={classes['key'] ?? ''}>{key}</span>}
        onClick={() => onAction(row, action)}
      >
        {say(action)}
      </Menu.Item>
    ) : null;
  return (
    <Menu opened onChange={props.onMenu} position="bottom-end" shadow="md" withinPortal trapFocus>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {entry('open', '↵')}
        {entry('images', 'V')}
        <Menu.Divider />
        {entry('arrive', 'A')}
        {entry('identity', 'I')}
        {entry('start', 'S')}
        {entry('end', 'E')}
        {entry('discontinue')}
        {entry('undo', 'U')}
        {entry('device')}
        {entry('note', 'N')}
        <Menu.Divider />
        {entry('label', 'L')}
        {entry('letter')}
      </Menu.Dropdown>
    </Menu>
  );
}

const TRANSPORT: Readonly<Record<string, 'walk' | 'chair' | 'bed' | 'portable'>> = {
  WALK: 'walk',
  CHAIR: 'chair',
  BED: 'bed',
  PORTABLE: 'portable',
};
const MPPS: Readonly<Record<string, 'mppsInProgress' | 'mppsCompleted' | 'mppsDiscontinued'>> = {
  'IN PROGRESS': 'mppsInProgress',
  COMPLETED: 'mppsCompleted',
  DISCONTINUED: 'mppsDiscontinued',
};
const BEFORE_START = new Set(['SCHEDULED', 'ARRIVED', 'READY']);

function isAllowed(row: BoardRow, action: RowAction, mayPerform: boolean): boolean {
  switch (action) {
    case 'open':
    case 'label':
      return true;
    case 'images':
      return row.instance_count > 0;
    case 'letter':
      return row.appointment !== null;
    case 'note':
      return mayPerform;
    case 'device':
      return mayPerform && BEFORE_START.has(row.state);
    case 'start':
      return mayPerform && BEFORE_START.has(row.state);
    default:
      return mayPerform && possible(row).includes(action);
  }
}

function itemsOf(rows: readonly BoardRow[], isGrouped: boolean, locale: string): readonly Item[] {
  if (!isGrouped) return rows.map((row, at) => ({ kind: 'row', key: `s${row.step}`, row, at }));
  return byRoom(rows, locale).flatMap((group): readonly Item[] => [
    {
      kind: 'group',
      key: `g${group.room ?? ''}`,
      name: group.name,
      location: group.location,
      count: group.rows.length,
    },
    ...group.rows.map((row, at): Item => ({ kind: 'row', key: `s${row.step}`, row, at })),
  ]);
}

/** A time of day in the department's zone. */
export function useTime(timeZone: string): (instant: string | null) => string {
  const { locale } = useFormat();
  return useMemo(() => {
    const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZone });
    return (instant) => (instant === null ? '' : clock.format(new Date(instant)));
  }, [locale, timeZone]);
}
