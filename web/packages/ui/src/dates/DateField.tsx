import 'dayjs/locale/fr';
import { DateInput, type DateInputProps } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { type ReactNode, useMemo, useState } from 'react';
import { useFormat, useMessages } from '../i18n';
import { messages } from '../messages';
import { dayFormat, isWhole, parseDay } from './day';

/**
 * A day, typed or picked, written as the reader's language does.
 *
 * Figures alone will do (`03051961`), and two of the year once the field is left. What is typed and no day is put right then.
 * The month opens by a click or the arrow down, and closes when there is a day.
 *
 * @param value `YYYY-MM-DD`, or empty.
 * @param onChange Told the same; never empty where the field is `required`.
 */
export function DateField(
  props: Omit<DateInputProps, 'value' | 'onChange' | 'valueFormat' | 'dateParser' | 'locale'> & {
    readonly value: string;
    readonly onChange: (day: string) => void;
  },
): ReactNode {
  const { value, onChange, ...others } = props;
  const { locale } = useFormat();
  const say = useMessages(messages);
  const [isOpen, setOpen] = useState(false);
  const { pattern, order } = useMemo(() => dayFormat(locale), [locale]);
  return (
    <DateInput
      size="xs"
      clearable={props.required !== true}
      clearSectionMode="clear"
      rightSection={<IconCalendar size={14} aria-hidden style={{ pointerEvents: 'none' }} />}
      placeholder={pattern.replace(/[DMY]/g, (letter) => say(`letter${letter as 'D' | 'M' | 'Y'}`))}
      {...others}
      locale={locale.split('-')[0] ?? 'en'}
      firstDayOfWeek={1}
      valueFormat={pattern}
      dateParser={(text) => (isWhole(text) ? parseDay(text, order) : null)}
      value={value === '' ? null : value}
      onChange={(day) => {
        setOpen(false);
        onChange(day ?? '');
      }}
      onClick={() => setOpen(true)}
      onBlur={(event) => {
        setOpen(false);
        const day = parseDay(event.currentTarget.value, order);
        if (day !== null && day !== value) onChange(day);
      }}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') setOpen(true);
        if (event.key === 'Escape') setOpen(false);
      }}
      popoverProps={{ shadow: 'md', opened: isOpen }}
    />
  );
}
