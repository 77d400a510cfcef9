import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The title of a page, a line about it, and what can be done on it. */
export function PageHeader(props: {
  readonly title: ReactNode;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
}): ReactNode {
  return (
    <Group justify="space-between" align="flex-start" mb="sm" gap="sm">
      <Stack gap={2} miw={0}>
        <Title order={1}>{props.title}</Title>
        {props.description === undefined ? null : (
          <Text size="sm" c="dimmed" maw={720}>
            {props.description}
          </Text>
        )}
      </Stack>
      {props.actions === undefined ? null : <Group gap="xs">{props.actions}</Group>}
    </Group>
  );
}
