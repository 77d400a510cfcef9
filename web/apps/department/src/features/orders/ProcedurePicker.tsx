import { Combobox, Group, Loader, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type CatalogueProcedure, call } from '@negatoscope/api-client';
import { Failure, useLanguage, useMessages } from '@negatoscope/ui';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { messages } from './messages';

const QUIET_MS = 200;
const SHOWN = 12;
const WORDS = 'words';

/** What was chosen: of the catalogue, or words. */
export type Chosen =
  | { readonly entry: CatalogueProcedure }
  | { readonly words: string; readonly modality: string };

/** As the server takes it. */
export function sentProcedure(chosen: Chosen) {
  return 'words' in chosen
    ? { description: chosen.words, modality: chosen.modality }
    : { catalogue: chosen.entry.id };
}

/** What a chosen procedure is called. */
export function chosenName(chosen: Chosen, language: 'en' | 'fr'): string {
  if ('words' in chosen) return chosen.words;
  const { label_en, label_fr } = chosen.entry;
  return language === 'en' ? label_en || label_fr : label_fr;
}

/** A procedure of the catalogue, found as one types. */
export function ProcedurePicker(props: {
  readonly label: string;
  readonly onPick: (chosen: Chosen) => void;
  readonly error?: ReactNode;
  readonly autoFocus?: boolean;
  /** Words that the catalogue has not may be asked for too. */
  readonly takesWords?: boolean;
}): ReactNode {
  const say = useMessages(messages);
  const { language } = useLanguage();
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const found = useQuery({
    queryKey: ['catalogue', 'picker', wanted],
    queryFn: ({ signal }) =>
      call('GET /api/v1/catalogue', { query: { text: wanted, is_active: true, limit: SHOWN }, signal }),
    enabled: wanted.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const rows = text.trim().length < 2 ? [] : (found.data ?? []);
  const isWaiting = text.trim().length >= 2 && (found.isFetching || wanted !== text.trim());

  const isReady = text.trim().length >= 2 && !isWaiting;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was found is ready to be chosen by Enter
  useEffect(() => {
    if (isReady) combobox.selectFirstOption();
  }, [isReady, found.data]);

  function pick(chosen: Chosen): void {
    setText('');
    combobox.closeDropdown();
    props.onPick(chosen);
  }

  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(value) => {
        if (value === WORDS) return pick({ words: text.trim().slice(0, 64), modality: '' });
        const entry = rows.find((one) => String(one.id) === value);
        if (entry !== undefined) pick({ entry });
      }}
    >
      <Combobox.Target>
        <TextInput
          label={props.label}
          placeholder={say('procedureHint')}
          leftSection={<IconSearch size={15} aria-hidden />}
          rightSection={isWaiting ? <Loader size="xs" /> : null}
          value={text}
          error={props.error}
          maxLength={200}
          autoComplete="off"
          autoFocus={props.autoFocus === true}
          data-autofocus={props.autoFocus === true ? true : undefined}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.openDropdown();
            combobox.resetSelectedOption();
          }}
          onKeyDown={(event) => {
            // Enter chooses; before anything was found it does nothing, also not to the form around.
            if (event.key === 'Enter') event.preventDefault();
          }}
          onFocus={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={text.trim().length < 2}>
        <Combobox.Options aria-label={props.label} mah={320} style={{ overflowY: 'auto' }}>
          {found.isError ? <Failure error={found.error} /> : null}
          {rows.map((one) => (
            <Combobox.Option key={one.id} value={String(one.id)}>
              <Group gap="xs" wrap="nowrap" justify="space-between">
                <Text size="sm" truncate>
                  {chosenName({ entry: one }, language)}
                </Text>
                <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                  {[one.modality, one.code_value, say('minutes', { count: one.duration_min ?? 0 })].join(
                    ' · ',
                  )}
                </Text>
              </Group>
            </Combobox.Option>
          ))}
          {rows.length === 0 && !isWaiting ? <Combobox.Empty>{say('noProcedure')}</Combobox.Empty> : null}
          {props.takesWords === true && text.trim().length >= 2 && !isWaiting ? (
            <Combobox.Option value={WORDS}>
              <Text size="sm" c="dimmed">
                {say('asTyped', { text: text.trim() })}
              </Text>
            </Combobox.Option>
          ) : null}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
