import { Button, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { call, type RoleRights } from '@negatoscope/api-client';
import { PageHeader, Panel, useMessages } from '@negatoscope/ui';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { isKnownRole, roleMessages } from '../account/roles';
import { Listed } from './Listed';
import { messages } from './messages';

/** What each role may do: the tables that the server asks. */
export function RightsPage(): ReactNode {
  const say = useMessages(messages);
  const rights = useQuery({
    queryKey: ['admin', 'roles'],
    queryFn: ({ signal }) => call('GET /api/v1/roles', { signal }),
  });
  return (
    <>
      <PageHeader
        title={say('rights')}
        description={say('rightsText')}
        actions={
          <Button variant="default" renderRoot={(props) => <Link {...props} to="/admin/users" />}>
            {say('users')}
          </Button>
        }
      />
      <Listed query={rights}>
        {(found) => (
          <Stack gap="sm">
            <Matrix title={say('ofUsers')} actions={found.actions} roles={found.users} />
            <Matrix title={say('ofEntities')} actions={found.actions} roles={found.application_entities} />
          </Stack>
        )}
      </Listed>
    </>
  );
}

function Matrix(props: {
  readonly title: string;
  readonly actions: readonly string[];
  readonly roles: readonly RoleRights[];
}): ReactNode {
  const say = useMessages(messages);
  const sayRole = useMessages(roleMessages);
  const rows = props.actions.filter((action) => props.roles.some((role) => role.actions.includes(action)));
  return (
    <Panel title={props.title} isFlush>
      <Table.ScrollContainer minWidth={700}>
        <Table aria-label={props.title} withColumnBorders>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say('function')}</Table.Th>
              {props.roles.map((role) => (
                <Table.Th key={role.role}>
                  {isKnownRole(role.role) ? sayRole(role.role) : role.role}
                  {role.sees_granted_only ? (
                    <Text size="xs" c="dimmed">
                      {say('grantedOnly')}
                    </Text>
                  ) : null}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((action) => (
              <Table.Tr key={action}>
                <Table.Th scope="row">{action}</Table.Th>
                {props.roles.map((role) => (
                  <Table.Td key={role.role}>
                    {role.actions.includes(action) ? <IconCheck size={16} aria-hidden /> : null}
                    <VisuallyHidden>{say(role.actions.includes(action) ? 'yes' : 'no')}</VisuallyHidden>
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}
