import { Button, Code, Drawer, Group, Stack, Table, Text } from '@mantine/core';
import type { AuditEvent } from '@negatoscope/api-client';
import { CopyText, useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';
import type { AuditSearch } from './search';
import { useWord } from './useWord';

/** Everything a record says, and where it leads. */
export function EventDrawer(props: {
  readonly event: AuditEvent | null;
  readonly onClose: () => void;
  readonly onSearch: (next: AuditSearch) => void;
}): ReactNode {
  const { event, onClose } = props;
  const say = useMessages(messages);
  return (
    <Drawer
      opened={event !== null}
      onClose={onClose}
      position="right"
      size="md"
      title={event === null ? '' : say('detail', { id: String(event.id) })}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {event === null ? null : <Facts {...props} event={event} />}
    </Drawer>
  );
}

function Facts(props: {
  readonly event: AuditEvent;
  readonly onClose: () => void;
  readonly onSearch: (next: AuditSearch) => void;
}): ReactNode {
  const { event } = props;
  const say = useMessages(messages);
  const word = useWord();
  const format = useFormat();
  function go(next: AuditSearch): void {
    props.onClose();
    props.onSearch(next);
  }
  const patient =
    event.patient_id === null
      ? null
      : event.issuer_of_patient_id === null
        ? event.patient_id
        : `${event.patient_id} (${event.issuer_of_patient_id})`;
  const facts: readonly (readonly [string, string | null])[] = [
    [say('time'), exact(event.occurred_at, format.locale)],
    [say('lastTime'), event.event_count > 1 ? exact(event.last_at, format.locale) : null],
    [say('count'), event.event_count > 1 ? format.number(event.event_count) : null],
    [say('kind'), word(event.event_class)],
    [say('action'), event.action],
    [say('outcome'), word(event.outcome)],
    [say('who'), `${event.actor_name || '—'} (${word(event.actor_kind)})`],
    [say('roles'), event.actor_roles.join(', ')],
    [say('credential'), event.credential],
    [say('door'), event.door],
    [say('address'), event.peer],
    [say('whom'), patient],
    [say('accession'), event.accession_number],
    [say('study'), event.study_instance_uid],
    [say('reason'), event.reason],
    [say('destination'), event.destination],
    [say('place'), event.seq === null ? say('notSealed') : `${event.chain} ${event.seq}`],
  ];
  return (
    <Stack gap="sm">
      <Table layout="fixed">
        <Table.Tbody>
          {facts
            .filter(([, value]) => value !== null && value !== '')
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" w={150} fw={500}>
                  {name}
                </Table.Th>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {name === say('study') && value !== null ? <CopyText text={value} /> : value}
                </Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {Object.keys(event.detail).length === 0 ? null : (
        <div>
          <Text size="sm" fw={500} mb={4}>
            {say('more_detail')}
          </Text>
          <Code block>{JSON.stringify(event.detail, null, 2)}</Code>
        </div>
      )}
      <Group gap="xs">
        {event.actor_name === '' ? null : (
          <Button variant="default" onClick={() => go({ tab: 'events', user: event.actor_name })}>
            {say('sameUser')}
          </Button>
        )}
        {event.patient_id === null ? null : (
          <Button
            variant="default"
            onClick={() =>
              go({
                tab: 'patient',
                patient: event.patient_id ?? undefined,
                issuer: event.issuer_of_patient_id ?? undefined,
              })
            }
          >
            {say('samePatient')}
          </Button>
        )}
        {event.study_instance_uid === null ? null : (
          <Button
            variant="default"
            onClick={() => go({ tab: 'events', study: event.study_instance_uid ?? undefined })}
          >
            {say('sameStudy')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function exact(at: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'long',
  }).format(new Date(at));
}
