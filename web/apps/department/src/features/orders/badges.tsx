import { Badge } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';
import type { OrderPriority, OrderState, VettingState } from './search';

/** A word that is cut says nothing. */
const WHOLE = { minWidth: 'max-content', flexShrink: 0 } as const;
const STATE_COLOURS: Readonly<Record<OrderState, string>> = {
  REQUESTED: 'blue',
  'ON HOLD': 'yellow',
  SCHEDULED: 'cyan',
  'IN PROGRESS': 'violet',
  COMPLETED: 'green',
  DISCONTINUED: 'orange',
  CANCELED: 'gray',
};
const VETTING_COLOURS: Readonly<Record<VettingState, string>> = {
  'NOT NEEDED': 'gray',
  WAITING: 'yellow',
  ACCEPTED: 'green',
  REFUSED: 'red',
  REPLACED: 'gray',
};

/** How far an order is. */
export function OrderBadge(props: { readonly state: string }): ReactNode {
  const say = useMessages(messages);
  const state = props.state as OrderState;
  return (
    <Badge size="sm" variant="light" tt="none" color={STATE_COLOURS[state] ?? 'gray'} style={WHOLE}>
      {state in STATE_COLOURS ? say(state) : state}
    </Badge>
  );
}

/** How urgent an order is; an ordinary one has no mark. */
export function PriorityBadge(props: { readonly priority: OrderPriority }): ReactNode {
  const say = useMessages(messages);
  const { priority } = props;
  if (priority === 'ROUTINE') return null;
  const isUrgent = priority === 'STAT' || priority === 'HIGH';
  return (
    <Badge
      size="sm"
      tt="none"
      variant={priority === 'STAT' ? 'filled' : 'light'}
      color={isUrgent ? 'red' : 'gray'}
      style={WHOLE}
    >
      {say(`priority${priority}`)}
    </Badge>
  );
}

/** A radiologist's word; nothing where none is needed. */
export function VettingBadge(props: { readonly vetting: VettingState }): ReactNode {
  const say = useMessages(messages);
  if (props.vetting === 'NOT NEEDED') return null;
  return (
    <Badge size="sm" variant="light" tt="none" color={VETTING_COLOURS[props.vetting]} style={WHOLE}>
      {say(`vetting${props.vetting}`)}
    </Badge>
  );
}
