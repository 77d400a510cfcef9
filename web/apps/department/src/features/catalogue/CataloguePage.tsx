import { Anchor, Badge, Button, Center, Group, Select, TextInput } from '@mantine/core';
import { type CatalogueProcedure, call } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useLanguage,
  useMessages,
} from '@negatoscope/ui';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { FilesDialog } from './FilesDialog';
import { messages } from './messages';
import { ProcedureDrawer } from './ProcedureDrawer';
import { type CatalogueSearch, readSearch } from './search';

const PAGE = 100;

/** What can be ordered. */
export function CataloguePage(): ReactNode {
  const say = useMessages(messages);
  const { language } = useLanguage();
  const search = useSearch({ from: '/signed-in/shell/admin/catalogue' });
  const navigate = useNavigate({ from: '/admin/catalogue' });
  const change = (to: { readonly [K in keyof CatalogueSearch]?: CatalogueSearch[K] | undefined }) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  const [isFiling, setFiling] = useState(false);
  const { text = '', modality = '', shown } = search;
  const resources = useQuery({
    queryKey: ['resources', 'active'],
    queryFn: ({ signal }) => call('GET /api/v1/resources', { query: { is_active: true }, signal }),
    staleTime: 60_000,
  });
  const rooms = (resources.data ?? []).filter((one) => one.kind === 'ROOM');
  const modalities = [...new Set((resources.data ?? []).map((one) => one.modality ?? ''))]
    .filter(Boolean)
    .sort();
  const names = new Map(rooms.map((room) => [room.id, room.name]));
  const list = useInfiniteQuery({
    queryKey: ['catalogue', 'list', text, modality, shown ?? 'active'],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/catalogue', {
        query: {
          text,
          modality,
          is_active: shown === 'all' ? null : shown !== 'inactive',
          after: pageParam === 0 ? null : pageParam,
          limit: PAGE,
        },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flat() ?? [];
  const isFiltered = text !== '' || modality !== '' || shown !== undefined;

  const columns: readonly Column<CatalogueProcedure>[] = [
    {
      key: 'code',
      title: say('code'),
      width: 110,
      sortBy: (row) => row.code_value,
      render: (row) => (
        <Anchor component="button" size="sm" onClick={() => change({ open: row.id })}>
          {row.code_value}
        </Anchor>
      ),
    },
    {
      key: 'label',
      title: say('label'),
      sortBy: (row) => labelOf(row, language),
      render: (row) => (
        <Group gap={6}>
          {labelOf(row, language)}
          {row.is_active === false ? (
            <Badge size="xs" variant="light" color="gray" tt="none">
              {say('inactive')}
            </Badge>
          ) : null}
        </Group>
      ),
    },
    {
      key: 'modality',
      title: say('modality'),
      width: 90,
      sortBy: (row) => row.modality,
      render: (row) => row.modality,
    },
    {
      key: 'duration',
      title: say('duration'),
      width: 90,
      align: 'right',
      sortBy: (row) => row.duration_min,
      render: (row) => say('minutes', { count: row.duration_min ?? 0 }),
    },
    {
      key: 'contrast',
      title: say('contrast'),
      width: 130,
      sortBy: (row) => row.contrast,
      render: (row) => (row.contrast === 'NONE' || row.contrast === undefined ? '' : say(row.contrast)),
    },
    {
      key: 'vetted',
      title: say('vetted'),
      width: 110,
      sortBy: (row) => Number(row.needs_vetting),
      render: (row) => (row.needs_vetting === true ? say('yes') : ''),
    },
    {
      key: 'rooms',
      title: say('rooms'),
      render: (row) => (row.rooms ?? []).map((room) => names.get(room) ?? `#${room}`).join(', '),
    },
  ];
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
            <Button onClick={() => change({ open: 0 })}>{say('add')}</Button>
          </>
        }
      />
      <Panel isFlush>
        <Group gap="xs" p="xs">
          <TextInput
            type="search"
            aria-label={say('find')}
            placeholder={say('find')}
            w={260}
            maxLength={200}
            value={text}
            onChange={(event) => change({ text: event.currentTarget.value })}
          />
          <Select
            aria-label={say('modality')}
            placeholder={say('anyModality')}
            searchable
            clearable
            w={170}
            data={[...new Set([...modalities, modality])].filter(Boolean)}
            value={modality || null}
            onChange={(value) => change({ modality: value ?? undefined })}
          />
          <Select
            aria-label={say('shown')}
            allowDeselect={false}
            w={170}
            data={[
              { value: 'active', label: say('active') },
              { value: 'inactive', label: say('inactive') },
              { value: 'all', label: say('all') },
            ]}
            value={shown ?? 'active'}
            onChange={(value) =>
              change({ shown: value === 'inactive' || value === 'all' ? value : undefined })
            }
          />
        </Group>
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading /> : null}
        {list.data === undefined ? null : (
          <DataTable
            label={say('title')}
            rows={rows}
            columns={columns}
            rowKey={(row) => String(row.id)}
            onOpen={(row) => change({ open: row.id })}
            empty={
              <Empty title={say(isFiltered ? 'none' : 'empty')}>
                {say(isFiltered ? 'noneText' : 'emptyText')}
              </Empty>
            }
          />
        )}
        {list.hasNextPage ? (
          <Center p="xs">
            <Button
              variant="default"
              loading={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {say('more')}
            </Button>
          </Center>
        ) : null}
      </Panel>
      <ProcedureDrawer
        number={search.open}
        modalities={modalities}
        rooms={rooms}
        onClose={() => change({ open: undefined })}
      />
      <FilesDialog isOpen={isFiling} kinds={['PROCEDURES', 'CCAM']} onClose={() => setFiling(false)} />
    </>
  );
}

function labelOf(row: CatalogueProcedure, language: 'en' | 'fr'): string {
  return language === 'en' && row.label_en ? row.label_en : row.label_fr;
}
