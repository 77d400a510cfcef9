import { Tabs } from '@mantine/core';
import { PageHeader, useMessages } from '@negatoscope/ui';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback } from 'react';
import { Events } from './Events';
import { messages } from './messages';
import { State } from './State';
import { type AuditSearch, type Tab, tabOf } from './search';
import { WhoSaw } from './WhoSaw';

/** The audit trail: its events, who saw a patient, and how the trail itself is. */
export function AuditPage(): ReactNode {
  const say = useMessages(messages);
  const search = useSearch({ from: '/signed-in/shell/admin/audit' });
  const navigate = useNavigate({ from: '/admin/audit' });
  const change = useCallback(
    (next: AuditSearch) => void navigate({ search: next, replace: false }),
    [navigate],
  );
  const tab = tabOf(search);
  return (
    <>
      <PageHeader title={say('title')} description={say('description')} />
      <Tabs value={tab} onChange={(value) => change({ ...search, tab: value as Tab })} keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="events">{say('tabEvents')}</Tabs.Tab>
          <Tabs.Tab value="patient">{say('tabPatient')}</Tabs.Tab>
          <Tabs.Tab value="state">{say('tabState')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="events">
          <Events search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="patient">
          <WhoSaw search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="state">
          <State />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
