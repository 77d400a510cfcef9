import { Badge, Group, Stack, Text, Tooltip } from '@mantine/core';
import type { PatientFile } from '@negatoscope/api-client';
import { CopyText, useFormat, useMessages } from '@negatoscope/ui';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { fileMessages } from './file.messages';
import { orderedIdentifiers } from './names';
import classes from './PatientFilePage.module.css';

/** Identifiers in force, then ended ones, each with who gave it. */
export function Identifiers(props: { readonly file: PatientFile }): ReactNode {
  const say = useMessages(fileMessages);
  const format = useFormat();
  const all = props.file.every_identifier;
  const kinds: Readonly<Record<string, string>> = { PI: say('kindPI'), NH: 'NIR' };
  const ordered = [
    ...orderedIdentifiers(all.filter((one) => one.until === null)),
    ...all.filter((one) => one.until !== null),
  ];
  if (ordered.length === 0) return <Text size="sm">{say('noIdentifier')}</Text>;
  return (
    <Stack gap={4}>
      {ordered.map((one) => (
        <Group
          key={`${one.value} ${one.universal_id} ${one.authority} ${one.since}`}
          gap={8}
          wrap="nowrap"
          justify="space-between"
        >
          <Group gap={6} wrap="nowrap" miw={0}>
            <Text
              size="sm"
              ff="monospace"
              fw={one.until === null ? 600 : 400}
              className={one.until === null ? '' : (classes['cancelled'] ?? '')}
              style={{ overflowWrap: 'anywhere' }}
            >
              {one.value}
            </Text>
            <CopyText text={one.value} isHidden />
            <Tooltip label={one.universal_id} disabled={one.universal_id === ''}>
              <Text size="xs" c="dimmed" truncate>
                {one.authority}
              </Text>
            </Tooltip>
            {(kinds[one.type_code] ?? one.type_code) === '' ? null : (
              <Badge size="xs" variant="default" tt="none">
                {kinds[one.type_code] ?? one.type_code}
              </Badge>
            )}
            {one.warning === '' ? null : (
              <Tooltip label={one.warning}>
                <IconAlertTriangle
                  size={15}
                  color="var(--mantine-color-yellow-7)"
                  aria-label={say('BADKEY')}
                  role="img"
                />
              </Tooltip>
            )}
          </Group>
          <Text size="xs" c="dimmed" flex="none">
            {one.until === null
              ? say('inForce', { date: format.date(one.since) })
              : say('ended', { date: format.date(one.until) })}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
