import { Grid, Select, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type CodeSchema, call } from '@negatoscope/api-client';
import { useMessages } from '@negatoscope/ui';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, type Ref, useState } from 'react';
import { messages } from './messages';
import { codeName, codesOf, type Protocol } from './protocol';
import { MODALITIES } from './search';

const QUIET_MS = 200;
const MAX_CODES = 20;

/** Protocol codes, contrast agent, modality, room and instructions of a procedure. */
export function ProtocolFields(props: {
  readonly value: Protocol;
  readonly onChange: (next: Protocol) => void;
  /** Row of the catalogue; its protocols are offered first. */
  readonly catalogue: number | null;
  readonly onSend: () => void;
  /** Modality is what is asked for; false: it is another procedure's. */
  readonly hasModality?: boolean;
  readonly codesRef?: Ref<HTMLInputElement>;
}): ReactNode {
  const { value, catalogue, hasModality = true } = props;
  const say = useMessages(messages);
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const own = useQuery({
    queryKey: ['catalogue', 'entry', catalogue],
    queryFn: ({ signal }) =>
      call('GET /api/v1/catalogue/{number}', { path: { number: catalogue ?? 0 }, signal }),
    enabled: catalogue !== null,
    staleTime: 60_000,
  });
  const others = useQuery({
    queryKey: ['catalogue', 'protocols', wanted],
    queryFn: ({ signal }) =>
      call('GET /api/v1/catalogue/protocols', { query: { text: wanted, limit: 60 }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const rooms = useQuery({
    queryKey: ['resources', 'rooms', 'active'],
    queryFn: ({ signal }) =>
      call('GET /api/v1/resources', { query: { kind: 'ROOM', is_active: true }, signal }),
    staleTime: 60_000,
  });
  const first: readonly CodeSchema[] = own.data?.protocols ?? [];
  const found = [...(others.data ?? [])].sort(
    (a, b) => Number(b.modalities.includes(value.modality)) - Number(a.modalities.includes(value.modality)),
  );
  const known = [...value.codes, ...first, ...found];
  const names = (codes: readonly CodeSchema[], except: readonly string[]) => [
    ...new Set(codes.map(codeName).filter((name) => !except.includes(name))),
  ];
  const ofProcedure = names(first, []);
  const set = (more: Partial<Protocol>) => props.onChange({ ...value, ...more });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      props.onSend();
    } else if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
  };
  return (
    <Grid gap="sm" onKeyDown={onKeyDown}>
      <Grid.Col span={12}>
        <TagsInput
          {...(props.codesRef === undefined ? {} : { ref: props.codesRef })}
          label={say('protocolCodes')}
          description={say('protocolCodesHint')}
          placeholder={value.codes.length === 0 ? say('protocolCodesNone') : undefined}
          data={[
            { group: say('protocolsOfProcedure'), items: ofProcedure },
            { group: say('protocolsOthers'), items: names(found, ofProcedure) },
          ].filter((one) => one.items.length > 0)}
          filter={({ options, search }) => {
            const words = plain(search).split(/\s+/).filter(Boolean);
            const fits = (label: string) => words.every((word) => plain(label).includes(word));
            return options
              .map((one) =>
                'group' in one ? { ...one, items: one.items.filter((item) => fits(item.label)) } : one,
              )
              .filter((one) => !('group' in one) || one.items.length > 0);
          }}
          maxTags={MAX_CODES}
          maxDropdownHeight={280}
          splitChars={[]}
          value={value.codes.map(codeName)}
          searchValue={text}
          onSearchChange={(next) => setText(next.slice(0, 64))}
          onChange={(next) => set({ codes: codesOf(next, known) })}
          clearable={false}
        />
      </Grid.Col>
      <Grid.Col span={hasModality ? { base: 12, sm: 5 } : { base: 12, sm: 6 }}>
        <TextInput
          label={say('contrastAgent')}
          maxLength={64}
          value={value.agent}
          onChange={(event) => set({ agent: event.currentTarget.value })}
        />
      </Grid.Col>
      {hasModality ? (
        <Grid.Col span={{ base: 5, sm: 2 }}>
          <Select
            label={say('modality')}
            searchable
            data={[...new Set([...MODALITIES, value.modality])].filter(Boolean)}
            value={value.modality === '' ? null : value.modality}
            onChange={(next) => set({ modality: next ?? value.modality })}
            allowDeselect={false}
          />
        </Grid.Col>
      ) : null}
      <Grid.Col span={hasModality ? { base: 7, sm: 5 } : { base: 12, sm: 6 }}>
        <Select
          label={say('wishedRoom')}
          placeholder={say('anyRoom')}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': say('anyRoom') }}
          data={(rooms.data ?? []).map((one) => ({ value: String(one.id), label: one.name }))}
          value={value.room === 0 ? null : String(value.room)}
          onChange={(next) => set({ room: Number(next ?? 0) })}
        />
      </Grid.Col>
      <Grid.Col span={12}>
        <Textarea
          label={say('protocol')}
          placeholder={say('protocolHint')}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={4000}
          value={value.text}
          onChange={(event) => set({ text: event.currentTarget.value })}
        />
      </Grid.Col>
    </Grid>
  );
}

function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
