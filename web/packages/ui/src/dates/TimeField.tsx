import { TimePicker, type TimePickerProps } from '@mantine/dates';
import type { ReactNode } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';

/**
 * A time of day by the clock of 24 hours, typed or stepped by the arrow keys.
 *
 * @param name What the field is for, said to readers of the screen before "hours" and "minutes".
 * @param value `HH:MM`, or empty.
 */
export function TimeField(
  props: Omit<TimePickerProps, 'format' | 'name'> & {
    readonly name: string;
    readonly value: string;
    readonly onChange: (time: string) => void;
  },
): ReactNode {
  const { name, ...others } = props;
  const say = useMessages(messages);
  return (
    <TimePicker
      size="xs"
      {...others}
      format="24h"
      hoursInputLabel={`${name}, ${say('hours')}`}
      minutesInputLabel={`${name}, ${say('minutes')}`}
    />
  );
}
