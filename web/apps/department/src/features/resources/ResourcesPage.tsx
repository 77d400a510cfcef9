import { Anchor, Badge, Button, Group, Switch, Tabs, TextInput } from '@mantine/core';
import { call, type DepartmentResource } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { FilesDialog } from '../catalogue/FilesDialog';
import { hoursInWords } from './hours';
import { messages } from './messages';
import { ResourceDrawer } from './ResourceDrawer';
import { KINDS, type Kind, type ResourcesSearch, readSearch } from './search';

const PROFESSIONS = new Set([
  'RADIOLOGIST',
  'TECHNOLOGIST',
  'ANAESTHETIST',
  'NURSE',
  'NUCLEAR PHYSICIAN',
  'PHYSICIST',
]);

/** Rooms, devices, people. */
export function ResourcesPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const search = useSearch({ from: '/signed-in/shell/admin/resources' });
  const navigate = useNavigate({ from: '/admin/resources' });
  const change = (to: { readonly [K in keyof ResourcesSearch]?: ResourcesSearch[K] | undefined }) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  const [isFiling, setFiling] = useState(false);
  const kind = search.kind ?? 'ROOM';
  const list = useQuery({
    queryKey: ['resources', 'all'],
    queryFn: ({ signal }) => call('GET /api/v1/resources', { signal }),
  });
  const every = list.data ?? [];
  const rooms = every.filter((one) => one.kind === 'ROOM');
  const roomNames = new Map(rooms.map((room) => [room.id, room.name]));
  const words = fold(search.text ?? '')
    .split(' ')
    .filter(Boolean);
  const rows = every.filter((one) => {
    if (one.kind !== kind || (search.all !== true && one.is_active === false)) return false;
    const text = fold(
      `${one.name} ${one.location} ${one.ae_title} ${one.modality} ${roomNames.get(one.room ?? 0) ?? ''}`,
    );
    return words.every((word) => text.includes(word));
  });
  const name: Column<DepartmentResource> = {
    key: 'name',
    title: say('name'),
    sortBy: (row) => row.name,
    render: (row) => (
      <Group gap={6}>
        <Anchor component="button" size="sm" onClick={() => change({ open: row.id })}>
          {row.name}
        </Anchor>
        {row.is_active === false ? (
          <Badge size="xs" variant="light" color="gray" tt="none">
            {say('inactive')}
          </Badge>
        ) : null}
      </Group>
    ),
  };
  const location: Column<DepartmentResource> = {
    key: 'location',
    title: say('location'),
    sortBy: (row) => row.location,
    render: (row) => row.location,
  };
  const columns: Readonly<Record<Kind, readonly Column<DepartmentResource>[]>> = {
    ROOM: [
      name,
      location,
      {
        key: 'devices',
        title: say('devices'),
        render: (row) =>
          every
            .filter((one) => one.room === row.id && one.is_active !== false)
            .map((one) => `${one.name} (${one.ae_title || one.modality})`)
            .join(', '),
      },
      { key: 'hours', title: say('hours'), render: (row) => hoursInWords(row.hours, format.locale) },
    ],
    DEVICE: [
      name,
      {
        key: 'modality',
        title: say('modality'),
        sortBy: (row) => row.modality,
        render: (row) => row.modality,
      },
      { key: 'ae', title: say('aeTitle'), sortBy: (row) => row.ae_title, render: (row) => row.ae_title },
      {
        key: 'room',
        title: say('room'),
        sortBy: (row) => roomNames.get(row.room ?? 0),
        render: (row) => roomNames.get(row.room ?? 0) ?? '',
      },
      {
        key: 'worklist',
        title: say('worklist'),
        render: (row) => {
          const shows = row.worklist_filter?.shows ?? 'STATION';
          return say(shows === 'ROOM' ? 'ofRoom' : shows);
        },
      },
    ],
    STAFF: [
      name,
      {
        key: 'profession',
        title: say('profession'),
        sortBy: (row) => row.profession,
        render: (row) =>
          PROFESSIONS.has(row.profession ?? '') ? say(row.profession as 'NURSE') : (row.profession ?? ''),
      },
      { key: 'rpps', title: say('rpps'), render: (row) => row.rpps },
      { key: 'hours', title: say('hours'), render: (row) => hoursInWords(row.hours, format.locale) },
    ],
  };
  const opened = every.find((one) => one.id === search.open);
  return (
    <>
      <PageHeader
        title={say('title')}
        description={say('description')}
        actions={
          <>
            <Button variant="default" onClick={() => setFiling(true)}>
              {say('files')}
            </Button>
            <Button onClick={() => change({ open: 0 })}>{say(`new${kind}`)}</Button>
          </>
        }
      />
      <Panel isFlush>
        <Tabs
          value={kind}
          onChange={(value) =>
            change({ kind: value === null ? undefined : (value as Kind), open: undefined })
          }
        >
          <Tabs.List>
            {KINDS.map((one) => (
              <Tabs.Tab key={one} value={one}>
                {say(one)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {KINDS.map((one) => (
            <Tabs.Panel key={one} value={one}>
              {one === kind ? (
                <>
                  <Group gap="md" p="xs">
                    <TextInput
                      type="search"
                      aria-label={say('find')}
                      placeholder={say('find')}
                      w={260}
                      value={search.text ?? ''}
                      onChange={(event) => change({ text: event.currentTarget.value })}
                    />
                    <Switch
                      label={say('showAll')}
                      checked={search.all === true}
                      onChange={(event) => change({ all: event.currentTarget.checked ? true : undefined })}
                    />
                  </Group>
                  {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
                  {list.isPending ? <Loading /> : null}
                  {list.data === undefined ? null : (
                    <DataTable
                      label={say(kind)}
                      rows={rows}
                      columns={columns[kind]}
                      rowKey={(row) => String(row.id)}
                      onOpen={(row) => change({ open: row.id })}
                      empty={<Empty title={say('none')}>{say('noneText')}</Empty>}
                    />
                  )}
                </>
              ) : null}
            </Tabs.Panel>
          ))}
        </Tabs>
      </Panel>
      <ResourceDrawer
        isOpen={search.open === 0 || opened !== undefined}
        resource={opened}
        kind={opened?.kind ?? kind}
        rooms={rooms}
        onClose={() => change({ open: undefined })}
      />
      <FilesDialog
        isOpen={isFiling}
        kinds={['RESOURCES', 'OPENING_HOURS']}
        onClose={() => setFiling(false)}
      />
    </>
  );
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
