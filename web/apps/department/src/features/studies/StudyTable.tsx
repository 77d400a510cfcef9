// biome-ignore-all lint/a11y/useSemanticElements: a grid of which only some rows exist cannot be a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, aria-activedescendant says where
import { Checkbox, UnstyledButton } from '@mantine/core';
import type { ListedStudy } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
} from 'react';
import { type ColumnChoice, NARROWEST, type StudyColumn, shownColumns, WIDEST } from './columns';
import type { Order } from './criteria';
import { messages } from './messages';
import classes from './StudyTable.module.css';

const ROW_PX = 30;
const SELECT_PX = 34;
const AHEAD = 30;

export interface StudyTableProps {
  readonly studies: readonly ListedStudy[];
  readonly choice: ColumnChoice;
  readonly onChoice: (next: ColumnChoice) => void;
  readonly order: Order;
  readonly onOrder: (next: Order) => void;
  /** The row that has the keyboard, -1 for none. */
  readonly active: number;
  readonly onActive: (row: number) => void;
  readonly selected: ReadonlySet<string>;
  readonly onSelected: (next: ReadonlySet<string>) => void;
  readonly onOpen: (study: ListedStudy) => void;
  readonly onPatient: (study: ListedStudy) => void;
  readonly onEscape: () => void;
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly fresh: ReadonlySet<string>;
  /** Another one: another list, which begins at its top. */
  readonly listKey: string;
  readonly scrollRef: RefObject<HTMLDivElement | null>;
}

/** A grid of thousands of rows of which some dozens exist. One tab stop; arrows walk the rows. */
export function StudyTable(props: StudyTableProps): ReactNode {
  const { studies, choice, active, selected, hasMore, onMore, scrollRef } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const columns = useMemo(() => shownColumns(choice), [choice]);
  const widthOf = (column: StudyColumn): number => choice.widths[column.key] ?? column.width;
  const template = `${SELECT_PX}px ${columns.map((one, at) => (at === columns.length - 1 ? `minmax(${widthOf(one)}px, 1fr)` : `${widthOf(one)}px`)).join(' ')}`;
  const count = studies.length + (hasMore ? 1 : 0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollPaddingStart: ROW_PX,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && last >= studies.length - AHEAD) onMore();
  }, [hasMore, last, studies.length, onMore]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: when the list is another one, not before
  useEffect(() => rows.scrollToOffset(0), [props.listKey, rows]);

  useEffect(() => {
    if (active >= 0) rows.scrollToIndex(active, { align: 'auto' });
  }, [active, rows]);

  function toggle(study: ListedStudy): void {
    const next = new Set(selected);
    if (!next.delete(study.study_instance_uid)) next.add(study.study_instance_uid);
    props.onSelected(next);
  }

  function go(row: number, extend: boolean): void {
    const to = Math.max(0, Math.min(row, studies.length - 1));
    if (studies.length === 0) return;
    if (extend) {
      const next = new Set(selected);
      for (let at = Math.min(active < 0 ? to : active, to); at <= Math.max(active, to); at += 1) {
        const study = studies[at];
        if (study !== undefined) next.add(study.study_instance_uid);
      }
      props.onSelected(next);
    }
    props.onActive(to);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor((scrollRef.current?.clientHeight ?? 300) / ROW_PX) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: studies.length - 1,
    };
    const to = steps[event.key];
    const study = studies[active];
    if (to !== undefined && !event.altKey) {
      event.preventDefault();
      go(to, event.shiftKey);
    } else if (event.key === 'Enter' && study !== undefined) {
      event.preventDefault();
      props.onOpen(study);
    } else if (event.key === ' ' && study !== undefined) {
      event.preventDefault();
      toggle(study);
    } else if (event.key === 'p' && !event.ctrlKey && !event.metaKey && study !== undefined) {
      event.preventDefault();
      props.onPatient(study);
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      props.onSelected(new Set(studies.map((one) => one.study_instance_uid)));
    } else if (event.key === 'Escape') {
      event.preventDefault();
      props.onEscape();
    }
  }

  return (
    <div
      ref={scrollRef}
      className={classes['scroll'] ?? ''}
      role="grid"
      aria-label={say('title')}
      aria-rowcount={hasMore ? -1 : studies.length + 1}
      aria-multiselectable
      aria-activedescendant={active >= 0 ? `study-row-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.target === event.currentTarget && active < 0 && studies.length > 0) props.onActive(0);
      }}
    >
      <div
        className={classes['head'] ?? ''}
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
      >
        <div
          role="columnheader"
          className={classes['cell'] ?? ''}
          aria-label={say('selected', { count: selected.size })}
        />
        {columns.map((column) => (
          <HeadCell
            key={column.key}
            column={column}
            width={widthOf(column)}
            order={props.order}
            onOrder={props.onOrder}
            onWidth={(width) =>
              props.onChoice({ ...choice, widths: { ...choice.widths, [column.key]: width } })
            }
          />
        ))}
      </div>
      <div role="rowgroup" className={classes['body'] ?? ''} style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const study = studies[item.index];
          const place = { transform: `translateY(${item.start}px)`, gridTemplateColumns: template };
          if (study === undefined)
            return (
              <div key="more" className={classes['more'] ?? ''} style={place} role="row" tabIndex={-1}>
                <span role="gridcell">{say('more')}</span>
              </div>
            );
          const isSelected = selected.has(study.study_instance_uid);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keyboard
            <div
              key={study.study_instance_uid}
              id={`study-row-${item.index}`}
              role="row"
              tabIndex={-1}
              aria-rowindex={item.index + 2}
              aria-selected={isSelected}
              data-active={item.index === active || undefined}
              data-fresh={props.fresh.has(study.study_instance_uid) || undefined}
              className={classes['row'] ?? ''}
              style={place}
              onClick={(event) => {
                scrollRef.current?.focus({ preventScroll: true });
                if (event.shiftKey) go(item.index, true);
                else if (event.ctrlKey || event.metaKey) {
                  toggle(study);
                  props.onActive(item.index);
                } else props.onActive(item.index);
              }}
              onDoubleClick={() => props.onOpen(study)}
            >
              <div role="gridcell" className={classes['cell'] ?? ''}>
                <Checkbox
                  tabIndex={-1}
                  aria-label={`${format.personName(study.patient_name)} ${format.date(study.study_date)}`}
                  checked={isSelected}
                  onChange={() => toggle(study)}
                  onClick={(event) => event.stopPropagation()}
                />
              </div>
              {columns.map((column) => {
                const text = column.text(study, format, say);
                const shown = typeof text === 'number' ? format.number(text) : text;
                return (
                  <div
                    key={column.key}
                    role="gridcell"
                    className={classes['cell'] ?? ''}
                    data-align={column.align}
                    data-column={column.key}
                    title={shown ?? undefined}
                  >
                    {column.render === undefined ? shown : column.render(study, format, say)}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function HeadCell(props: {
  readonly column: StudyColumn;
  readonly width: number;
  readonly order: Order;
  readonly onOrder: (next: Order) => void;
  readonly onWidth: (width: number) => void;
}): ReactNode {
  const { column, width, order } = props;
  const say = useMessages(messages);
  const orders = column.orders;
  const isOrdered = orders?.includes(order) === true;
  const isDown = isOrdered && (order === 'newest' || order === '-name' || order === 'received');
  const limited = (value: number): number => Math.round(Math.max(NARROWEST, Math.min(value, WIDEST)));

  function onPointerDown(event: PointerEvent<HTMLElement>): void {
    event.preventDefault();
    const handle = event.currentTarget;
    const from = event.clientX;
    handle.setPointerCapture(event.pointerId);
    const move = (next: globalThis.PointerEvent): void => props.onWidth(limited(width + next.clientX - from));
    const stop = (): void => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', stop);
      handle.removeEventListener('pointercancel', stop);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', stop);
    handle.addEventListener('pointercancel', stop);
  }

  return (
    <div
      role="columnheader"
      tabIndex={-1}
      className={classes['headCell'] ?? ''}
      data-align={column.align}
      aria-sort={isOrdered ? (isDown ? 'descending' : 'ascending') : undefined}
    >
      {orders === undefined ? (
        <span className={classes['title'] ?? ''}>{say(column.key)}</span>
      ) : (
        <UnstyledButton
          className={classes['title'] ?? ''}
          onClick={() => props.onOrder(order === orders[0] ? orders[1] : orders[0])}
          onKeyDown={(event) => event.stopPropagation()}
        >
          {say(column.key)}
          {isOrdered ? (
            isDown ? (
              <IconArrowDown size={12} aria-hidden />
            ) : (
              <IconArrowUp size={12} aria-hidden />
            )
          ) : null}
        </UnstyledButton>
      )}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label={say('resize', { column: say(column.key) })}
        aria-valuenow={width}
        aria-valuemin={NARROWEST}
        aria-valuemax={WIDEST}
        tabIndex={-1}
        className={classes['handle'] ?? ''}
        onPointerDown={onPointerDown}
        onDoubleClick={() => props.onWidth(column.width)}
      />
    </div>
  );
}
