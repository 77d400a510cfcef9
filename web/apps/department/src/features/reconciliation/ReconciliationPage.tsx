import { Badge, Box, Button, Checkbox, Group, Stack, Tabs, Text } from '@mantine/core';
import {
  call,
  type DeskCounts,
  type DeskDone,
  type DeskStudy,
  type DuplicatePair,
  type RegisteredPatient,
} from '@negatoscope/api-client';
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
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { partialDate, shownName } from '../patients/names';
import { PatientLine } from '../patients/PatientLine';
import { PatientPicker } from '../patients/PatientPicker';
import { Compare, signText } from './Compare';
import classes from './Desk.module.css';
import { messages } from './messages';
import { titleOf, useUndo } from './PreviewDialog';
import { RowList } from './RowList';
import { bindingText, StudyPanel, saidNumber } from './StudyPanel';
import { type DeskSearch, pairOf, readSearch, TABS, type Tab } from './search';

const PAGE = 500;
const MOST_COUNTED = 500;

type Change = (to: { readonly [K in keyof DeskSearch]?: DeskSearch[K] | undefined }) => void;

/** Files of one person joined, studies put under the right patient and order. */
export function ReconciliationPage(): ReactNode {
  const say = useMessages(messages);
  const search = useSearch({ from: '/signed-in/shell/reconciliation' });
  const navigate = useNavigate({ from: '/reconciliation' });
  const change: Change = (to) =>
    void navigate({ search: (before) => readSearch({ ...before, ...to }), replace: true });
  const counts = useQuery({
    queryKey: ['reconciliation', 'counts'],
    queryFn: ({ signal }) => call('GET /api/v1/reconciliation/counts', { signal }),
    refetchInterval: 30_000,
  });
  const tab = search.tab ?? 'duplicates';
  return (
    <>
      <PageHeader title={say('title')} description={say('description')} />
      <Tabs
        value={tab}
        onChange={(value) =>
          change({ tab: (value ?? 'duplicates') as Tab, open: undefined, dismissed: undefined })
        }
        mb="sm"
      >
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one} rightSection={<Count of={countOf(one, counts.data)} />}>
              {say(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      {tab === 'duplicates' ? <Duplicates key={tab} search={search} change={change} /> : null}
      {tab === 'without-patient' || tab === 'without-order' ? (
        <Studies key={tab} tab={tab} search={search} change={change} />
      ) : null}
      {tab === 'unidentified' ? <Unidentified key={tab} search={search} change={change} /> : null}
      {tab === 'journal' ? <Journal /> : null}
    </>
  );
}

function countOf(tab: Tab, counts: DeskCounts | undefined): number | undefined {
  if (tab === 'journal') return undefined;
  return counts?.[
    (
      {
        duplicates: 'duplicates',
        'without-patient': 'without_patient',
        'without-order': 'without_order',
        unidentified: 'unidentified',
      } as const
    )[tab]
  ];
}

function Count(props: { readonly of: number | undefined }): ReactNode {
  const say = useMessages(messages);
  if (props.of === undefined) return null;
  return (
    <Badge size="sm" variant="light" color={props.of === 0 ? 'gray' : 'blue'}>
      {props.of > MOST_COUNTED ? say('moreThan') : props.of}
    </Badge>
  );
}

function Duplicates(props: { readonly search: DeskSearch; readonly change: Change }): ReactNode {
  const { search, change } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const isDismissed = search.dismissed === true;
  const list = useInfiniteQuery({
    queryKey: ['reconciliation', 'duplicates', isDismissed],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/reconciliation/duplicates', {
        query: {
          is_dismissed: isDismissed,
          limit: PAGE,
          ...(pageParam === null
            ? {}
            : {
                after_score: pageParam.score,
                after_first: pageParam.first.id,
                after_second: pageParam.second.id,
              }),
        },
        signal,
      }),
    initialPageParam: null as DuplicatePair | null,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)),
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flat() ?? [];
  const pair = pairOf(search.open);
  return (
    <>
      <Group justify="flex-end" mb={6}>
        <Checkbox
          size="xs"
          label={say('showDismissed')}
          checked={isDismissed}
          onChange={(event) =>
            change({ dismissed: event.currentTarget.checked ? true : undefined, open: undefined })
          }
        />
      </Group>
      <Box className={classes['desk'] ?? ''}>
        {list.isPending ? (
          <Loading />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <RowList
            label={say('tab_duplicates')}
            rows={rows}
            keyOf={keyOfPair}
            open={search.open}
            onOpen={(open) => change({ open })}
            onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
            isLoadingMore={list.isFetchingNextPage}
            empty={<Empty>{say('noDuplicates')}</Empty>}
            render={(row) => (
              <Group wrap="nowrap" gap={8} align="flex-start">
                <Badge
                  size="lg"
                  radius="sm"
                  w={44}
                  px={0}
                  flex="none"
                  color={colorOf(row.score)}
                  variant="light"
                >
                  {row.score}
                </Badge>
                <Box miw={0} flex={1}>
                  {[row.first, row.second].map((one) => (
                    <Group key={one.id} wrap="nowrap" gap={6} align="baseline">
                      <Text size="sm" truncate miw={0}>
                        {shownName(one, format) || say('noName')}
                      </Text>
                      <Text size="xs" c="dimmed" flex="none">
                        {partialDate(one.birth_date, format)}
                      </Text>
                    </Group>
                  ))}
                  <Text size="xs" c="dimmed" truncate>
                    {row.reasons
                      .slice(0, 3)
                      .map((one) => signText(one.code, say))
                      .join(', ')}
                  </Text>
                </Box>
              </Group>
            )}
          />
        )}
        <Box className={classes['detail'] ?? ''}>
          {pair === null ? (
            <Empty>{say('choose')}</Empty>
          ) : (
            <Compare
              key={search.open}
              pair={pair}
              onDone={() => change({ open: neighbour(rows.map(keyOfPair), search.open) })}
            />
          )}
        </Box>
      </Box>
    </>
  );
}

function keyOfPair(row: DuplicatePair): string {
  return `${row.first.id}-${row.second.id}`;
}

function colorOf(score: number): string {
  return score >= 85 ? 'red' : score >= 72 ? 'orange' : 'gray';
}

/** Which row is looked at when this one is done: the next one. */
function neighbour(keys: readonly string[], open: string | undefined): string | undefined {
  const at = keys.indexOf(open ?? '');
  return keys[at + 1] ?? keys[at - 1];
}

function Studies(props: {
  readonly tab: 'without-patient' | 'without-order';
  readonly search: DeskSearch;
  readonly change: Change;
}): ReactNode {
  const { tab, search, change } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const list = useInfiniteQuery({
    queryKey: ['reconciliation', 'studies', tab],
    queryFn: ({ pageParam, signal }) =>
      call(
        tab === 'without-order'
          ? 'GET /api/v1/reconciliation/studies-without-order'
          : 'GET /api/v1/reconciliation/studies-without-patient',
        { query: { limit: PAGE, ...(pageParam === 0 ? {} : { after: pageParam }) }, signal },
      ),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.key),
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flat() ?? [];
  return (
    <Box className={classes['desk'] ?? ''}>
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <RowList
          label={say(`tab_${tab}`)}
          rows={rows}
          keyOf={keyOfStudy}
          open={search.open}
          onOpen={(open) => change({ open })}
          onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
          isLoadingMore={list.isFetchingNextPage}
          empty={<Empty>{say('noStudies')}</Empty>}
          render={(row) => {
            const why = bindingText(row);
            return (
              <>
                <Group wrap="nowrap" gap={6} align="baseline">
                  <Text size="sm" fw={600} truncate miw={0}>
                    {format.personName(row.patient_name) || say('noName')}
                  </Text>
                  <Text size="xs" flex="none">
                    {[format.date(row.patient_birth_date), row.patient_sex].filter(Boolean).join(' · ')}
                  </Text>
                </Group>
                {row.patient_id === '' ? null : (
                  <Text size="xs" truncate>
                    {saidNumber(row, say('noIssuer'))}
                  </Text>
                )}
                <Text size="xs" c="dimmed" truncate>
                  {[
                    format.date(row.study_date),
                    row.modalities_in_study.join(' '),
                    row.study_description,
                    say('images', { count: row.instance_count }),
                    row.calling_ae_title,
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </Text>
                {tab === 'without-order' && why !== null ? (
                  <Text size="xs" truncate>
                    {say(`binding_${why}`)}
                  </Text>
                ) : null}
              </>
            );
          }}
        />
      )}
      <Box className={classes['detail'] ?? ''}>
        {search.open === undefined ? (
          <Empty>{say('choose')}</Empty>
        ) : (
          <StudyPanel
            key={search.open}
            study={search.open}
            onDone={() => change({ open: neighbour(rows.map(keyOfStudy), search.open) })}
          />
        )}
      </Box>
    </Box>
  );
}

function keyOfStudy(row: DeskStudy): string {
  return row.study_instance_uid;
}

function Unidentified(props: { readonly search: DeskSearch; readonly change: Change }): ReactNode {
  const { search, change } = props;
  const say = useMessages(messages);
  const list = useInfiniteQuery({
    queryKey: ['reconciliation', 'unidentified'],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/reconciliation/unidentified-patients', {
        query: { limit: PAGE, ...(pageParam === 0 ? {} : { after: pageParam }) },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flat() ?? [];
  const open = rows.find((one) => String(one.id) === search.open);
  return (
    <Box className={classes['desk'] ?? ''}>
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <RowList
          label={say('tab_unidentified')}
          rows={rows}
          keyOf={keyOfPatient}
          open={search.open}
          onOpen={(key) => change({ open: key })}
          onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
          isLoadingMore={list.isFetchingNextPage}
          empty={<Empty>{say('noUnidentified')}</Empty>}
          render={(row) => <PatientLine patient={row} />}
        />
      )}
      <Box className={classes['detail'] ?? ''}>
        {open === undefined ? (
          <Empty>{say('choose')}</Empty>
        ) : (
          <Attach key={open.id} unknown={open} onDone={() => change({ open: undefined })} />
        )}
      </Box>
    </Box>
  );
}

function keyOfPatient(row: RegisteredPatient): string {
  return String(row.id);
}

function Attach(props: { readonly unknown: RegisteredPatient; readonly onDone: () => void }): ReactNode {
  const { unknown } = props;
  const say = useMessages(messages);
  const [known, setKnown] = useState<RegisteredPatient | null>(null);
  return (
    <Stack gap="sm">
      <Panel title={say('attach')}>
        <Stack gap="xs">
          <PatientLine patient={unknown} />
          <Text size="sm" c="dimmed">
            {say('attachText')}
          </Text>
          <PatientPicker value={known} onPick={(one) => setKnown(one?.id === unknown.id ? null : one)} />
        </Stack>
      </Panel>
      {known === null ? null : (
        <Compare pair={[known.id, unknown.id]} survivor={known.id} onDone={props.onDone} />
      )}
    </Stack>
  );
}

function Journal(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const undo = useUndo();
  const list = useInfiniteQuery({
    queryKey: ['reconciliation', 'journal'],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/reconciliation/actions', {
        query: { limit: 100, ...(pageParam === 0 ? {} : { before: pageParam }) },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < 100 ? undefined : last.at(-1)?.id),
  });
  if (list.isError) return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data === undefined) return <Loading />;
  const columns: readonly Column<DeskDone>[] = [
    { key: 'at', title: say('at'), width: 150, render: (row) => format.dateTime(row.done_at) },
    { key: 'who', title: say('who'), width: 140, render: (row) => row.done_by.replace(/^user:/, '') },
    {
      key: 'what',
      title: say('what'),
      render: (row) =>
        titleOf(
          { kind: row.kind, patient: numberOf(row.asked['patient']), other: numberOf(row.asked['other']) },
          say,
        ),
    },
    { key: 'reason', title: say('reasonShort'), render: (row) => row.reason },
    {
      key: 'state',
      title: say('state'),
      width: 260,
      render: (row) =>
        row.undone_at === null ? (
          <Button
            size="compact-xs"
            variant="default"
            loading={undo.isPending && undo.variables === row.id}
            onClick={() => undo.mutate(row.id)}
          >
            {say('undo')}
          </Button>
        ) : (
          <Text size="sm" c="dimmed">
            {say('undoneBy', {
              at: format.dateTime(row.undone_at),
              who: row.undone_by.replace(/^user:/, ''),
            })}
          </Text>
        ),
    },
  ];
  return (
    <Stack gap="xs">
      <DataTable
        label={say('tab_journal')}
        rows={list.data.pages.flat()}
        columns={columns}
        rowKey={(row) => String(row.id)}
        empty={<Empty>{say('noJournal')}</Empty>}
      />
      {list.hasNextPage ? (
        <Button
          variant="default"
          size="compact-sm"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
          mx="auto"
        >
          {say('more')}
        </Button>
      ) : null}
    </Stack>
  );
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
