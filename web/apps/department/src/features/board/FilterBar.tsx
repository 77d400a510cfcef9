import { ActionIcon, Button, Group, MultiSelect, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { call } from '@negatoscope/api-client';
import { DateField, useMessages } from '@negatoscope/ui';
import { IconChevronLeft, IconChevronRight, IconSearch, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, type RefObject, useEffect, useState } from 'react';
import { type Criteria, isFiltered, NOTHING, PRIORITIES, type Priority } from './criteria';
import { messages } from './messages';

const SETTLE_MS = 200;

/** The day, the box, room, modality and priority; states stand below, with their counts. */
export function FilterBar(props: {
  readonly criteria: Criteria;
  readonly onChange: (next: Criteria) => void;
  /** The department's today. */
  readonly today: string;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  readonly onLeave: () => void;
}): ReactNode {
  const { criteria, onChange, today } = props;
  const say = useMessages(messages);
  const places = useQuery({
    queryKey: ['board-places'],
    queryFn: ({ signal }) => call('GET /api/v1/board/places', { signal }),
    staleTime: 60_000,
  });
  const [text, setText] = useState(criteria.text);
  useEffect(() => setText(criteria.text), [criteria.text]);
  const settle = useDebouncedCallback((next: string) => onChange({ ...criteria, text: next }), SETTLE_MS);
  const rooms = (places.data ?? []).filter((one) => one.kind === 'ROOM');
  const modalities = [
    ...new Set([
      ...(places.data ?? []).map((one) => one.modality).filter((one) => one !== ''),
      ...criteria.modality,
    ]),
  ].sort();
  const day = criteria.day === '' ? today : criteria.day;

  function move(days: number): void {
    const date = new Date(`${day}T12:00:00Z`);
    date.setUTCDate(date.getUTCDate() + days);
    const next = date.toISOString().slice(0, 10);
    onChange({ ...criteria, day: next === today ? '' : next });
  }

  return (
    <Group gap={6} wrap="wrap" flex={1} miw={0} role="search" aria-label={say('search')}>
      <Group gap={2} wrap="nowrap">
        <Tooltip label={say('previousDay')}>
          <ActionIcon variant="default" size={30} aria-label={say('previousDay')} onClick={() => move(-1)}>
            <IconChevronLeft size={16} />
          </ActionIcon>
        </Tooltip>
        <DateField
          required
          w={118}
          aria-label={say('day')}
          value={day}
          onChange={(next) => {
            if (next !== '') onChange({ ...criteria, day: next === today ? '' : next });
          }}
        />
        <Tooltip label={say('nextDay')}>
          <ActionIcon variant="default" size={30} aria-label={say('nextDay')} onClick={() => move(1)}>
            <IconChevronRight size={16} />
          </ActionIcon>
        </Tooltip>
        {day === today ? null : (
          <Button variant="light" onClick={() => onChange({ ...criteria, day: '' })}>
            {say('today')}
          </Button>
        )}
      </Group>
      <TextInput
        ref={props.inputRef}
        type="search"
        autoComplete="off"
        spellCheck={false}
        flex="1 1 130px"
        maw={320}
        aria-label={say('search')}
        placeholder={say('searchHint')}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.currentTarget.value);
          settle(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && text !== '') {
            event.preventDefault();
            setText('');
            onChange({ ...criteria, text: '' });
          } else if (event.key === 'ArrowDown' || event.key === 'Enter' || event.key === 'Escape') {
            event.preventDefault();
            props.onLeave();
          }
        }}
      />
      <Several
        label={say('anyRoom')}
        data={rooms.map((one) => ({ value: String(one.id), label: one.name }))}
        value={criteria.room.map(String)}
        onChange={(value) => onChange({ ...criteria, room: value.map(Number) })}
      />
      <Several
        label={say('anyModality')}
        data={modalities}
        value={criteria.modality}
        onChange={(value) => onChange({ ...criteria, modality: value })}
      />
      <Several
        label={say('anyPriority')}
        data={PRIORITIES.map((priority) => ({ value: priority, label: say(priority) }))}
        value={criteria.priority}
        onChange={(value) => onChange({ ...criteria, priority: value as Priority[] })}
      />
      <UnitBox value={criteria.unit} onChange={(unit) => onChange({ ...criteria, unit })} />
      {isFiltered(criteria) ? (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconX size={14} aria-hidden />}
          onClick={() =>
            onChange({
              ...NOTHING,
              day: criteria.day,
              isGrouped: criteria.isGrouped,
              view: criteria.view,
            })
          }
        >
          {say('clear')}
        </Button>
      ) : null}
    </Group>
  );
}

function UnitBox(props: { readonly value: string; readonly onChange: (unit: string) => void }): ReactNode {
  const say = useMessages(messages);
  const [unit, setUnit] = useState(props.value);
  useEffect(() => setUnit(props.value), [props.value]);
  const settle = useDebouncedCallback(props.onChange, SETTLE_MS * 2);
  return (
    <TextInput
      w={76}
      aria-label={say('unit')}
      placeholder={say('unit')}
      value={unit}
      maxLength={64}
      onChange={(event) => {
        setUnit(event.currentTarget.value);
        settle(event.currentTarget.value);
      }}
    />
  );
}

function Several(props: {
  readonly label: string;
  readonly data: readonly (string | { readonly value: string; readonly label: string })[];
  readonly value: readonly string[];
  readonly onChange: (value: string[]) => void;
}): ReactNode {
  return (
    <MultiSelect
      w={props.value.length === 0 ? 98 : 'auto'}
      maw={260}
      miw={98}
      aria-label={props.label}
      {...(props.value.length === 0 ? { placeholder: props.label } : {})}
      data={[...props.data]}
      value={[...props.value]}
      onChange={props.onChange}
      searchable={props.data.length > 8}
      clearable={props.value.length > 0}
      comboboxProps={{ width: 200, position: 'bottom-start' }}
    />
  );
}
