import { Badge, Group, Table } from '@mantine/core';
import { PageHeader, Panel, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { useSession } from '../session/session';
import { messages } from './messages';

/** What belongs to who is signed in. */
export function AccountPage(): ReactNode {
  const say = useMessages(messages);
  const { user } = useSession();
  return (
    <>
      <PageHeader title={say('title')} />
      <Panel title={say('profile')} isFlush>
        <Table variant="vertical">
          <Table.Tbody>
            <Table.Tr>
              <Table.Th w={200}>{say('name')}</Table.Th>
              <Table.Td>{user.name}</Table.Td>
            </Table.Tr>
            <Table.Tr>
              <Table.Th>{say('displayName')}</Table.Th>
              <Table.Td>{user.display_name}</Table.Td>
            </Table.Tr>
            <Table.Tr>
              <Table.Th>{say('roles')}</Table.Th>
              <Table.Td>
                <Group gap={4}>
                  {user.roles.map((role) => (
                    <Badge key={role} variant="light" tt="none">
                      {role}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
            </Table.Tr>
          </Table.Tbody>
        </Table>
      </Panel>
    </>
  );
}
