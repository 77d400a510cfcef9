import { Button, Group, Text } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { IconPlugConnectedX, IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import classes from './Banners.module.css';
import { askNow, useConnection } from './connection';
import { messages } from './messages';

/** Above everything: the connection is lost, or this build is no longer the server's. */
export function Banners(): ReactNode {
  const say = useMessages(messages);
  const connection = useConnection();
  const seconds = useCountdown(connection.isLost ? connection.nextAt : 0);
  return (
    <div role="status" aria-live="polite">
      {connection.isLost ? (
        <Group className={classes['lost'] ?? ''} gap="xs">
          <IconPlugConnectedX size={16} aria-hidden />
          <Text size="sm">
            {say('lost')} <span aria-hidden>{seconds > 0 ? say('lostNext', { count: seconds }) : ''}</span>
          </Text>
          <Button size="compact-xs" variant="white" color="dark" onClick={() => void askNow()}>
            {say('tryNow')}
          </Button>
        </Group>
      ) : null}
      {!connection.isLost && (connection.isOutdated || connection.isBroken) ? (
        <Group className={classes['outdated'] ?? ''} gap="xs">
          <IconRefresh size={16} aria-hidden />
          <Text size="sm">{say(connection.isOutdated ? 'outdated' : 'broken')}</Text>
          <Button size="compact-xs" variant="white" color="dark" onClick={() => window.location.reload()}>
            {say('reload')}
          </Button>
        </Group>
      ) : null}
    </div>
  );
}

function useCountdown(until: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === 0) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, Math.ceil((until - now) / 1000));
}
