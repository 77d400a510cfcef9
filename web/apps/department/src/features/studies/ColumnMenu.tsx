import { ActionIcon, Button, Checkbox, Group, Popover, Stack, Text, Tooltip } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { IconArrowDown, IconArrowUp, IconColumns3 } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { type ColumnChoice, type ColumnKey, DEFAULT_CHOICE } from './columns';
import { messages } from './messages';

/** Which columns, in which order. */
export function ColumnMenu(props: {
  readonly choice: ColumnChoice;
  readonly onChange: (next: ColumnChoice) => void;
}): ReactNode {
  const { choice, onChange } = props;
  const say = useMessages(messages);

  function toggle(key: ColumnKey): void {
    const isHidden = choice.hidden.includes(key);
    const hidden = isHidden ? choice.hidden.filter((one) => one !== key) : [...choice.hidden, key];
    onChange({ ...choice, hidden });
  }

  function move(key: ColumnKey, by: -1 | 1): void {
    const order = [...choice.order];
    const at = order.indexOf(key);
    const other = order[at + by];
    if (other === undefined) return;
    order[at] = other;
    order[at + by] = key;
    onChange({ ...choice, order });
  }

  return (
    <Popover width={290} position="bottom-end" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Tooltip label={say('columns')}>
          <ActionIcon variant="default" size={30} aria-label={say('columns')}>
            <IconColumns3 size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={2}>
          <Text size="xs" c="dimmed" mb={4}>
            {say('columnsHint')}
          </Text>
          {choice.order.map((key, at) => (
            <Group key={key} justify="space-between" wrap="nowrap" gap={4}>
              <Checkbox
                label={say(key)}
                checked={!choice.hidden.includes(key)}
                onChange={() => toggle(key)}
              />
              <Group gap={0} wrap="nowrap">
                <ActionIcon
                  size="sm"
                  disabled={at === 0}
                  aria-label={say('moveUp', { column: say(key) })}
                  onClick={() => move(key, -1)}
                >
                  <IconArrowUp size={14} />
                </ActionIcon>
                <ActionIcon
                  size="sm"
                  disabled={at === choice.order.length - 1}
                  aria-label={say('moveDown', { column: say(key) })}
                  onClick={() => move(key, 1)}
                >
                  <IconArrowDown size={14} />
                </ActionIcon>
              </Group>
            </Group>
          ))}
          <Button mt={6} variant="default" onClick={() => onChange(DEFAULT_CHOICE)}>
            {say('columnsReset')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
