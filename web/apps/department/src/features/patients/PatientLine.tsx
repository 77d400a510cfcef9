import { Box, Group, Text } from '@mantine/core';
import type { RegisteredPatient } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { IdentityBadge } from './IdentityBadge';
import { messages } from './messages';
import { ageOf, birthNameIfOther, orderedIdentifiers, partialDate, shownName } from './names';

const MOST_IDENTIFIERS = 3;

/** A patient on two lines: the traits that tell people apart, then identifiers with who gave them. */
export function PatientLine(props: { readonly patient: RegisteredPatient }): ReactNode {
  const { patient } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const age = ageOf(patient.birth_date);
  const birthName = birthNameIfOther(patient, format);
  const born = partialDate(patient.birth_date, format) || patient.lunar_birth_date;
  return (
    <Box miw={0}>
      <Group gap={8} wrap="nowrap" justify="space-between">
        <Text size="sm" fw={600} truncate>
          {shownName(patient, format) || say('noName')}
          {birthName === '' ? null : (
            <Text span size="sm" fw={400} opacity={0.75}>
              {` ${say('bornAs', { name: birthName })}`}
            </Text>
          )}
        </Text>
        <IdentityBadge patient={patient} />
      </Group>
      <Text size="xs" opacity={0.75} truncate>
        {[
          born,
          age === null ? '' : say('years', { count: age }),
          patient.sex,
          ...orderedIdentifiers(patient.identifiers)
            .slice(0, MOST_IDENTIFIERS)
            .map((one) => `${one.value} (${one.authority})`),
        ]
          .filter(Boolean)
          .join(' · ')}
      </Text>
    </Box>
  );
}
