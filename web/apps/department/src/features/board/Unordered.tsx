import { Alert, Anchor, Collapse, Group, Table, Text, UnstyledButton } from '@mantine/core';
import type { UnorderedStudy } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { IconPhotoQuestion } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { viewerAddress } from '../studies/opening';
import { messages } from './messages';

/** Images that belong to no order: a line that opens. */
export function Unordered(props: { readonly studies: readonly UnorderedStudy[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [isOpen, setOpen] = useState(false);
  if (props.studies.length === 0) return null;
  return (
    <Alert color="orange" variant="light" py={6} icon={<IconPhotoQuestion size={18} aria-hidden />}>
      <UnstyledButton aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Group gap={8}>
          <Text size="sm" fw={600} td="underline">
            {say('unorderedTitle', { count: props.studies.length })}
          </Text>
          <Text size="sm">{say('unorderedHint')}</Text>
        </Group>
      </UnstyledButton>
      <Collapse expanded={isOpen}>
        <Table mt={6} aria-label={say('unorderedTitle', { count: props.studies.length })}>
          <Table.Tbody>
            {props.studies.map((one) => (
              <Table.Tr key={one.study_instance_uid}>
                <Table.Td>{format.dateTime(one.first_arrival_at)}</Table.Td>
                <Table.Td fw={600}>{format.personName(one.patient_name)}</Table.Td>
                <Table.Td>
                  {format.date(one.patient_birth_date)} {one.patient_sex}
                </Table.Td>
                <Table.Td>{one.accession_number}</Table.Td>
                <Table.Td>
                  {one.modalities_in_study.join(', ')} {one.study_description}
                </Table.Td>
                <Table.Td>
                  <Anchor size="sm" href={viewerAddress([one.study_instance_uid])}>
                    {format.number(one.instance_count)} {say('columnImages').toLocaleLowerCase()}
                  </Anchor>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Collapse>
    </Alert>
  );
}
