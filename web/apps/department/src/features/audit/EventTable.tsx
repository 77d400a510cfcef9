// biome-ignore-all lint/a11y/useSemanticElements: only the rows in sight are there, placed by hand
// biome-ignore-all lint/a11y/useFocusableInteractive: headings of a table are not reached by keys
import type { AuditEvent } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import classes from './EventTable.module.css';
import { messages } from './messages';
import { useWord } from './useWord';

const ROW = 30;
const AHEAD = 30;

/** Thousands of events: only the rows in sight are in the page. Arrow keys move, Enter opens. */
export function EventTable(props: {
  readonly events: readonly AuditEvent[];
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly onOpen: (event: AuditEvent) => void;
}): ReactNode {
  const { events, hasMore, onMore, onOpen } = props;
  const say = useMessages(messages);
  const word = useWord();
  const format = useFormat();
  const clock = new Intl.DateTimeFormat(format.locale, { dateStyle: 'short', timeStyle: 'medium' });
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= events.length - AHEAD) onMore();
  }, [hasMore, last, events.length, onMore]);

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>, index: number, one: AuditEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 };
    const step = steps[event.key];
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onOpen(one);
    } else if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(events.length - 1, index + step));
      rows.scrollToIndex(next);
      requestAnimationFrame(() => {
        scroll.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus();
      });
    }
  }

  const titles = ['time', 'who', 'what', 'outcome', 'whom', 'where', 'why', 'count'] as const;
  return (
    <div
      ref={scroll}
      className={classes['scroll']}
      role="table"
      aria-label={say('events')}
      aria-rowcount={hasMore ? -1 : events.length + 1}
      tabIndex={-1}
    >
      <div role="rowgroup">
        <div role="row" className={classes['head']}>
          {titles.map((title) => (
            <span
              key={title}
              role="columnheader"
              className={`${classes['cell']} ${title === 'count' ? classes['number'] : ''}`}
            >
              {say(title)}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes['body']} style={{ height: rows.getTotalSize() }}>
        {shown.map((item) => {
          const event = events[item.index];
          if (event === undefined) return null;
          const cells = [
            clock.format(new Date(event.occurred_at)),
            event.actor_name || word(event.actor_kind),
            word(event.event_class) + (isSaid(event) ? '' : ` · ${event.action}`),
            word(event.outcome),
            event.patient_id ?? '',
            event.peer ?? event.door ?? '',
            [event.reason, event.destination].filter((one) => one !== null).join(' → '),
          ];
          return (
            <div
              key={event.id}
              role="row"
              data-index={item.index}
              aria-rowindex={item.index + 2}
              tabIndex={0}
              className={classes['row']}
              style={{ transform: `translateY(${item.start}px)` }}
              onClick={() => onOpen(event)}
              onKeyDown={(key) => onKeyDown(key, item.index, event)}
            >
              {cells.map((cell, index) => (
                <span
                  key={titles[index]}
                  role="cell"
                  title={cell}
                  className={`${classes['cell']} ${
                    index === 3 && event.outcome !== 'SUCCESS' ? classes['bad'] : ''
                  }`}
                >
                  {cell}
                </span>
              ))}
              <span role="cell" className={`${classes['cell']} ${classes['number']}`}>
                {event.event_count > 1 ? format.number(event.event_count) : ''}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Whether the action adds nothing to the class. */
function isSaid(event: AuditEvent): boolean {
  return event.action === event.event_class || ['retrieve', 'read audit'].includes(event.action);
}
