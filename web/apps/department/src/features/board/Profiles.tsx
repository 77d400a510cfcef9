import { ActionIcon, Button, Group, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { usePreference } from '../studies/preference';
import { type Criteria, readCriteria, writeCriteria } from './criteria';
import { messages } from './messages';

interface Profile {
  readonly name: string;
  readonly query: string;
}

const MOST = 50;

function read(kept: unknown): readonly Profile[] {
  if (!Array.isArray(kept)) return [];
  return kept
    .filter(
      (one): one is Profile =>
        typeof one === 'object' &&
        one !== null &&
        typeof one.name === 'string' &&
        typeof one.query === 'string',
    )
    .slice(0, MOST);
}

/** Boards that a person comes back to, each under its name: my rooms, the emergencies. */
export function Profiles(props: {
  readonly criteria: Criteria;
  readonly onChoose: (criteria: Criteria) => void;
}): ReactNode {
  const say = useMessages(messages);
  const [profiles, keep] = usePreference('board.profiles', read);
  const [name, setName] = useState('');
  const [opened, setOpened] = useState(false);
  const wanted = name.trim();

  function save(): void {
    if (wanted === '') return;
    const query = writeCriteria({ ...props.criteria, day: '' });
    keep([...profiles.filter((one) => one.name !== wanted), { name: wanted, query }].slice(-MOST));
    setName('');
  }

  return (
    <Popover
      width={300}
      position="bottom-end"
      withArrow
      shadow="md"
      trapFocus
      opened={opened}
      onChange={setOpened}
    >
      <Popover.Target>
        <Tooltip label={say('profiles')}>
          <ActionIcon
            variant="default"
            size={30}
            aria-label={say('profiles')}
            onClick={() => setOpened(!opened)}
          >
            <IconBookmark size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={4}>
          {profiles.length === 0 ? (
            <Text size="xs" c="dimmed">
              {say('profilesNone')}
            </Text>
          ) : null}
          {profiles.map((one) => (
            <Group key={one.name} gap={2} wrap="nowrap">
              <Button
                variant="subtle"
                color="gray"
                justify="flex-start"
                flex={1}
                miw={0}
                onClick={() => {
                  props.onChoose({ ...readCriteria(one.query), day: props.criteria.day });
                  setOpened(false);
                }}
              >
                {one.name}
              </Button>
              <ActionIcon
                aria-label={say('remove', { name: one.name })}
                onClick={() => keep(profiles.filter((other) => other.name !== one.name))}
              >
                <IconTrash size={14} />
              </ActionIcon>
            </Group>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              save();
            }}
          >
            <Group gap={4} wrap="nowrap" mt={4}>
              <TextInput
                flex={1}
                aria-label={say('profileName')}
                placeholder={say('profileName')}
                value={name}
                maxLength={60}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit" disabled={wanted === ''}>
                {say('save')}
              </Button>
            </Group>
          </form>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
