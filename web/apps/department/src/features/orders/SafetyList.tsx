import { Badge, Group, Stack, Text } from '@mantine/core';
import type { AskedQuestion } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';

/** Safety questions with what was answered, what blocks first. */
export function SafetyList(props: { readonly safety: readonly AskedQuestion[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  if (props.safety.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {say('safetyNone')}
      </Text>
    );
  return (
    <Stack gap={8}>
      {[...props.safety]
        .sort((a, b) => Number(b.is_blocking) - Number(a.is_blocking))
        .map((one) => (
          <div key={one.question}>
            <Group gap="xs" justify="space-between" wrap="nowrap">
              <Text size="sm" fw={500}>
                {say(one.question)}
              </Text>
              <Badge
                size="sm"
                tt="none"
                variant="light"
                color={one.is_blocking ? 'red' : one.cleared_by === '' ? 'green' : 'yellow'}
              >
                {one.value !== null
                  ? say('egfr', { value: format.number(Number(one.value)) })
                  : one.answer === null
                    ? say('notAnswered')
                    : say(`answer${one.answer}`)}
              </Badge>
            </Group>
            <Text size="xs" c="dimmed">
              {[
                one.detail,
                one.answered_by === '' ? '' : `${one.answered_by}, ${format.dateTime(one.answered_at)}`,
                one.cleared_by === ''
                  ? ''
                  : say('clearedBy', { who: one.cleared_by, reason: one.cleared_reason }),
              ]
                .filter(Boolean)
                .join(' · ')}
            </Text>
          </div>
        ))}
    </Stack>
  );
}
