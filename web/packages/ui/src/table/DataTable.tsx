import { Table, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';
import { Empty } from '../states';
import classes from './DataTable.module.css';

export interface Column<Row> {
  /** Unique in its table. */
  readonly key: string;
  readonly title: string;
  readonly render: (row: Row) => ReactNode;
  /** What the column sorts by; without it, it does not sort. */
  readonly sortBy?: (row: Row) => string | number | null | undefined;
  readonly width?: number | string;
  /** Numbers stand right. */
  readonly align?: 'right';
  /** Its title is said to screen readers only: columns of buttons. */
  readonly isTitleHidden?: boolean;
}

/**
 * A dense table for some hundreds of rows: headings that stay, sorting, rows reached with the arrow
 * keys and opened with Enter. Longer lists are virtual tables of their own.
 */
export function DataTable<Row>(props: {
  /** What the table shows, said to screen readers. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly onOpen?: (row: Row) => void;
  readonly empty?: ReactNode;
  readonly maxHeight?: number | string;
  /** Narrower than this the table scrolls sideways; pixels. */
  readonly minWidth?: number;
}): ReactNode {
  const { rows, columns, rowKey, onOpen } = props;
  const say = useMessages(messages);
  const [sorted, setSorted] = useState<{ key: string; down: boolean } | null>(null);
  const shown = useMemo(() => {
    const sortBy = columns.find((column) => column.key === sorted?.key)?.sortBy;
    if (sorted === null || sortBy === undefined) return rows;
    const factor = sorted.down ? -1 : 1;
    return [...rows].sort((a, b) => factor * compare(sortBy(a), sortBy(b)));
  }, [rows, columns, sorted]);

  function onKeyDown(event: KeyboardEvent<HTMLTableRowElement>, row: Row): void {
    if (event.target !== event.currentTarget) return;
    const neighbours: Readonly<Record<string, Element | null | undefined>> = {
      ArrowDown: event.currentTarget.nextElementSibling,
      ArrowUp: event.currentTarget.previousElementSibling,
      Home: event.currentTarget.parentElement?.firstElementChild,
      End: event.currentTarget.parentElement?.lastElementChild,
    };
    const next = neighbours[event.key];
    if (next instanceof HTMLElement) {
      event.preventDefault();
      next.focus();
    } else if (event.key === 'Enter' && onOpen !== undefined) {
      event.preventDefault();
      onOpen(row);
    }
  }

  if (rows.length === 0) return props.empty ?? <Empty />;
  return (
    <Table.ScrollContainer
      type="native"
      minWidth={props.minWidth ?? 0}
      {...(props.maxHeight === undefined ? {} : { maxHeight: props.maxHeight })}
    >
      <Table aria-label={props.label} stickyHeader className={classes['table'] ?? ''}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => {
              const isSorted = sorted?.key === column.key;
              const down = isSorted && !sorted.down;
              return (
                <Table.Th
                  key={column.key}
                  scope="col"
                  ta={column.align ?? 'left'}
                  w={column.width ?? 'auto'}
                  aria-sort={isSorted ? (sorted.down ? 'descending' : 'ascending') : undefined}
                >
                  {column.sortBy === undefined ? (
                    <span className={column.isTitleHidden === true ? (classes['hidden'] ?? '') : ''}>
                      {column.title}
                    </span>
                  ) : (
                    <UnstyledButton
                      className={classes['sort'] ?? ''}
                      title={say(down ? 'sortDescending' : 'sortAscending', { column: column.title })}
                      onClick={() => setSorted({ key: column.key, down })}
                    >
                      {column.title}
                      {isSorted ? (
                        sorted.down ? (
                          <IconArrowDown size={12} aria-hidden />
                        ) : (
                          <IconArrowUp size={12} aria-hidden />
                        )
                      ) : null}
                    </UnstyledButton>
                  )}
                </Table.Th>
              );
            })}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map((row, index) => (
            <Table.Tr
              key={rowKey(row)}
              tabIndex={onOpen === undefined ? undefined : index === 0 ? 0 : -1}
              onKeyDown={(event) => onKeyDown(event, row)}
              {...(onOpen === undefined
                ? {}
                : { className: classes['open'] ?? '', onDoubleClick: () => onOpen(row) })}
            >
              {columns.map((column) => (
                <Table.Td key={column.key} ta={column.align ?? 'left'}>
                  {column.render(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Absent values come last, numbers by size, texts as people sort them. */
function compare(a: string | number | null | undefined, b: string | number | null | undefined): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: 'base' });
}
