import { Button, Group, Text } from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession } from '../session/session';
import classes from './BreakGlassBanner.module.css';
import { messages } from './messages';

/** As long as a file is open by emergency access. */
export function BreakGlassBanner(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const { break_glass } = useSession();
  // The viewer fills the window: there it lies over the lower edge.
  const isOver = useRouterState({ select: ({ location }) => location.pathname === '/viewer' });
  const end = useMutation({
    mutationFn: async () => {
      for (const one of break_glass) {
        await call('DELETE /api/v1/break-glass/{number}', { path: { number: one.id } });
      }
    },
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries(),
  });
  const last = [...break_glass].sort((a, b) => b.expires_at.localeCompare(a.expires_at))[0];
  if (last === undefined) return null;
  return (
    <Group className={classes[isOver ? 'over' : 'banner'] ?? ''} gap="xs" role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <Text size="sm" fw={600}>
        {say('banner', { count: break_glass.length })}
      </Text>
      <Text size="sm">{say('until', { time: format.dateTime(last.expires_at) })}</Text>
      <Text size="sm" truncate>
        {last.reason}
      </Text>
      <Button
        size="compact-xs"
        variant="white"
        color="dark"
        loading={end.isPending}
        onClick={() => end.mutate()}
      >
        {say('end')}
      </Button>
    </Group>
  );
}
