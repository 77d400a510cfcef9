import { Group, Stack, Table, Text } from '@mantine/core';
import { CopyText, Failure, Loading, PageHeader, Panel, useMessages } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { addressesQuery } from './addresses';
import classes from './ConnectPage.module.css';
import { messages } from './messages';

/** Addresses of this server, and commands that work against it as they are shown. */
export function ConnectPage(): ReactNode {
  const say = useMessages(messages);
  const found = useQuery(addressesQuery);
  const { data } = found;
  return (
    <>
      <PageHeader title={say('title')} description={say('text')} />
      {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} /> : null}
      {found.isPending ? <Loading /> : null}
      {data === undefined ? null : (
        <Stack gap="sm" maw={1000}>
          <Panel title={say('addresses')} isFlush>
            <Table variant="vertical" aria-label={say('addresses')}>
              <Table.Tbody>
                <Row label={say('aeTitle')} value={data.ae_title} />
                <Row label={say('dicom')} value={`${data.dicom_host}:${data.dicom_port}`} />
                <Row label={say('dicomweb')} value={data.dicomweb} />
                <Row label={say('web')} value={data.http} />
              </Table.Tbody>
            </Table>
          </Panel>
          <Text size="sm" c="dimmed">
            {say('replace')}
          </Text>
          {data.commands.map(({ purpose, commands }) => (
            <Panel key={purpose} title={say(purpose)}>
              <Stack gap="xs">
                <Text size="sm" c="dimmed">
                  {say(`${purpose}Text`)}
                </Text>
                {commands.map((command) => (
                  <Group key={command} gap="xs" wrap="nowrap" align="flex-start">
                    <pre className={classes['command'] ?? ''}>{command}</pre>
                    <CopyText text={command} isHidden />
                  </Group>
                ))}
              </Stack>
            </Panel>
          ))}
        </Stack>
      )}
    </>
  );
}

function Row(props: { readonly label: string; readonly value: string }): ReactNode {
  return (
    <Table.Tr>
      <Table.Th w={140}>{props.label}</Table.Th>
      <Table.Td>
        <CopyText text={props.value} />
      </Table.Td>
    </Table.Tr>
  );
}
