import { Badge, Group, Tooltip } from '@mantine/core';
import type { RegisteredPatient } from '@negatoscope/api-client';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';

const COLORS = { PROVISIONAL: 'gray', RETRIEVED: 'blue', VALIDATED: 'cyan', QUALIFIED: 'teal' } as const;
const ATTRIBUTES = { HOMA: 'yellow', DOUT: 'red', FICT: 'grape' } as const;

/** How far an identity can be trusted (RNIV): its status, and what makes one look twice. */
export function IdentityBadge(props: {
  readonly patient: Pick<RegisteredPatient, 'identity_status' | 'identity_attributes' | 'is_deceased'>;
}): ReactNode {
  const say = useMessages(messages);
  const { identity_status: status, identity_attributes: attributes, is_deceased } = props.patient;
  return (
    <Group gap={4} wrap="nowrap" component="span" display="inline-flex">
      <Tooltip label={say(`${status}Hint`)}>
        <Badge component="span" size="sm" variant="light" color={COLORS[status]} tt="none">
          {say(status)}
        </Badge>
      </Tooltip>
      {attributes.filter(isAttribute).map((one) => (
        <Tooltip key={one} label={say(`${one}Hint`)}>
          <Badge component="span" size="sm" variant="filled" color={ATTRIBUTES[one]} tt="none" autoContrast>
            {say(one)}
          </Badge>
        </Tooltip>
      ))}
      {is_deceased ? (
        <Badge component="span" size="sm" variant="outline" color="dark" tt="none">
          {say('deceased')}
        </Badge>
      ) : null}
    </Group>
  );
}

function isAttribute(one: string): one is keyof typeof ATTRIBUTES {
  return one in ATTRIBUTES;
}
