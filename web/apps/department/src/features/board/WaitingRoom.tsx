import { Badge, Button } from '@mantine/core';
import type { BoardRow } from '@negatoscope/api-client';
import { Empty, useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { useTime } from './BoardTable';
import { Flags } from './Flags';
import { messages } from './messages';
import { byRoom, nameOf, possible, type StepAction, spanOf, waitingOf } from './rows';
import { StateChip } from './StateChip';
import classes from './WaitingRoom.module.css';

const LONG_MIN = 30;

/** Who is there and waits, by room, the longest first. */
export function WaitingRoom(props: {
  readonly rows: readonly BoardRow[];
  readonly now: number;
  readonly timeZone: string;
  readonly fresh: ReadonlySet<number>;
  readonly mayPerform: boolean;
  readonly onAction: (row: BoardRow, action: StepAction | 'open') => void;
}): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const time = useTime(props.timeZone);
  const waiting = props.rows
    .filter((row) => row.state === 'ARRIVED' || row.state === 'READY')
    .sort((a, b) => Date.parse(a.arrived_at ?? a.start_at) - Date.parse(b.arrived_at ?? b.start_at));
  if (waiting.length === 0) return <Empty title={say('nobodyWaits')} />;
  return (
    <div className={classes['rooms'] ?? ''}>
      {byRoom(waiting, format.locale).map((group) => (
        <section key={group.room ?? 'none'} aria-label={group.name === '' ? say('noRoom') : group.name}>
          <h2 className={classes['room'] ?? ''}>
            {group.name === '' ? say('noRoom') : group.name}
            <span> {group.rows.length}</span>
          </h2>
          <ul className={classes['list'] ?? ''}>
            {group.rows.map((row) => {
              const minutes = waitingOf(row, props.now) ?? 0;
              const next = possible(row)[0];
              return (
                <li
                  key={row.step}
                  className={classes['card'] ?? ''}
                  data-fresh={props.fresh.has(row.step) || undefined}
                >
                  <button
                    type="button"
                    className={classes['name'] ?? ''}
                    onClick={() => props.onAction(row, 'open')}
                  >
                    {nameOf(row)}
                  </button>
                  <span className={classes['dim'] ?? ''}>
                    {format.date(row.birth_date)} {row.sex} · {row.modality} {row.procedure_name}
                  </span>
                  <span className={classes['line'] ?? ''}>
                    <StateChip state={row.state} />
                    <Badge
                      size="sm"
                      tt="none"
                      variant="light"
                      color={minutes >= LONG_MIN ? 'orange' : 'gray'}
                    >
                      {say('waiting', { span: spanOf(minutes) })}
                    </Badge>
                    <Flags flags={row.flags} />
                  </span>
                  <span className={classes['line'] ?? ''}>
                    <span className={classes['dim'] ?? ''}>
                      {say('planned', { time: time(row.start_at) })}
                    </span>
                    {props.mayPerform && next !== undefined && next !== 'undo' ? (
                      <Button size="compact-xs" variant="light" onClick={() => props.onAction(row, next)}>
                        {say(next)}
                      </Button>
                    ) : null}
                  </span>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </div>
  );
}
