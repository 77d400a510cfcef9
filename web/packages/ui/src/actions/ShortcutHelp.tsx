import { Modal, SimpleGrid, Stack, Table, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useMessages, useTranslated } from '../i18n';
import { messages } from '../messages';
import { useActionList } from './ActionsProvider';
import { Keys } from './Keys';
import type { Action, ActionRegistry } from './registry';

/** Every shortcut that works on this page, by group. */
export function ShortcutHelp(props: {
  readonly registry: ActionRegistry;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const translate = useTranslated();
  const actions = useActionList(props.registry).filter((action) => action.shortcut !== undefined);
  const groups = new Map<string, Action[]>();
  for (const action of actions) {
    const name = action.group === undefined ? say('general') : translate(action.group);
    groups.set(name, [...(groups.get(name) ?? []), action]);
  }
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={say('help')}
      size="lg"
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        {[...groups].map(([name, members]) => (
          <Stack key={name} gap={4}>
            <Title order={3}>{name}</Title>
            <Table aria-label={name}>
              <Table.Tbody>
                {members.map((action) => (
                  <Table.Tr key={action.id}>
                    <Table.Td>{translate(action.label)}</Table.Td>
                    <Table.Td>
                      {[action.shortcut ?? []].flat().map((shortcut) => (
                        <Keys key={shortcut} shortcut={shortcut} />
                      ))}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Stack>
        ))}
      </SimpleGrid>
    </Modal>
  );
}
