import { Button, Group, MultiSelect, TextInput } from '@mantine/core';
import { DateField, useMessages } from '@negatoscope/ui';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { messages, words } from './messages';
import { type AuditSearch, CLASSES, OUTCOMES } from './search';

/** What can be looked for. Choices apply at once, typed text with Enter or when the field is left. */
export function Filters(props: {
  readonly search: AuditSearch;
  readonly onChange: (next: AuditSearch) => void;
  readonly actions?: ReactNode;
}): ReactNode {
  const { search, onChange } = props;
  const say = useMessages(messages);
  const sayWord = useMessages(words);
  const [draft, setDraft] = useState(search);
  useEffect(() => setDraft(search), [search]);

  function apply(next: AuditSearch): void {
    if (JSON.stringify(next) !== JSON.stringify(search)) onChange(next);
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    apply(draft);
  }
  const text = (key: 'text' | 'patient' | 'issuer' | 'user' | 'accession' | 'study', width: number) => (
    <TextInput
      label={say(key)}
      w={width}
      value={draft[key] ?? ''}
      {...(key === 'text' ? { placeholder: say('textHint') } : {})}
      onChange={(event) => setDraft({ ...draft, [key]: event.currentTarget.value || undefined })}
      onBlur={() => apply(draft)}
    />
  );
  const day = (key: 'from' | 'to') => (
    <DateField
      label={say(key)}
      w={130}
      value={draft[key] ?? ''}
      onChange={(picked) => {
        const next = { ...draft, [key]: picked || undefined };
        setDraft(next);
        apply(next);
      }}
    />
  );
  return (
    <form onSubmit={submit} aria-label={say('search')}>
      <Group align="flex-end" gap="xs" mb="sm">
        {text('text', 190)}
        {text('patient', 160)}
        {text('user', 170)}
        {day('from')}
        {day('to')}
        <MultiSelect
          label={say('classes')}
          w={210}
          clearable
          placeholder={search.classes === undefined ? say('any') : ''}
          data={CLASSES.map((value) => ({ value, label: sayWord(value) }))}
          value={[...(search.classes ?? [])]}
          onChange={(value) =>
            apply({
              ...draft,
              classes: value.length === 0 ? undefined : CLASSES.filter((one) => value.includes(one)),
            })
          }
        />
        <MultiSelect
          label={say('outcomes')}
          w={170}
          clearable
          placeholder={search.outcomes === undefined ? say('any') : ''}
          data={OUTCOMES.map((value) => ({ value, label: sayWord(value) }))}
          value={[...(search.outcomes ?? [])]}
          onChange={(value) =>
            apply({
              ...draft,
              outcomes: value.length === 0 ? undefined : OUTCOMES.filter((one) => value.includes(one)),
            })
          }
        />
        {text('accession', 160)}
        {text('study', 200)}
        <Button type="submit" variant="default">
          {say('search')}
        </Button>
        <Button variant="subtle" onClick={() => apply({ tab: search.tab })}>
          {say('clear')}
        </Button>
        {props.actions}
      </Group>
    </form>
  );
}
