import { Box, Button, Combobox, Group, Loader, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type RegisteredPatient } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { IconSearch, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useMay } from '../session/session';
import { messages } from './messages';
import { NewPatientDialog } from './NewPatientDialog';
import { PatientLine } from './PatientLine';

const QUIET_MS = 180;
const SHOWN = 12;
const NEW = 'new';

/**
 * One patient, searched as one types: parts of names (accents aside), the beginning of an identifier, a birth
 * date. Arrow keys and Enter choose; who may order can make a new file from here.
 */
export function PatientPicker(props: {
  readonly value: RegisteredPatient | null;
  readonly onPick: (patient: RegisteredPatient | null) => void;
  readonly label?: string;
  readonly error?: ReactNode;
  readonly isRequired?: boolean;
  readonly autoFocus?: boolean;
  /** The patient stands: it is shown, and not changed. */
  readonly isFixed?: boolean;
}): ReactNode {
  const { value, onPick } = props;
  const say = useMessages(messages);
  const mayCreate = useMay('order');
  const [text, setText] = useState('');
  const [isNew, setNew] = useState(false);
  const [isAgain, setAgain] = useState(false);
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const found = useQuery({
    queryKey: ['registered-patients', 'picker', wanted],
    queryFn: ({ signal }) =>
      call('GET /api/v1/registered-patients', { query: { text: wanted, limit: SHOWN + 1 }, signal }),
    enabled: wanted.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const label = props.label ?? say('pick');
  const rows = wanted.length < 2 || text.trim().length < 2 ? [] : (found.data ?? []).slice(0, SHOWN);
  const isWaiting = text.trim().length >= 2 && (found.isFetching || wanted !== text.trim());

  const isOnly = rows.length === 1 && !isWaiting;
  useEffect(() => {
    if (isOnly) combobox.selectFirstOption(); // of homonyms a person chooses
  }, [isOnly, combobox.selectFirstOption]);

  function pick(patient: RegisteredPatient | null): void {
    setText('');
    setNew(false);
    setAgain(patient === null);
    combobox.closeDropdown();
    onPick(patient);
  }

  if (value !== null) {
    return (
      <Box>
        <Text size="sm" fw={500} mb={4}>
          {label}
        </Text>
        <Group
          wrap="nowrap"
          justify="space-between"
          px="sm"
          py={6}
          style={{ border: '1px solid var(--n-border)', borderRadius: 'var(--mantine-radius-sm)' }}
        >
          <Box flex={1} miw={0}>
            <PatientLine patient={value} />
          </Box>
          {props.isFixed === true ? null : (
            <Button variant="default" size="compact-sm" onClick={() => pick(null)}>
              {say('change')}
            </Button>
          )}
        </Group>
        {props.error === undefined ? null : (
          <Text size="xs" c="red" mt={4}>
            {props.error}
          </Text>
        )}
      </Box>
    );
  }
  return (
    <>
      <Combobox
        store={combobox}
        onOptionSubmit={(chosen) => {
          if (chosen === NEW) {
            combobox.closeDropdown();
            setNew(true);
          } else pick(rows.find((one) => String(one.id) === chosen) ?? null);
        }}
      >
        <Combobox.Target>
          <TextInput
            label={label}
            placeholder={say('pickHint')}
            leftSection={<IconSearch size={15} aria-hidden />}
            rightSection={isWaiting ? <Loader size="xs" aria-label={say('searching')} /> : null}
            value={text}
            error={props.error}
            withAsterisk={props.isRequired === true}
            autoFocus={props.autoFocus === true || isAgain}
            maxLength={200}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setText(event.currentTarget.value);
              combobox.openDropdown();
              combobox.updateSelectedOptionIndex();
            }}
            onFocus={() => combobox.openDropdown()}
            onClick={() => combobox.openDropdown()}
            onBlur={() => combobox.closeDropdown()}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={text.trim().length < 2 && !mayCreate}>
          <Combobox.Options aria-label={label} mah={380} style={{ overflowY: 'auto' }}>
            {found.isError ? <Failure error={found.error} /> : null}
            {rows.map((one) => (
              // Of the search before: nobody picks one in a hurry.
              <Combobox.Option key={one.id} value={String(one.id)} disabled={isWaiting}>
                <PatientLine patient={one} />
              </Combobox.Option>
            ))}
            {text.trim().length < 2 ? (
              <Combobox.Empty>{say('typeMore')}</Combobox.Empty>
            ) : rows.length === 0 && !isWaiting && !found.isError ? (
              <Combobox.Empty>{say('nobody')}</Combobox.Empty>
            ) : null}
            {(found.data?.length ?? 0) > SHOWN && rows.length > 0 ? (
              <Text size="xs" c="dimmed" px="sm" py={4}>
                {say('moreMatch')}
              </Text>
            ) : null}
            {mayCreate ? (
              <Combobox.Option value={NEW}>
                <Group gap={8}>
                  <IconUserPlus size={15} aria-hidden />
                  <Text size="sm">{say('newPatient')}</Text>
                </Group>
              </Combobox.Option>
            ) : null}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {isNew ? <NewPatientDialog typed={text} onClose={() => setNew(false)} onMade={pick} /> : null}
    </>
  );
}
