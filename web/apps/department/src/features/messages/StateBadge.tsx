import { Badge } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';

const COLOURS = {
  PENDING: 'blue',
  PROCESSED: 'green',
  IGNORED: 'gray',
  FAILED: 'red',
  WAITING: 'blue',
  ACKNOWLEDGED: 'green',
  REFUSED: 'red',
  'GIVEN UP': 'gray',
} as const;
export type AnyState = keyof typeof COLOURS;

/** What came of a message, in a word and a colour. */
export function StateBadge(props: { readonly state: AnyState }): ReactNode {
  const say = useMessages(messages);
  return (
    <Badge size="sm" variant="light" tt="none" color={COLOURS[props.state]}>
      {say(props.state)}
    </Badge>
  );
}
