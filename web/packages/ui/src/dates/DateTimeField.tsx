import { Group, Input } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { DateField } from './DateField';
import { TimeField } from './TimeField';

/**
 * A day and a time of it, on the reader's clock.
 *
 * @param value `YYYY-MM-DDTHH:MM`, or empty.
 * @param onChange Told the same; empty while one of the two is missing.
 */
export function DateTimeField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly required?: boolean;
  readonly error?: string;
}): ReactNode {
  const { label, value, onChange, required = false, error } = props;
  const [typed, setTyped] = useState({ day: value.slice(0, 10), time: value.slice(11, 16) });
  const whole = (one: typeof typed) => (one.day === '' || one.time === '' ? '' : `${one.day}T${one.time}`);
  const shown =
    whole(typed) === value.slice(0, 16) ? typed : { day: value.slice(0, 10), time: value.slice(11, 16) };
  const change = (part: Partial<typeof typed>) => {
    const next = { ...shown, ...part };
    setTyped(next);
    onChange(whole(next));
  };
  return (
    <Input.Wrapper size="xs" label={label} labelElement="div" withAsterisk={required} error={error}>
      <Group gap={4} wrap="nowrap" role="group" aria-label={label}>
        <DateField
          aria-label={label}
          required={required}
          value={shown.day}
          error={error !== undefined}
          onChange={(day) => change({ day })}
          flex={1}
          miw={112}
        />
        <TimeField
          name={label}
          value={shown.time}
          error={error !== undefined}
          onChange={(time) => change({ time })}
          w={72}
        />
      </Group>
    </Input.Wrapper>
  );
}
