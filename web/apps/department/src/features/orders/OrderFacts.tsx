import { Anchor, Table, Text } from '@mantine/core';
import type { OrderFile } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay } from '../session/session';
import { saidBy } from './describe';
import { messages } from './messages';

const TRANSPORTS = ['WALK', 'CHAIR', 'BED', 'PORTABLE'] as const;

/** What is said of an order, without what is empty. */
export function OrderFacts(props: { readonly order: OrderFile }): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const transport = TRANSPORTS.find((one) => one === order.patient_transport);
  const facts: readonly (readonly [string, ReactNode])[] = [
    [say('clinicalQuestion'), order.clinical_question],
    [say('justification'), order.justification],
    [say('comments'), order.comments],
    [say('requestingService'), order.requesting_service],
    [
      say('requestingPhysician'),
      [format.personName(order.requesting_physician), order.requesting_physician_id]
        .filter(Boolean)
        .join(' · '),
    ],
    [say('wishedAt'), format.dateTime(order.wished_at)],
    [say('location'), order.current_patient_location],
    [say('transport'), transport === undefined ? order.patient_transport : say(transport)],
    [say('alerts'), order.medical_alerts],
    [say('allergies'), order.allergies],
    [
      `${say('weight')} · ${say('height')}`,
      [
        order.patient_weight_kg === null ? '' : format.number(Number(order.patient_weight_kg)),
        order.patient_size_m === null ? '' : format.number(Number(order.patient_size_m) * 100),
      ]
        .filter(Boolean)
        .join(' · '),
    ],
    [
      say('accession'),
      [order.accession_number, order.issuer_of_accession_number].filter(Boolean).join(' · '),
    ],
    [say('placer'), [order.placer_order_number, order.placer_issuer].filter(Boolean).join(' · ')],
    [say('filler'), order.filler_order_number === order.accession_number ? '' : order.filler_order_number],
    [say('admission'), [order.admission_id, order.issuer_of_admission_id].filter(Boolean).join(' · ')],
    [say('received'), format.dateTime(order.created_at)],
    [say('source'), <SourceLink key="source" source={order.source} />],
  ];
  return (
    <Table variant="vertical" aria-label={say('facts')} layout="fixed">
      <Table.Tbody>
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w={170}>{name}</Table.Th>
              <Table.Td style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
                {typeof value === 'string' ? <Text size="sm">{value}</Text> : value}
              </Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}

/** Who asked; a message can be looked at. */
function SourceLink(props: { readonly source: string }): ReactNode {
  const message = /^hl7:(\d+)$/.exec(props.source)?.[1];
  const mayLook = useMay('administer');
  if (message === undefined || !mayLook) return <Text size="sm">{saidBy(props.source)}</Text>;
  return (
    <Anchor
      size="sm"
      renderRoot={(root) => <Link to="/admin/messages" search={{ open: `in-${message}` }} {...root} />}
    >
      {saidBy(props.source)}
    </Anchor>
  );
}
