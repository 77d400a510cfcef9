import { Button, Group, List, Modal, Stack, Text, Textarea } from '@mantine/core';
import { Problem } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

/** `InTheWay` of the server: a member of its refusal. */
export interface InTheWay {
  readonly kind: string;
  readonly start_at: string;
  readonly end_at: string;
  readonly resource: number | null;
  readonly name: string;
  readonly appointment: number | null;
  readonly reason: string;
}

/** What stands in the way, if that is why it was refused. */
export function obstaclesOf(error: unknown): readonly InTheWay[] | null {
  if (!(error instanceof Problem) || !['slot-taken', 'outside-hours'].includes(error.code)) return null;
  const found = error.document['obstacles'];
  return Array.isArray(found) ? (found as InTheWay[]) : [];
}

/** Says what is in the way and asks for a reason to book all the same. */
export function ObstacleDialog(props: {
  readonly obstacles: readonly InTheWay[] | null;
  readonly isPending: boolean;
  /** Who has an appointment, where it is known here. */
  readonly nameOf: (appointment: number) => string;
  readonly onReason: (reason: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  return (
    <Modal
      opened={props.obstacles !== null}
      onClose={props.onClose}
      title={say('inTheWay')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {props.obstacles === null ? null : <Reason {...props} obstacles={props.obstacles} />}
    </Modal>
  );
}

/** A room and its device are in the way together: one line. */
function together(obstacles: readonly InTheWay[]): readonly InTheWay[] {
  const found = new Map<string, InTheWay>();
  for (const one of obstacles) {
    const key = `${one.kind}|${one.appointment}|${one.start_at}|${one.end_at}|${one.reason}`;
    const before = found.get(key);
    found.set(key, before === undefined ? one : { ...before, name: `${before.name}, ${one.name}` });
  }
  return [...found.values()];
}

function Reason(props: {
  readonly obstacles: readonly InTheWay[];
  readonly isPending: boolean;
  readonly nameOf: (appointment: number) => string;
  readonly onReason: (reason: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [reason, setReason] = useState('');
  const [isTried, setTried] = useState(false);
  const trimmed = reason.trim();

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (trimmed !== '' && !props.isPending) props.onReason(trimmed);
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        <List size="sm" spacing={4}>
          {together(props.obstacles)
            .slice(0, 8)
            .map((one) => (
              <List.Item key={`${one.kind}-${one.start_at}-${one.resource}-${one.appointment}`}>
                <Text span size="sm" fw={600}>
                  {say(one.kind as 'OTHER')}
                </Text>
                <Text span size="sm">
                  {[
                    '',
                    one.name,
                    one.appointment === null ? '' : props.nameOf(one.appointment),
                    `${format.dateTime(one.start_at)} – ${new Date(one.end_at).toLocaleTimeString(format.locale, { timeStyle: 'short' })}`,
                    one.reason,
                  ]
                    .filter((part, index) => index === 0 || part !== '')
                    .join(' · ')}
                </Text>
              </List.Item>
            ))}
        </List>
        <Text size="sm" c="dimmed">
          {say('inTheWayText')}
        </Text>
        <Textarea
          label={say('reason')}
          placeholder={say('reasonHint')}
          data-autofocus
          required
          maxLength={1000}
          autosize
          minRows={2}
          value={reason}
          {...(isTried && trimmed === '' ? { error: say('reason') } : {})}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {say('giveUp')}
          </Button>
          <Button type="submit" color="orange" loading={props.isPending} disabled={trimmed === ''}>
            {say('bookAnyway')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
