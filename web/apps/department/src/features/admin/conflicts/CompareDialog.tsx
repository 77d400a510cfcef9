import { Alert, Button, Group, Modal, Stack, Table, Text } from '@mantine/core';
import { type Comparison, call } from '@negatoscope/api-client';
import { Failure, useConfirm, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Shown } from '../live';
import { messages as common } from '../messages';
import { messages } from './messages';

/** Two versions of an object side by side, and the decision. */
export function CompareDialog(props: {
  readonly number: number;
  readonly onClose: () => void;
  readonly onDecided: (text: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const confirm = useConfirm();
  const notify = useNotify();
  const { number } = props;
  const comparison = useQuery({
    queryKey: ['admin', 'comparison', number],
    queryFn: ({ signal }) => call('GET /api/v1/set-aside/{number}', { path: { number }, signal }),
    staleTime: 0,
  });
  const decide = useMutation({
    mutationFn: (decision: 'accept' | 'dismiss') =>
      call('POST /api/v1/set-aside/{number}/decision', { path: { number }, body: { decision } }),
    onSuccess: (_, decision) => props.onDecided(say(decision === 'accept' ? 'accepted' : 'dismissed')),
    onError: notify.failed,
  });

  async function accept(): Promise<void> {
    const yes = await confirm({
      title: say('acceptTitle'),
      text: say('acceptText'),
      verb: say('accept'),
      isDangerous: true,
    });
    if (yes) decide.mutate('accept');
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      size="xl"
      title={say('compareTitle')}
      closeButtonProps={{ 'aria-label': sayCommon('close') }}
    >
      <Stack gap="sm">
        <Shown query={comparison}>{(data) => <SideBySide comparison={data} />}</Shown>
        {decide.isError ? <Failure error={decide.error} /> : null}
        {comparison.data?.state === 'PENDING' ? (
          <Group justify="flex-end" gap="xs">
            <Button variant="default" loading={decide.isPending} onClick={() => decide.mutate('dismiss')}>
              {say('dismiss')}
            </Button>
            {comparison.data.reason === 'CONTENT DIFFERS' ? (
              <Button loading={decide.isPending} onClick={() => void accept()}>
                {say('accept')}
              </Button>
            ) : null}
          </Group>
        ) : null}
      </Stack>
    </Modal>
  );
}

function SideBySide(props: { readonly comparison: Comparison }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const { comparison } = props;
  const { current, aside, differences } = comparison;
  const facts: readonly (readonly [string, string, string])[] = [
    [
      say('received'),
      '',
      `${format.dateTime(comparison.received_at)} ${comparison.calling_ae_title ?? ''}`.trim(),
    ],
    [say('study'), comparison.current_study_instance_uid, comparison.study_instance_uid],
    [say('transferSyntax'), current?.transfer_syntax_uid ?? '', aside.transfer_syntax_uid],
    [say('size'), current === null ? '' : format.bytes(current.size), format.bytes(aside.size)],
  ];
  return (
    <Stack gap="sm">
      <Text size="xs" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
        {comparison.sop_instance_uid}
      </Text>
      {comparison.reason === 'CONTENT DIFFERS' ? null : (
        <Alert color="red" variant="light">
          {say('cannotAccept')}
        </Alert>
      )}
      {comparison.problem === '' ? null : (
        <Alert color="red" variant="light" lang="en">
          {comparison.problem}
        </Alert>
      )}
      <Text size="sm">
        {say('different', { count: differences.length })}, {say('same', { count: comparison.equal_count })}.{' '}
        {current?.pixels_sha256 == null || aside.pixels_sha256 === null
          ? ''
          : say(current.pixels_sha256 === aside.pixels_sha256 ? 'samePixels' : 'otherPixels')}
      </Text>
      <Table.ScrollContainer minWidth={480} mah={420} type="native">
        <Table aria-label={say('compareTitle')} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col" w={200}>
                {say('attribute')}
              </Table.Th>
              <Table.Th scope="col">{say('current')}</Table.Th>
              <Table.Th scope="col">{say('aside')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {facts.map(([label, ours, theirs]) => (
              <Table.Tr key={label}>
                <Table.Th scope="row" fw={400}>
                  {label}
                </Table.Th>
                <Value text={ours} />
                <Value text={theirs} />
              </Table.Tr>
            ))}
            {differences.map((one) => (
              <Table.Tr key={one.tag} bg="var(--n-selected)">
                <Table.Th scope="row">
                  <Text size="sm">{one.keyword === '' ? one.tag : one.keyword}</Text>
                  <Text size="xs" c="dimmed" ff="monospace">
                    ({one.tag.slice(0, 4)},{one.tag.slice(4)}) {one.vr}
                  </Text>
                </Table.Th>
                <Value text={one.current} />
                <Value text={one.aside} />
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function Value(props: { readonly text: string | null }): ReactNode {
  const say = useMessages(messages);
  return (
    <Table.Td style={{ overflowWrap: 'anywhere', verticalAlign: 'top' }}>
      {props.text === null ? (
        <Text size="sm" c="dimmed" fs="italic">
          {say('absent')}
        </Text>
      ) : (
        props.text
      )}
    </Table.Td>
  );
}
