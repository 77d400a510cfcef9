import { Box, Button, Center, UnstyledButton } from '@mantine/core';
import { useActions, useMessages } from '@negatoscope/ui';
import { type ReactNode, useCallback, useEffect, useMemo, useRef } from 'react';
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
  const box = useRef<HTMLDivElement>(null);
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
    if (open === undefined) return;
    box.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [open]);
  return (
    <Box ref={box} className={classes['list'] ?? ''} role="listbox" aria-label={props.label}>
      {rows.length === 0 ? props.empty : null}
      {rows.map((row) => {
        const key = keyOf(row);
        return (
          <UnstyledButton
            key={key}
            className={classes['row'] ?? ''}
            role="option"
            aria-selected={key === open}
            onClick={() => onOpen(key)}
          >
            {props.render(row)}
          </UnstyledButton>
        );
      })}
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
