import { Anchor, Button, Center, Loader, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type RegisteredPatient } from '@negatoscope/api-client';
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
  useNotify,
} from '@negatoscope/ui';
import { IconSearch, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useMay } from '../session/session';
import { fileMessages } from './file.messages';
import { IdentityBadge } from './IdentityBadge';
import { messages } from './messages';
import { NewPatientDialog } from './NewPatientDialog';
import { ageOf, birthNameIfOther, orderedIdentifiers, partialDate, shownName } from './names';

const PAGE = 100;
const QUIET_MS = 200;

/** Everybody the admission office knows of, found as one types. */
export function PatientsPage(): ReactNode {
  const say = useMessages(fileMessages);
  const sayTraits = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const mayCreate = useMay('order');
  const search = useSearch({ from: '/signed-in/shell/patients' });
  const navigate = useNavigate({ from: '/patients' });
  const [text, setText] = useState(search.text ?? '');
  const [isNew, setNew] = useState(false);
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const table = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (wanted !== (search.text ?? ''))
      void navigate({ search: wanted === '' ? {} : { text: wanted }, replace: true });
  }, [wanted, search.text, navigate]);

  const list = useInfiniteQuery({
    queryKey: ['registered-patients', 'list', wanted],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/registered-patients', {
        query: { text: wanted, limit: PAGE, ...(pageParam === 0 ? {} : { before_id: pageParam }) },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flat() ?? [];
  // Rows of the search before stand until the next ones are here: nobody opens one of them in a hurry.
  const isCurrent = wanted === text.trim() && !list.isPlaceholderData;
  const open = (row: RegisteredPatient) =>
    void navigate({ to: '/patients/registered/$number', params: { number: String(row.id) } });

  function onKeyDown(event: KeyboardEvent): void {
    if (!isCurrent) return;
    if (event.key === 'ArrowDown') {
      const first = table.current?.querySelector<HTMLElement>('tbody tr');
      if (first) {
        event.preventDefault();
        first.focus();
      }
    } else if (event.key === 'Enter' && rows.length === 1) {
      const [only] = rows;
      if (only !== undefined) open(only);
    }
  }

  const columns: readonly Column<RegisteredPatient>[] = [
    {
      key: 'name',
      title: say('name'),
      sortBy: (row) => shownName(row, format),
      render: (row) => {
        const other = birthNameIfOther(row, format);
        return (
          <>
            <Anchor
              size="sm"
              fw={600}
              renderRoot={(root) => (
                <Link to="/patients/registered/$number" params={{ number: String(row.id) }} {...root} />
              )}
            >
              {shownName(row, format) || sayTraits('noName')}
            </Anchor>
            {other === '' ? '' : ` ${sayTraits('bornAs', { name: other })}`}
          </>
        );
      },
    },
    {
      key: 'born',
      title: say('born'),
      width: 170,
      sortBy: (row) => row.birth_date,
      render: (row) => {
        const age = ageOf(row.birth_date);
        return [
          partialDate(row.birth_date, format) || row.lunar_birth_date,
          age === null ? '' : sayTraits('years', { count: age }),
        ]
          .filter(Boolean)
          .join(' · ');
      },
    },
    { key: 'sex', title: say('sex'), width: 60, render: (row) => row.sex },
    {
      key: 'identifiers',
      title: say('identifiers'),
      render: (row) =>
        orderedIdentifiers(row.identifiers)
          .slice(0, 3)
          .map((one) => `${one.value} (${one.authority})`)
          .join(', '),
    },
    { key: 'status', title: say('status'), width: 210, render: (row) => <IdentityBadge patient={row} /> },
  ];

  return (
    <>
      <PageHeader
        title={say('patients')}
        actions={
          mayCreate ? (
            <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setNew(true)}>
              {say('newPatient')}
            </Button>
          ) : null
        }
      />
      <TextInput
        mb="sm"
        maw={620}
        aria-label={say('search')}
        placeholder={sayTraits('pickHint')}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={list.isFetching && !list.isPending ? <Loader size="xs" /> : null}
        value={text}
        maxLength={200}
        autoFocus
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Panel isFlush>
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading /> : null}
        {list.data === undefined ? null : (
          <div ref={table} style={isCurrent ? {} : { opacity: 0.5 }} aria-busy={!isCurrent}>
            <DataTable
              label={say('patients')}
              rows={rows}
              columns={columns}
              rowKey={(row) => String(row.id)}
              onOpen={(row) => isCurrent && open(row)}
              empty={
                wanted === '' ? (
                  <Empty title={say('nobodyYet')}>{say('nobodyYetHint')}</Empty>
                ) : (
                  <Empty title={say('nobody')}>{say('nobodyHint')}</Empty>
                )
              }
            />
          </div>
        )}
        {list.hasNextPage ? (
          <Center p="xs">
            <Button
              variant="default"
              size="compact-sm"
              loading={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {say('more')}
            </Button>
          </Center>
        ) : null}
      </Panel>
      {isNew ? (
        <NewPatientDialog
          typed={text}
          onClose={() => setNew(false)}
          onMade={(made) => {
            setNew(false);
            notify.done(say('made'));
            open(made);
          }}
        />
      ) : null}
    </>
  );
}
