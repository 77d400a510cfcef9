import { Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type RegisteredPatient } from '@negatoscope/api-client';
import { useLanguage, useMessages, useNotify } from '@negatoscope/ui';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { PatientPicker } from '../patients/PatientPicker';
import { messages } from './messages';

const QUIET_MS = 180;

/** Somebody who comes without appointment: patient, procedure and device, and it is on the board. */
export function UrgentDialog(props: {
  readonly onClose: () => void;
  readonly onAdded: (step: number | null) => void;
}): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const { language } = useLanguage();
  const [patient, setPatient] = useState<RegisteredPatient | null>(null);
  const [procedure, setProcedure] = useState<string | null>(null);
  const [device, setDevice] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [question, setQuestion] = useState('');
  const [unit, setUnit] = useState('');
  const [isSending, setSending] = useState(false);
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const found = useQuery({
    queryKey: ['catalogue', 'urgent', wanted],
    queryFn: ({ signal }) => call('GET /api/v1/catalogue', { query: { text: wanted, limit: 30 }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const places = useQuery({
    queryKey: ['board-places'],
    queryFn: ({ signal }) => call('GET /api/v1/board/places', { signal }),
    staleTime: 60_000,
  });
  const procedures = found.data ?? [];
  const chosen = procedures.find((one) => String(one.id) === procedure);
  const devices = (places.data ?? []).filter(
    (one) => one.kind === 'DEVICE' && (chosen === undefined || one.modality === chosen.modality),
  );

  async function add(): Promise<void> {
    if (patient === null || procedure === null) return;
    setSending(true);
    try {
      const made = await call('POST /api/v1/board/urgent', {
        body: {
          patient: patient.id,
          procedure: Number(procedure),
          clinical_question: question.trim(),
          requesting_service: unit.trim(),
          ...(device === null ? {} : { device: Number(device) }),
        },
      });
      notify.done(say('added'));
      props.onAdded(made.steps[0] ?? null);
    } catch (error) {
      notify.failed(error);
      setSending(false);
    }
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('urgentTitle')}
      closeButtonProps={{ 'aria-label': say('close') }}
      size="lg"
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {say('urgentText')}
        </Text>
        <PatientPicker
          value={patient}
          onPick={setPatient}
          label={say('urgentPatient')}
          isRequired
          autoFocus
        />
        <Select
          label={say('urgentProcedure')}
          placeholder={say('urgentProcedureHint')}
          required
          searchable
          filter={({ options }) => options}
          searchValue={text}
          onSearchChange={setText}
          value={procedure}
          onChange={(value) => {
            setProcedure(value);
            setDevice(null);
          }}
          data={procedures.map((one) => ({
            value: String(one.id),
            label: `${(language === 'en' ? one.label_en : '') || one.label_fr} · ${one.code_value}`,
          }))}
        />
        <Select
          label={say('columnPlace')}
          clearable
          value={device}
          onChange={setDevice}
          data={devices.map((one) => ({ value: String(one.id), label: one.name }))}
        />
        <TextInput
          label={say('urgentUnit')}
          value={unit}
          maxLength={64}
          onChange={(event) => setUnit(event.currentTarget.value)}
        />
        <Textarea
          label={say('urgentQuestion')}
          value={question}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setQuestion(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {say('cancel')}
          </Button>
          <Button
            color="red"
            loading={isSending}
            disabled={patient === null || procedure === null}
            onClick={() => void add()}
          >
            {say('add')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
