import { Tabs } from '@mantine/core';
import { PageHeader, useMessages } from '@negatoscope/ui';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Connections } from './Connections';
import { MessageList } from './MessageList';
import { messages } from './messages';
import { type MessageSearch, readSearch } from './search';

export type Change = (to: { readonly [K in keyof MessageSearch]?: MessageSearch[K] | undefined }) => void;

/** What other systems sent and were sent, what was answered, what came of it; and the connections. */
export function MessagesPage(): ReactNode {
  const say = useMessages(messages);
  const search = useSearch({ from: '/signed-in/shell/admin/messages' });
  const navigate = useNavigate({ from: '/admin/messages' });
  const change: Change = (to) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  return (
    <>
      <PageHeader title={say('title')} />
      <Tabs
        value={search.tab ?? 'messages'}
        onChange={(tab) => change({ tab: tab === 'connections' ? tab : undefined })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="messages">{say('list')}</Tabs.Tab>
          <Tabs.Tab value="connections">{say('connections')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="messages">
          <MessageList search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="connections">
          <Connections onChange={change} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
