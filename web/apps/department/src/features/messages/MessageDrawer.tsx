import { Button, Code, Drawer, Group, Stack, Table, Text } from '@mantine/core';
import { call, type HL7Explained } from '@negatoscope/api-client';
import { Failure, Loading, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { effectsOf, senderOf, typeOf } from './describe';
import { messages } from './messages';
import { StateBadge } from './StateBadge';

/** One message: what was told, what came of it, and its segments explained. */
export function MessageDrawer(props: {
  readonly number: number | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const { number } = props;
  const explained = useQuery({
    queryKey: ['hl7', 'message', number],
    queryFn: ({ signal }) =>
      call('GET /api/v1/hl7/messages/{number}', { path: { number: number ?? 0 }, signal }),
    enabled: number !== undefined,
  });
  return (
    <Drawer
      opened={number !== undefined}
      onClose={props.onClose}
      position="right"
      size="xl"
      title={number === undefined ? '' : say('message', { number: String(number) })}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {explained.isError ? (
        <Failure error={explained.error} onRetry={() => void explained.refetch()} />
      ) : null}
      {explained.isPending && number !== undefined ? <Loading /> : null}
      {explained.data === undefined ? null : <Explained explained={explained.data} />}
    </Drawer>
  );
}

function Explained(props: { readonly explained: HL7Explained }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const { message, segments, text } = props.explained;
  const replay = useMutation({
    mutationFn: () => call('POST /api/v1/hl7/messages/{number}/replay', { path: { number: message.id } }),
    onSuccess: () => {
      notify.done(say('replayed', { number: String(message.id) }));
      void client.invalidateQueries({ queryKey: ['hl7'] });
    },
    onError: notify.failed,
  });
  const told = [message.verdict.code, message.verdict.error_code, message.verdict.reason]
    .filter((part) => part !== '')
    .join(' · ');
  const facts: readonly (readonly [string, ReactNode])[] = [
    [say('type'), typeOf(message)],
    [say('sender'), senderOf(message)],
    [say('address'), message.peer],
    [say('controlId'), message.control_id],
    [say('version'), message.version_id],
    [say('received'), format.dateTime(message.stored_at)],
    [say('size'), format.bytes(message.byte_count)],
    [say('told'), told],
    [say('processed'), format.dateTime(message.processed_at)],
    [say('reason'), message.state_reason],
    [say('effect'), effectsOf(message, say).join('\n')],
    [say('attempts'), message.attempt_count === 0 ? '' : format.number(message.attempt_count)],
    [say('notes'), message.notes.join('\n')],
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <StateBadge state={message.state} />
        {message.state === 'FAILED' || message.state === 'IGNORED' ? (
          <Button
            size="compact-sm"
            variant="default"
            loading={replay.isPending}
            onClick={() => replay.mutate()}
          >
            {say('replay')}
          </Button>
        ) : null}
      </Group>
      <Table variant="vertical" aria-label={say('message', { number: String(message.id) })}>
        <Table.Tbody>
          {facts
            .filter(([, value]) => value !== '')
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th w={170}>{name}</Table.Th>
                <Table.Td style={{ whiteSpace: 'pre-line' }}>{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {segments.map((segment, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: segments repeat and never move
        <div key={index}>
          <Group gap="xs" mb={2}>
            <Code fw={700}>{segment.id}</Code>
            <Text size="sm" c="dimmed">
              {segment.name}
            </Text>
          </Group>
          <Table aria-label={`${segment.id} ${segment.name}`} withTableBorder>
            <Table.Tbody>
              {segment.fields.map((field) => (
                <Table.Tr key={field.number}>
                  <Table.Td w={70} c="dimmed">
                    {segment.id}-{field.number}
                  </Table.Td>
                  <Table.Td w={210}>{field.name}</Table.Td>
                  <Table.Td ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                    {field.value}
                    {field.is_cut ? (
                      <Text span c="dimmed" size="xs">
                        {' '}
                        … {say('cut')}
                      </Text>
                    ) : null}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      ))}
      {segments.length === 0 ? (
        <>
          <Text size="sm">{say('unreadable')}</Text>
          <Code block>{text}</Code>
        </>
      ) : null}
    </Stack>
  );
}
