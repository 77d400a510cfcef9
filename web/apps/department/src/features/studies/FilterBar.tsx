import {
  ActionIcon,
  Badge,
  Button,
  Group,
  Popover,
  Select,
  SimpleGrid,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { DateField, useMessages } from '@negatoscope/ui';
import { IconAdjustmentsHorizontal, IconSearch, IconX } from '@tabler/icons-react';
import { type ReactNode, type RefObject, useEffect, useState } from 'react';
import { SEARCH_ID } from '../../app/GlobalSearch';
import { type Criteria, isEmpty, NOTHING, SPANS, TEXT_FIELDS } from './criteria';
import { messages } from './messages';

const MODALITIES = ['CT', 'MR', 'US', 'DX', 'CR', 'MG', 'XA', 'RF', 'NM', 'PT', 'ECG', 'SR', 'OT'];
const SETTLE_MS = 180;

/** The box, the dates, the modality; the fields behind a button. */
export function FilterBar(props: {
  readonly criteria: Criteria;
  readonly onChange: (next: Criteria) => void;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  /** The list below takes the keyboard. */
  readonly onLeave: () => void;
  readonly children?: ReactNode;
}): ReactNode {
  const { criteria, onChange } = props;
  const say = useMessages(messages);
  const [text, setText] = useSettled(criteria.text, (next) => onChange({ ...criteria, text: next }));
  const isRange = criteria.last !== '' || /^\d{4}-/.test(criteria.first);
  const [wantsRange, setWantsRange] = useState(false);
  const range = isRange || wantsRange;
  const spans = [say('today'), say('last3d'), say('last7d'), say('last30d'), say('last1y')];
  const fieldCount = Object.values(criteria.fields).filter((value) => value !== '').length;
  const known = [...new Set([...MODALITIES, ...criteria.modality])];
  return (
    <Group gap={6} wrap="wrap" flex={1} miw={0} role="search" aria-label={say('search')}>
      <TextInput
        ref={props.inputRef}
        id={SEARCH_ID}
        type="search"
        autoComplete="off"
        spellCheck={false}
        flex="1 1 200px"
        maw={460}
        aria-label={say('search')}
        placeholder={say('searchHint')}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && text !== '') {
            event.preventDefault();
            setText('');
          } else if (event.key === 'ArrowDown' || event.key === 'Enter' || event.key === 'Escape') {
            event.preventDefault();
            props.onLeave();
          }
        }}
      />
      <Select
        w={150}
        aria-label={say('dates')}
        allowDeselect={false}
        value={range ? 'range' : criteria.first}
        data={[
          { value: '', label: say('anyDate') },
          ...SPANS.map((value, at) => ({ value: value as string, label: spans[at] ?? value })),
          { value: 'range', label: say('between') },
        ]}
        onChange={(value) => {
          setWantsRange(value === 'range');
          onChange({ ...criteria, first: value === 'range' ? '' : (value ?? ''), last: '' });
        }}
      />
      {range ? (
        <>
          <DateField
            w={130}
            aria-label={say('firstDay')}
            value={criteria.first}
            onChange={(first) => onChange({ ...criteria, first })}
          />
          <DateField
            w={130}
            aria-label={say('lastDay')}
            value={criteria.last}
            onChange={(last) => onChange({ ...criteria, last })}
          />
        </>
      ) : null}
      <Select
        w={140}
        aria-label={say('modality')}
        placeholder={say('anyModality')}
        clearable
        searchable
        value={criteria.modality.length === 1 ? (criteria.modality[0] ?? null) : null}
        data={known}
        onChange={(value) => onChange({ ...criteria, modality: value === null ? [] : [value] })}
      />
      <Popover width={460} position="bottom-start" withArrow shadow="md" trapFocus>
        <Popover.Target>
          <Button variant="default" leftSection={<IconAdjustmentsHorizontal size={14} aria-hidden />}>
            {say('filters')}
            {fieldCount === 0 ? null : (
              <Badge ml={6} size="xs" circle>
                {fieldCount}
              </Badge>
            )}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <SimpleGrid cols={2} spacing={8} verticalSpacing={6}>
            {TEXT_FIELDS.map((name) => (
              <Field
                key={name}
                label={say(name)}
                value={criteria.fields[name] ?? ''}
                onChange={(value) => onChange({ ...criteria, fields: { ...criteria.fields, [name]: value } })}
              />
            ))}
          </SimpleGrid>
        </Popover.Dropdown>
      </Popover>
      {isEmpty(criteria) ? null : (
        <Tooltip label={say('clearAll')}>
          <ActionIcon
            aria-label={say('clearAll')}
            onClick={() => {
              setWantsRange(false);
              onChange({ ...NOTHING, order: criteria.order });
            }}
          >
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      {props.children}
    </Group>
  );
}

function Field(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const [text, setText] = useSettled(props.value, props.onChange);
  return (
    <TextInput
      label={props.label}
      value={text}
      maxLength={200}
      autoComplete="off"
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}

/** A text that is told on when typing pauses, and follows what comes from elsewhere. */
function useSettled(value: string, tell: (next: string) => void): readonly [string, (next: string) => void] {
  const [text, setText] = useState(value);
  const [told, setTold] = useState(value);
  if (value !== told) {
    setTold(value);
    if (value !== text.trim()) setText(value);
  }
  useEffect(() => {
    if (text.trim() === told) return;
    const timer = setTimeout(() => {
      setTold(text.trim());
      tell(text.trim());
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  });
  return [text, setText];
}
