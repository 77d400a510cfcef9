import { Alert, Anchor, Button, Group, Stack } from '@mantine/core';
import type { OrderedProcedure, WaitingProcedure } from '@negatoscope/api-client';
import { Panel, useMessages } from '@negatoscope/ui';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useState } from 'react';
import { PatientLine } from '../patients/PatientLine';
import { procedureName } from './describe';
import { messages } from './messages';
import { OrderFacts } from './OrderFacts';
import { ProtocolFields } from './ProtocolFields';
import { protocolOf, sentProtocol } from './protocol';
import { SafetyList } from './SafetyList';

/** The order that is decided on: how it is to be done, safety, facts. */
export function VettingDesk(props: {
  readonly waiting: WaitingProcedure;
  readonly procedure: OrderedProcedure;
  readonly isSending: boolean;
  readonly accept: { current: () => void };
  readonly codesRef: RefObject<HTMLInputElement | null>;
  readonly onAccept: (chosen: ReturnType<typeof sentProtocol>, modality: string | null) => void;
  readonly onAsk: (dialog: 'refuse' | 'replace') => void;
}): ReactNode {
  const { procedure } = props;
  const { order } = props.waiting;
  const say = useMessages(messages);
  const [before] = useState(() => protocolOf(procedure));
  const [protocol, setProtocol] = useState(before);
  const isChosen = JSON.stringify(protocol) !== JSON.stringify(before);
  const accept = () => {
    if (props.isSending) return;
    const modality = protocol.modality === before.modality ? null : protocol.modality;
    props.onAccept(sentProtocol(protocol, before), modality);
  };
  props.accept.current = accept;
  const blocking = order.safety.filter((one) => one.is_blocking && one.answer !== null);
  return (
    <Stack gap="sm">
      <Panel
        title={procedureName(procedure)}
        actions={
          <Anchor
            size="sm"
            renderRoot={(root) => (
              <Link to="/orders/$number" params={{ number: String(order.id) }} {...root} />
            )}
          >
            {say('openOrder')}
          </Anchor>
        }
      >
        <Stack gap="sm">
          <PatientLine patient={order.patient} />
          {blocking.length === 0 ? null : (
            <Alert color="red" variant="light" py="xs">
              {blocking.map((one) => say(one.question)).join(', ')}
            </Alert>
          )}
          <ProtocolFields
            value={protocol}
            onChange={setProtocol}
            catalogue={procedure.catalogue}
            codesRef={props.codesRef}
            onSend={accept}
          />
          <Group gap="xs">
            <Button loading={props.isSending} onClick={accept}>
              {say(isChosen ? 'accepting' : 'accept')}
            </Button>
            <Button variant="default" onClick={() => props.onAsk('replace')}>
              {say('replace')}
            </Button>
            <Button variant="default" c="red" onClick={() => props.onAsk('refuse')}>
              {say('refuse')}
            </Button>
          </Group>
        </Stack>
      </Panel>
      <Panel title={say('safety')}>
        <SafetyList safety={order.safety} />
      </Panel>
      <Panel title={say('facts')} isFlush>
        <OrderFacts order={order} />
      </Panel>
    </Stack>
  );
}
