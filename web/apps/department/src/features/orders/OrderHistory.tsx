import { Text, Timeline } from '@mantine/core';
import type { HistoryLine, OrderFile } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { procedureName, saidBy } from './describe';
import { messages } from './messages';

/** Everything that happened to an order, newest first. */
export function OrderHistory(props: { readonly order: OrderFile }): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const several = order.procedures.length > 1;
  const words = messages.en as Readonly<Record<string, unknown>>;

  function detail(event: HistoryLine): string {
    const given = event.detail as Readonly<Record<string, unknown>>;
    const text = (name: string) => (typeof given[name] === 'string' ? given[name] : '');
    const question = text('question');
    const answer = text('answer');
    const procedure = order.procedures.find((one) => one.id === event.procedure);
    const notes = Array.isArray(given['notes']) ? given['notes'].map(String) : [];
    return [
      several && procedure !== undefined ? procedureName(procedure) : '',
      question in words ? say(question as 'PREGNANCY') : '',
      text('value') !== ''
        ? say('egfr', { value: text('value') })
        : `answer${answer}` in words
          ? say(`answer${answer}` as 'answerYES')
          : '',
      text('reason'),
      ...notes,
    ]
      .filter(Boolean)
      .join(' · ');
  }

  return (
    <Timeline bulletSize={12} lineWidth={2} active={order.events.length}>
      {order.events.map((event) => {
        const key = `event${event.kind}`;
        const more = detail(event);
        return (
          <Timeline.Item
            key={event.id}
            title={
              <Text size="sm" fw={500}>
                {key in words ? say(key as 'eventORDERED') : event.kind}
              </Text>
            }
          >
            {more === '' ? null : <Text size="xs">{more}</Text>}
            <Text size="xs" c="dimmed">
              {`${format.dateTime(event.at)} · ${saidBy(event.source)}`}
            </Text>
          </Timeline.Item>
        );
      })}
    </Timeline>
  );
}
