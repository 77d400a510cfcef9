import { Tooltip } from '@mantine/core';
import type { BoardRow } from '@negatoscope/api-client';
import { useMessages } from '@negatoscope/ui';
import {
  IconAlertTriangle,
  IconBolt,
  IconClockExclamation,
  IconHourglassHigh,
  IconPhotoOff,
  IconPhotoQuestion,
  IconPlayerPause,
  IconShieldQuestion,
  IconStack2,
  IconUserQuestion,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './BoardTable.module.css';
import { messages } from './messages';

type Flag = BoardRow['flags'][number];

const FLAGS = {
  URGENT: { icon: IconBolt, key: 'flagURGENT', tone: 'red' },
  LATE: { icon: IconClockExclamation, key: 'flagLATE', tone: 'orange' },
  SAFETY: { icon: IconShieldQuestion, key: 'flagSAFETY', tone: 'red' },
  UNVETTED: { icon: IconAlertTriangle, key: 'flagUNVETTED', tone: 'orange' },
  'NO IMAGES': { icon: IconPhotoOff, key: 'flagNO_IMAGES', tone: 'red' },
  'NOT STARTED': { icon: IconPhotoQuestion, key: 'flagNOT_STARTED', tone: 'orange' },
  'NOT ENDED': { icon: IconHourglassHigh, key: 'flagNOT_ENDED', tone: 'orange' },
  IDENTITY: { icon: IconUserQuestion, key: 'flagIDENTITY', tone: 'red' },
  OVERBOOKED: { icon: IconStack2, key: 'flagOVERBOOKED', tone: 'gray' },
  'ON HOLD': { icon: IconPlayerPause, key: 'flagON_HOLD', tone: 'gray' },
} as const satisfies Record<Flag, unknown>;

/** What somebody should look at, each as a sign with its words. */
export function Flags(props: { readonly flags: readonly Flag[] }): ReactNode {
  const say = useMessages(messages);
  return (
    <span className={classes['flags'] ?? ''}>
      {props.flags.map((flag) => {
        const { icon: Icon, key, tone } = FLAGS[flag];
        return (
          <Tooltip key={flag} label={say(key)}>
            <span className={classes['flag'] ?? ''} data-tone={tone} role="img" aria-label={say(key)}>
              <Icon size={15} stroke={2} aria-hidden />
            </span>
          </Tooltip>
        );
      })}
    </span>
  );
}
