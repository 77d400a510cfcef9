import 'dayjs/locale/fr';
import { DateInput, type DateInputProps } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import { useFormat, useMessages } from '../i18n';
import { messages } from '../messages';
import { dayFormat, parseDay } from './day';

/**
 * A day, typed or picked, written as the reader's language does.
 *
 * Figures alone will do (`03051961`). What is typed and no day is put right when the field is left.
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
  const { pattern, order } = useMemo(() => dayFormat(locale), [locale]);
  return (
    <DateInput
      size="xs"
      clearable={props.required !== true}
      clearSectionMode="clear"
      rightSection={<IconCalendar size={14} aria-hidden style={{ pointerEvents: 'none' }} />}
      placeholder={pattern.replace(/[DMY]/g, (letter) => say(`letter${letter as 'D' | 'M' | 'Y'}`))}
      popoverProps={{ shadow: 'md' }}
      {...others}
      locale={locale.split('-')[0] ?? 'en'}
      firstDayOfWeek={1}
      valueFormat={pattern}
      dateParser={(text) => parseDay(text, order)}
      value={value === '' ? null : value}
      onChange={(day) => onChange(day ?? '')}
    />
  );
}
