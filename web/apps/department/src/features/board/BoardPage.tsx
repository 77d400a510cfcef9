import { ActionIcon, Alert, Badge, Button, Group, SegmentedControl, Text, Tooltip } from '@mantine/core';
import type { BoardRow } from '@negatoscope/api-client';
import { type Action, Empty, Failure, Loading, useActions, useMessages } from '@negatoscope/ui';
import {
  IconDeviceTv,
  IconLayoutList,
  IconLayoutRows,
  IconPlugConnectedX,
  IconUrgent,
} from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useRef, useState } from 'react';
import { useMay } from '../session/session';
import { SavedFilters } from '../studies/SavedFilters';
import classes from './BoardPage.module.css';
import { BoardTable, type RowAction } from './BoardTable';
import {
  type Criteria,
  isFiltered,
  NOTHING,
  readCriteria,
  STATES,
  type View,
  writeCriteria,
} from './criteria';
import { FilterBar } from './FilterBar';
import { messages } from './messages';
import { Unordered } from './Unordered';
import { UrgentDialog } from './UrgentDialog';
import { useBoard } from './useBoard';
import { useCriteria } from './useCriteria';
import { useRowActions } from './useRowActions';
import { WaitingRoom } from './WaitingRoom';

/** The department's day, as it goes on. */
export function BoardPage(): ReactNode {
  const say = useMessages(messages);
  const router = useRouter();
  const mayPerform = useMay('perform');
  const mayOrder = useMay('order');
  const [criteria, setCriteria] = useCriteria();
  const board = useBoard(criteria);
  const [active, setActive] = useState<number | null>(null);
  const [isUrgent, setUrgent] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const { day } = board;
  const rows = useMemo(() => {
    const all = day?.rows ?? [];
    return criteria.state.length === 0
      ? all
      : all.filter((row) => criteria.state.some((state) => state === row.state));
  }, [day, criteria.state]);
  const timeZone = day?.time_zone ?? 'UTC';
  const today = useToday(timeZone, board.now);

  const focus = useCallback(() => {
    setUrgent(false);
    setTimeout(() => scroll.current?.focus({ preventScroll: true }), 0);
  }, []);
  const actions = useRowActions({ reread: board.reread, onClosed: focus });
  const onAction = (row: BoardRow, action: RowAction): void => {
    setActive(row.step);
    actions.onAction(row, action);
  };

  const wall = useCallback(
    () => void router.navigate({ href: `/board/wall?${writeCriteria({ ...criteria, day: '', text: '' })}` }),
    [criteria, router],
  );
  useActions(
    useMemo<readonly Action[]>(
      () => [
        {
          id: 'board.wall',
          label: { en: 'Wall display', fr: 'Écran mural' },
          group: { en: 'Board', fr: 'Tableau' },
          perform: wall,
        },
        {
          id: 'board.urgent',
          label: { en: 'Add an urgent examination', fr: 'Ajouter un examen urgent' },
          group: { en: 'Board', fr: 'Tableau' },
          isEnabled: mayPerform && mayOrder,
          perform: () => setUrgent(true),
        },
      ],
      [wall, mayPerform, mayOrder],
    ),
  );

  return (
    <div className={classes['page'] ?? ''}>
      <h1 className="n-visually-hidden" hidden>
        {say('title')}
      </h1>
      <Group gap={6} justify="space-between" wrap="nowrap" align="flex-start">
        <FilterBar
          criteria={criteria}
          onChange={setCriteria}
          today={today}
          inputRef={input}
          onLeave={() => scroll.current?.focus()}
        />
        <Group gap={6} wrap="nowrap">
          <SavedFilters
            preference="board.profiles"
            query={writeCriteria({ ...criteria, day: '' })}
            labels={{
              title: say('profiles'),
              none: say('profilesNone'),
              name: say('profileName'),
              save: say('save'),
              remove: (name) => say('remove', { name }),
            }}
            onChoose={(query) => setCriteria({ ...readCriteria(query), day: criteria.day })}
          />
          <Tooltip label={say(criteria.isGrouped ? 'flat' : 'grouped')}>
            <ActionIcon
              variant="default"
              size={30}
              aria-label={say('grouped')}
              aria-pressed={criteria.isGrouped}
              onClick={() => setCriteria({ ...criteria, isGrouped: !criteria.isGrouped })}
            >
              {criteria.isGrouped ? <IconLayoutList size={16} /> : <IconLayoutRows size={16} />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label={say('wall')}>
            <ActionIcon variant="default" size={30} aria-label={say('wall')} onClick={wall}>
              <IconDeviceTv size={16} />
            </ActionIcon>
          </Tooltip>
          {mayPerform && mayOrder ? (
            <Button
              color="red"
              variant="light"
              leftSection={<IconUrgent size={14} aria-hidden />}
              onClick={() => setUrgent(true)}
            >
              {say('addUrgent')}
            </Button>
          ) : null}
        </Group>
      </Group>
      <div className={classes['status'] ?? ''}>
        <SegmentedControl
          size="xs"
          aria-label={say('title')}
          value={criteria.view}
          onChange={(view) => setCriteria({ ...criteria, view: view as View })}
          data={[
            { value: 'table', label: say('viewTable') },
            { value: 'waiting', label: say('viewWaiting') },
          ]}
        />
        <Text size="sm" c="dimmed" role="status">
          {day === undefined ? '' : say('count', { count: rows.length })}
        </Text>
        <Tally rows={day?.rows ?? []} criteria={criteria} onChange={setCriteria} />
        {board.isLive || day === undefined ? null : (
          <Badge
            variant="light"
            color="orange"
            tt="none"
            leftSection={<IconPlugConnectedX size={12} aria-hidden />}
            role="status"
          >
            {say('reconnecting')}
          </Badge>
        )}
      </div>
      <Unordered studies={day?.unordered ?? []} />
      {day?.is_cut === true ? <Alert color="orange">{say('cut')}</Alert> : null}
      <div className={`${classes['list'] ?? ''} ${board.isStale ? (classes['stale'] ?? '') : ''}`}>
        {board.error !== null && day === undefined ? (
          <Failure error={board.error} onRetry={board.reload} />
        ) : day === undefined ? (
          <Loading />
        ) : criteria.view === 'waiting' ? (
          <WaitingRoom
            rows={rows}
            now={board.now}
            timeZone={timeZone}
            fresh={board.fresh}
            mayPerform={mayPerform}
            onAction={onAction}
          />
        ) : rows.length === 0 ? (
          <Nothing criteria={criteria} onChange={setCriteria} />
        ) : (
          <BoardTable
            rows={rows}
            isGrouped={criteria.isGrouped}
            timeZone={timeZone}
            now={board.now}
            fresh={board.fresh}
            active={active}
            onActive={setActive}
            mayPerform={mayPerform}
            onAction={onAction}
            onEscape={() => input.current?.focus()}
            scrollRef={scroll}
          />
        )}
      </div>
      {actions.dialogs}
      {isUrgent ? (
        <UrgentDialog
          onClose={focus}
          onAdded={(step) => {
            setActive(step);
            focus();
          }}
        />
      ) : null}
    </div>
  );
}

/** How many are in each state; what is pressed is shown. */
function Tally(props: {
  readonly rows: readonly BoardRow[];
  readonly criteria: Criteria;
  readonly onChange: (next: Criteria) => void;
}): ReactNode {
  const say = useMessages(messages);
  const { criteria } = props;
  return (
    <Group gap={4}>
      {STATES.map((state) => {
        const count = props.rows.filter((row) => row.state === state).length;
        const isChosen = criteria.state.includes(state);
        if (count === 0 && !isChosen && state !== 'CANCELED') return null;
        return (
          <Button
            key={state}
            size="compact-xs"
            variant={isChosen ? 'filled' : 'default'}
            aria-pressed={isChosen}
            onClick={() =>
              props.onChange({
                ...criteria,
                state: isChosen ? criteria.state.filter((one) => one !== state) : [...criteria.state, state],
              })
            }
          >
            {say(state)} {state === 'CANCELED' && !isChosen ? '' : count}
          </Button>
        );
      })}
    </Group>
  );
}

function Nothing(props: {
  readonly criteria: Criteria;
  readonly onChange: (next: Criteria) => void;
}): ReactNode {
  const say = useMessages(messages);
  if (!isFiltered(props.criteria)) return <Empty title={say('none')}>{say('noneHint')}</Empty>;
  return (
    <Empty
      title={say('noneFiltered')}
      action={
        <Button
          variant="default"
          mt={6}
          onClick={() => props.onChange({ ...NOTHING, day: props.criteria.day })}
        >
          {say('clear')}
        </Button>
      }
    />
  );
}

/** The department's date, `YYYY-MM-DD`. */
function useToday(timeZone: string, now: number): string {
  return useMemo(() => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(now), [timeZone, now]);
}
