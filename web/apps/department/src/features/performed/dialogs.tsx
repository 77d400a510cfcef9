import { Button, Checkbox, Group, Modal, Radio, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { nameOf as nameOfRow } from '../board/rows';
import { messages } from './messages';
import type { PerformedStep } from './model';

const MOST = 12;

/** Why it is stopped. */
export function StopDialog(props: {
  readonly onClose: () => void;
  readonly onConfirm: (reason: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('stopTitle')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <Stack gap="sm">
        <Textarea
          label={say('reason')}
          data-autofocus
          maxLength={500}
          autosize
          minRows={2}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {say('cancel')}
          </Button>
          <Button
            color="orange"
            disabled={reason.trim() === ''}
            onClick={() => props.onConfirm(reason.trim())}
          >
            {say('stop')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** The steps of the day it began on, found by words. */
export function AttachDialog(props: {
  readonly one: PerformedStep;
  readonly onClose: () => void;
  readonly onConfirm: (step: number, isPatientConfirmed: boolean) => void;
}): ReactNode {
  const { one } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const [text, setText] = useState(one.patient_family_name);
  const [step, setStep] = useState('');
  const [isConfirmed, setConfirmed] = useState(false);
  const day = (one.started_at ?? one.created_at).slice(0, 10);
  const found = useQuery({
    queryKey: ['performed-attach', day, text],
    queryFn: ({ signal }) => call('GET /api/v1/board', { query: { day, text, canceled: true }, signal }),
  });
  const rows = (found.data?.rows ?? []).slice(0, MOST);
  return (
    <Modal
      opened
      size="lg"
      onClose={props.onClose}
      title={say('attachTitle')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <Stack gap="sm">
        <TextInput
          label={say('find')}
          data-autofocus
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {found.data !== undefined && rows.length === 0 ? (
          <Text size="sm" c="dimmed">
            {say('findNone')}
          </Text>
        ) : (
          <Radio.Group value={step} onChange={setStep} aria-label={say('attachTitle')}>
            <Stack gap={6}>
              {rows.map((row) => (
                <Radio
                  key={row.step}
                  value={String(row.step)}
                  label={[
                    format.dateTime(row.start_at),
                    `${nameOfRow(row)} ${format.date(row.birth_date)}`,
                    `${row.modality} ${row.procedure_name}`,
                    row.accession_number,
                  ].join(' · ')}
                />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {one.patient === null || one.flags.includes('PATIENT UNKNOWN') ? (
          <Checkbox
            label={say('confirm')}
            checked={isConfirmed}
            onChange={(event) => setConfirmed(event.currentTarget.checked)}
          />
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {say('cancel')}
          </Button>
          <Button
            disabled={!rows.some((row) => String(row.step) === step)}
            onClick={() => props.onConfirm(Number(step), isConfirmed)}
          >
            {say('take')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
