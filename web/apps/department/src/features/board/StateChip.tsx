import { useMessages } from '@negatoscope/ui';
import {
  IconCalendar,
  IconCheck,
  IconDoorEnter,
  IconHourglass,
  IconPlayerPlay,
  IconPlayerStop,
  IconUserCheck,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { messages } from './messages';
import classes from './StateChip.module.css';

const ICONS = {
  WAITING: IconHourglass,
  SCHEDULED: IconCalendar,
  ARRIVED: IconDoorEnter,
  READY: IconUserCheck,
  STARTED: IconPlayerPlay,
  COMPLETED: IconCheck,
  DISCONTINUED: IconPlayerStop,
  CANCELED: IconX,
} as const;

export type StepState = keyof typeof ICONS;

/** How far a step is: a word, a sign and a colour. */
export function StateChip(props: { readonly state: StepState; readonly isLarge?: boolean }): ReactNode {
  const say = useMessages(messages);
  const Icon = ICONS[props.state];
  return (
    <span className={classes['chip'] ?? ''} data-state={props.state} data-large={props.isLarge || undefined}>
      <Icon size={props.isLarge === true ? 22 : 13} stroke={2} aria-hidden />
      {say(props.state)}
    </span>
  );
}
