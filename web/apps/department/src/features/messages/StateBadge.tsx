import { Badge } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';
import type { State } from './search';

const COLOURS = { PENDING: 'blue', PROCESSED: 'green', IGNORED: 'gray', FAILED: 'red' } as const;

/** What came of a message, in a word and a colour. */
export function StateBadge(props: { readonly state: State }): ReactNode {
  const say = useMessages(messages);
  return (
    <Badge size="sm" variant="light" tt="none" color={COLOURS[props.state]}>
      {say(props.state)}
    </Badge>
  );
}
