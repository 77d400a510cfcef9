import { Box, Button, Center, UnstyledButton } from '@mantine/core';
import { useActions, useLanguage, useMessages } from '@negatoscope/ui';
import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef } from 'react';
import classes from './Desk.module.css';
import { messages } from './messages';

/** The rows of a work list: clicked, or gone through with J and K. */
export function RowList<Row>(props: {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly open: string | undefined;
  readonly onOpen: (key: string) => void;
  readonly render: (row: Row) => ReactNode;
  readonly empty: ReactNode;
  readonly onMore?: (() => void) | undefined;
  readonly isLoadingMore?: boolean;
}): ReactNode {
  const { rows, keyOf, open, onOpen } = props;
  const say = useMessages(messages);
  const { language } = useLanguage();
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(onOpen);
  useEffect(() => {
    latest.current = onOpen;
  }, [onOpen]);
  const onOpenNow = useCallback((key: string) => latest.current(key), []);
  const step = useCallback(
    (by: number) => {
      const at = rows.findIndex((row) => keyOf(row) === open);
      const next = rows[at === -1 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
      if (next !== undefined) onOpen(keyOf(next));
    },
    [rows, keyOf, open, onOpen],
  );
  useActions(
    useMemo(
      () => [
        {
          id: 'reconciliation.next',
          label: { en: 'Next row', fr: 'Ligne suivante' },
          group: { en: 'Reconciliation', fr: 'Rapprochement' },
          shortcut: 'j',
          perform: () => step(1),
        },
        {
          id: 'reconciliation.previous',
          label: { en: 'Previous row', fr: 'Ligne précédente' },
          group: { en: 'Reconciliation', fr: 'Rapprochement' },
          shortcut: 'k',
          perform: () => step(-1),
        },
      ],
      [step],
    ),
  );
  useEffect(() => {
    if (open === undefined) return undefined;
    const show = () =>
      box.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
    show();
    const again = requestAnimationFrame(show); // rows that come into view have their true height only then
    return () => cancelAnimationFrame(again);
  }, [open]);
  return (
    <Box ref={box} className={classes['list'] ?? ''}>
      {rows.length === 0 ? props.empty : null}
      {rows.length === 0 ? null : (
        <div role="listbox" aria-label={props.label}>
          {rows.map((row) => {
            const key = keyOf(row);
            return (
              <Line
                key={key}
                row={row}
                name={key}
                isOpen={key === open}
                language={language}
                onOpen={onOpenNow}
                render={props.render as (row: unknown) => ReactNode}
              />
            );
          })}
        </div>
      )}
      {props.onMore === undefined ? null : (
        <Center p="xs">
          <Button
            variant="default"
            size="compact-sm"
            loading={props.isLoadingMore === true}
            onClick={props.onMore}
          >
            {say('more')}
          </Button>
        </Center>
      )}
    </Box>
  );
}

/** One row: drawn again when it, whether it is open, or the language changes, and not with every step of J. */
const Line = memo(
  function Line(props: {
    readonly row: unknown;
    readonly name: string;
    readonly isOpen: boolean;
    readonly language: string;
    readonly onOpen: (key: string) => void;
    readonly render: (row: unknown) => ReactNode;
  }): ReactNode {
    return (
      <UnstyledButton
        className={classes['row'] ?? ''}
        role="option"
        aria-selected={props.isOpen}
        onClick={() => props.onOpen(props.name)}
      >
        {props.render(props.row)}
      </UnstyledButton>
    );
  },
  (before, after) =>
    before.row === after.row && before.isOpen === after.isOpen && before.language === after.language,
);
