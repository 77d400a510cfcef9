import { ActionIcon, Button, Group, Text, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { call, type ListedStudy, type Studies } from '@negatoscope/api-client';
import {
  type Action,
  Empty,
  Failure,
  Loading,
  useActions,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import {
  IconFileSpreadsheet,
  IconLayoutSidebarRightCollapse,
  IconLayoutSidebarRightExpand,
  IconRefresh,
} from '@tabler/icons-react';
import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useMay } from '../session/session';
import { prefetchViewer } from '../viewer/routes';
import { useArrivals } from './arrivals';
import { ColumnMenu } from './ColumnMenu';
import { readChoice, shownColumns } from './columns';
import { type Criteria, isEmpty, NOTHING, queryOf, readCriteria, writeCriteria } from './criteria';
import { csvOf, saveText } from './csv';
import { FilterBar } from './FilterBar';
import { messages } from './messages';
import { MOST_COMPARED, MOST_DOWNLOADED, useOpening } from './opening';
import { PreviewPanel } from './PreviewPanel';
import { usePreference } from './preference';
import { SavedFilters } from './SavedFilters';
import classes from './StudiesPage.module.css';
import { StudyTable } from './StudyTable';

const PAGE = 100;
const EXPORT_PAGE = 500;
const EXPORT_MOST = 5000;
const FRESH_MS = 6000;
const KEPT = 'negatoscope.studies.search';

/** The list of studies: the first page of the application. */
export function StudiesPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const opening = useOpening();
  const mayRetrieve = useMay('retrieve');
  const mayStore = useMay('store');
  const [criteria, setCriteria] = useCriteria();
  const [choice, setChoice] = usePreference('studies.columns', readChoice);
  const [hasPreview, setPreview] = useLocalStorage({
    key: 'negatoscope.studies.preview',
    defaultValue: true,
  });
  const [active, setActive] = useState(-1);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [isExporting, setExporting] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const scroll = useRef<HTMLDivElement>(null);

  const query = useMemo(() => queryOf(criteria), [criteria]);
  const key = useMemo(() => ['studies', query] as const, [query]);
  const list = useInfiniteQuery({
    queryKey: key,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/studies', { query: { ...query, limit: PAGE, cursor: pageParam }, signal }),
    getNextPageParam: (page: Studies) => page.next_cursor,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const studies = useMemo(() => {
    const seen = new Set<string>();
    return (list.data?.pages.flatMap((page) => page.studies) ?? []).filter(
      (one) => !seen.has(one.study_instance_uid) && seen.add(one.study_instance_uid),
    );
  }, [list.data]);
  const study = studies[active];

  const lastKey = useRef('');
  if (!list.isPlaceholderData) lastKey.current = JSON.stringify(query);
  const listKey = lastKey.current;

  // Other criteria, another list: nothing is chosen in it, and it begins at its top.
  const shownKey = useRef(key);
  useEffect(() => {
    if (shownKey.current === key) return;
    shownKey.current = key;
    setActive(-1);
    setArrived(new Set());
    if (scroll.current !== null) scroll.current.scrollTop = 0;
  }, [key]);

  useEffect(() => {
    if (study !== undefined && mayRetrieve) prefetchViewer();
  }, [study, mayRetrieve]);

  const refresh = useCallback(async () => {
    const uid = study?.study_instance_uid;
    const news = arrived;
    setArrived(new Set());
    client.setQueryData<InfiniteData<Studies, string | null>>(key, (data) =>
      data === undefined ? data : { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    const { data } = await list.refetch();
    const rows = data?.pages.flatMap((page) => page.studies) ?? [];
    setActive(uid === undefined ? -1 : rows.findIndex((one) => one.study_instance_uid === uid));
    setFresh(news);
    setTimeout(() => setFresh(new Set()), FRESH_MS);
  }, [arrived, client, key, list.refetch, study]);

  const isAtRest = active < 0 && selected.size === 0 && (scroll.current?.scrollTop ?? 0) < 5;
  useEffect(() => {
    // Nobody is in the middle of the list: it may take in what is new by itself.
    if (arrived.size === 0 || !isAtRest || list.isFetching) return;
    const timer = setTimeout(() => void refresh(), 800);
    return () => clearTimeout(timer);
  }, [arrived, isAtRest, list.isFetching, refresh]);

  useArrivals({
    onArrivals(changed) {
      const known = new Map(studies.map((one) => [one.study_instance_uid, one]));
      const news = changed.filter((one) => !known.has(one.study_instance_uid));
      if (news.length > 0)
        setArrived((before) => new Set([...before, ...news.map((one) => one.study_instance_uid)]));
      for (const one of changed) if (known.has(one.study_instance_uid)) void recount(one.study_instance_uid);
    },
    onMissed: () => void client.invalidateQueries({ queryKey: ['studies'] }),
  });

  /** A study of the list got more images: its row is read again, and stays where it is. */
  async function recount(uid: string): Promise<void> {
    try {
      const { summary } = await call('GET /api/v1/studies/{study_instance_uid}', {
        path: { study_instance_uid: uid },
      });
      const { series_count, instance_count, byte_count, modalities_in_study } = summary;
      client.setQueryData<InfiniteData<Studies, string | null>>(key, (data) =>
        data === undefined
          ? data
          : {
              ...data,
              pages: data.pages.map((page) => ({
                ...page,
                studies: page.studies.map((row) =>
                  row.study_instance_uid === uid
                    ? { ...row, series_count, instance_count, byte_count, modalities_in_study }
                    : row,
                ),
              })),
            },
      );
      void client.invalidateQueries({ queryKey: ['study', uid] });
    } catch {
      // It may not be seen any more; the next reading of the list tells.
    }
  }

  async function exportCsv(): Promise<void> {
    setExporting(true);
    try {
      const rows: ListedStudy[] = [];
      let cursor: string | null = null;
      do {
        const page: Studies = await call('GET /api/v1/studies', {
          query: { ...query, limit: EXPORT_PAGE, cursor },
        });
        rows.push(...page.studies);
        cursor = page.next_cursor;
      } while (cursor !== null && rows.length < EXPORT_MOST);
      const columns = shownColumns(choice);
      const csv = csvOf(
        columns.map((column) => say(column.key)),
        rows.map((row) => columns.map((column) => column.text(row, format, say))),
        format.locale.startsWith('fr') ? ';' : ',',
      );
      saveText(csv, `studies-${new Date().toISOString().slice(0, 10)}.csv`, 'text/csv;charset=utf-8');
      notify.done(say(cursor === null ? 'exported' : 'exportCut', { count: rows.length }));
    } catch (error) {
      notify.failed(error);
    } finally {
      setExporting(false);
    }
  }

  const open = useCallback(
    (one: ListedStudy) => {
      if (mayRetrieve) opening.images([one.study_instance_uid]);
      else opening.patient(one.patient_key);
    },
    [opening, mayRetrieve],
  );
  const leave = useCallback(() => {
    if (selected.size > 0) setSelected(new Set());
    else if (!isEmpty(criteria)) setCriteria({ ...NOTHING, order: criteria.order });
    else input.current?.focus();
  }, [selected, criteria, setCriteria]);
  const { fetchNextPage, isFetchingNextPage, isPlaceholderData } = list;
  const more = useCallback(() => {
    if (!isFetchingNextPage && !isPlaceholderData) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage, isPlaceholderData]);

  useActions(
    useMemo<readonly Action[]>(
      () => [
        {
          id: 'studies.clear',
          label: { en: 'Clear search and filters', fr: 'Effacer la recherche et les filtres' },
          group: { en: 'Studies', fr: 'Examens' },
          perform: leave,
        },
      ],
      [leave],
    ),
  );

  const uids = [...selected];
  return (
    <div className={classes['page'] ?? ''}>
      <h1 className="n-visually-hidden" hidden>
        {say('title')}
      </h1>
      <Group gap={6} justify="space-between" wrap="nowrap" align="flex-start">
        <FilterBar
          criteria={criteria}
          onChange={setCriteria}
          inputRef={input}
          onLeave={() => scroll.current?.focus()}
        />
        <Group gap={6} wrap="nowrap">
          <SavedFilters
            preference="studies.filters"
            query={writeCriteria(criteria)}
            labels={{
              title: say('saved'),
              none: say('savedNone'),
              name: say('saveName'),
              save: say('save'),
              remove: (name) => say('remove', { name }),
            }}
            onChoose={(query) => setCriteria(readCriteria(query))}
          />
          <ColumnMenu choice={choice} onChange={setChoice} />
          <Tooltip label={say('export')}>
            <ActionIcon
              variant="default"
              size={30}
              aria-label={say('export')}
              loading={isExporting}
              disabled={studies.length === 0}
              onClick={() => void exportCsv()}
            >
              <IconFileSpreadsheet size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={say(hasPreview ? 'hidePreview' : 'showPreview')}>
            <ActionIcon
              variant="default"
              size={30}
              aria-label={say(hasPreview ? 'hidePreview' : 'showPreview')}
              onClick={() => setPreview(!hasPreview)}
            >
              {hasPreview ? (
                <IconLayoutSidebarRightCollapse size={16} />
              ) : (
                <IconLayoutSidebarRightExpand size={16} />
              )}
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <div className={classes['status'] ?? ''}>
        <Text size="sm" c="dimmed" role="status">
          {totalOf(list.data?.pages[0], say)}
        </Text>
        {arrived.size > 0 ? (
          <Button
            size="compact-xs"
            variant="light"
            leftSection={<IconRefresh size={12} aria-hidden />}
            onClick={() => void refresh()}
          >
            {say('arrived', { count: arrived.size })}
          </Button>
        ) : null}
        {selected.size > 0 ? (
          <Group gap={6}>
            <Text size="sm" fw={600}>
              {say('selected', { count: selected.size })}
            </Text>
            {mayRetrieve ? (
              <>
                <Button size="compact-xs" onClick={() => opening.images(uids.slice(0, MOST_COMPARED))}>
                  {say(selected.size > 1 ? 'compare' : 'open')}
                </Button>
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={uids.length > MOST_DOWNLOADED}
                  onClick={() => opening.download(uids)}
                >
                  {say('download')}
                </Button>
              </>
            ) : null}
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setSelected(new Set())}>
              {say('unselect')}
            </Button>
          </Group>
        ) : null}
      </div>
      <div className={classes['below'] ?? ''}>
        <div className={`${classes['list'] ?? ''} ${list.isPlaceholderData ? (classes['stale'] ?? '') : ''}`}>
          {list.isError && studies.length === 0 ? (
            <Failure error={list.error} onRetry={() => void list.refetch()} />
          ) : list.isPending ? (
            <Loading />
          ) : studies.length === 0 ? (
            <Nothing criteria={criteria} mayStore={mayStore} onClear={() => setCriteria(NOTHING)} />
          ) : (
            <StudyTable
              studies={studies}
              choice={choice}
              onChoice={setChoice}
              order={criteria.order}
              onOrder={(order) => setCriteria({ ...criteria, order })}
              active={active}
              onActive={setActive}
              selected={selected}
              onSelected={setSelected}
              onOpen={open}
              onPatient={(one) => opening.patient(one.patient_key)}
              onEscape={leave}
              hasMore={list.hasNextPage}
              onMore={more}
              fresh={fresh}
              listKey={listKey}
              scrollRef={scroll}
            />
          )}
        </div>
        {hasPreview && studies.length > 0 ? <PreviewPanel study={study} /> : null}
      </div>
    </div>
  );
}

function Nothing(props: {
  readonly criteria: Criteria;
  readonly mayStore: boolean;
  readonly onClear: () => void;
}): ReactNode {
  const say = useMessages(messages);
  if (!isEmpty(props.criteria))
    return (
      <Empty
        title={say('none')}
        action={
          <Button variant="default" mt={6} onClick={props.onClear}>
            {say('clearAll')}
          </Button>
        }
      >
        {say('noneHint')}
      </Empty>
    );
  return (
    <Empty
      title={say('noneAtAll')}
      action={
        props.mayStore ? (
          <Button mt={6} renderRoot={(rest) => <Link {...rest} to="/upload" />}>
            {say('upload')}
          </Button>
        ) : null
      }
    >
      {say('noneAtAllHint')}
    </Empty>
  );
}

function totalOf(
  page: Studies | undefined,
  say: ReturnType<typeof useMessages<(typeof messages)['en']>>,
): string {
  if (page === undefined || page.total === null) return '';
  if (page.total_is === 'about') return say('totalAbout', { count: page.total });
  if (page.total_is === 'at least') return say('totalAtLeast', { count: page.total });
  return say('totalExact', { count: page.total });
}

/** The criteria, in the address; those of the last visit where the address has none. */
function useCriteria(): readonly [Criteria, (next: Criteria) => void] {
  const router = useRouter();
  const query = useRouterState({ select: ({ location }) => location.searchStr });
  const criteria = useMemo(() => readCriteria(query), [query]);
  const change = useCallback(
    (next: Criteria) => {
      const text = writeCriteria(next);
      sessionStorage.setItem(KEPT, text);
      void router.navigate({ href: text === '' ? '/studies' : `/studies?${text}`, replace: true });
    },
    [router],
  );
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    if (query !== '') {
      sessionStorage.setItem(KEPT, writeCriteria(readCriteria(query)));
      return;
    }
    const kept = sessionStorage.getItem(KEPT) ?? '';
    if (kept !== '') void router.navigate({ href: `/studies?${kept}`, replace: true });
  }, [query, router]);
  return [criteria, change];
}
