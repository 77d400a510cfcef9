import { Title } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';

/** Our components, for who builds with them. */
export function DesignPage(): ReactNode {
  const say = useMessages(messages);
  return <Title order={1}>{say('title')}</Title>;
}
