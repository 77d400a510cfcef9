import { Group, Progress, SimpleGrid, Stack, Text } from '@mantine/core';
import { call, type VolumeSpace } from '@negatoscope/api-client';
import { PageHeader, Panel, useFormat, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { Shown, StateBadge, useLive } from './live';
import { messages } from './operations.messages';

/** Space, what fills it and how fast. */
export function VolumesPage(): ReactNode {
  const say = useMessages(messages);
  const volumes = useLive(
    ['volumes'],
    (signal) => call('GET /api/v1/operations/volumes', { signal }),
    15_000,
  );
  return (
    <Stack gap="sm">
      <PageHeader title={say('volumes')} description={say('volumesHint')} />
      <Shown query={volumes}>
        {(rows) => rows.map((volume) => <OneVolume key={volume.name} volume={volume} />)}
      </Shown>
    </Stack>
  );
}

function OneVolume(props: { readonly volume: VolumeSpace }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const { volume } = props;
  const total = volume.total_bytes;
  const free = volume.free_bytes;
  const used = total === null || free === null ? null : total - free;
  const share = used === null || total === null || total === 0 ? 0 : (100 * used) / total;
  const facts: readonly (readonly [string, string])[] = [
    [say('free'), free === null ? '—' : format.bytes(free)],
    [say('watermark'), format.bytes(volume.low_watermark_bytes)],
    [say('stored'), format.bytes(volume.stored_bytes)],
    [say('dead'), format.bytes(volume.dead_bytes)],
    [say('segments'), format.number(volume.segment_count)],
    [say('members'), format.number(volume.object_count)],
    [
      say('growth'),
      volume.growth_bytes_per_day === null
        ? say('notKnown')
        : say('perDay', { size: format.bytes(volume.growth_bytes_per_day) }),
    ],
    [
      say('full'),
      volume.full_at !== null
        ? format.date(new Date(volume.full_at))
        : volume.growth_bytes_per_day === null
          ? say('notKnown')
          : say('notSoon'),
    ],
  ];
  return (
    <Panel
      title={volume.name}
      actions={
        <StateBadge state={volume.takes_objects ? 'ok' : 'failed'}>
          {total === null ? say('isGone') : say(volume.takes_objects ? 'takes' : 'refuses')}
        </StateBadge>
      }
    >
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="xs" c="dimmed" ff="monospace">
            {volume.path}
          </Text>
          {used === null ? null : (
            <Text size="sm">{say('used', { used: format.bytes(used), total: format.bytes(total) })}</Text>
          )}
        </Group>
        <Progress.Root size="lg">
          <Progress.Section
            value={share}
            color={volume.takes_objects ? (share > 85 ? 'orange' : 'teal') : 'red'}
            aria-label={say('usage', { name: volume.name })}
          />
        </Progress.Root>
        <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="xs">
          {facts.map(([label, value]) => (
            <Stack key={label} gap={0}>
              <Text size="xs" c="dimmed">
                {label}
              </Text>
              <Text size="sm" fw={600}>
                {value}
              </Text>
            </Stack>
          ))}
        </SimpleGrid>
      </Stack>
    </Panel>
  );
}
