import { ActionIcon, Button, Group, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { usePreference } from './preference';

interface SavedFilter {
  readonly name: string;
  readonly query: string;
}

const MOST = 50;

function read(kept: unknown): readonly SavedFilter[] {
  if (!Array.isArray(kept)) return [];
  return kept
    .filter(
      (one): one is SavedFilter =>
        typeof one === 'object' &&
        one !== null &&
        typeof one.name === 'string' &&
        typeof one.query === 'string',
    )
    .slice(0, MOST);
}

/** Searches that are made again and again, each under its name, kept with the account. */
export function SavedFilters(props: {
  /** The preference they are kept under. */
  readonly preference: string;
  /** The search as it is now, as the address has it. */
  readonly query: string;
  readonly labels: {
    readonly title: string;
    readonly none: string;
    readonly name: string;
    readonly save: string;
    readonly remove: (name: string) => string;
  };
  readonly onChoose: (query: string) => void;
}): ReactNode {
  const { query, labels } = props;
  const [filters, keep] = usePreference(props.preference, read);
  const [name, setName] = useState('');
  const [opened, setOpened] = useState(false);
  const wanted = name.trim();

  function save(): void {
    if (wanted === '') return;
    keep((before) => [...before.filter((one) => one.name !== wanted), { name: wanted, query }].slice(-MOST));
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
        <Tooltip label={labels.title}>
          <ActionIcon
            variant="default"
            size={30}
            aria-label={labels.title}
            onClick={() => setOpened(!opened)}
          >
            <IconBookmark size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={4}>
          {filters.length === 0 ? (
            <Text size="xs" c="dimmed">
              {labels.none}
            </Text>
          ) : null}
          {filters.map((one) => (
            <Group key={one.name} gap={2} wrap="nowrap">
              <Button
                variant="subtle"
                color="gray"
                justify="flex-start"
                flex={1}
                miw={0}
                onClick={() => {
                  props.onChoose(one.query);
                  setOpened(false);
                }}
              >
                {one.name}
              </Button>
              <ActionIcon
                aria-label={labels.remove(one.name)}
                onClick={() => keep((before) => before.filter((other) => other.name !== one.name))}
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
                aria-label={labels.name}
                placeholder={labels.name}
                value={name}
                maxLength={60}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit" disabled={wanted === ''}>
                {labels.save}
              </Button>
            </Group>
          </form>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
