import { Alert, Button, Group, Modal, Radio, Select, Stack, Text, Textarea } from '@mantine/core';
import { type BoardRow, call } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { IconId, IconUserQuestion } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';
import { nameOf } from './rows';
import type { IdentityDocument } from './useStepActions';

const DOCUMENTS: readonly IdentityDocument[] = [
  'IDENTITY_CARD',
  'PASSPORT',
  'RESIDENCE_PERMIT',
  'BIRTH_CERTIFICATE',
  'WRISTBAND',
  'RELATIVE',
  'SPOKEN',
];

interface DialogProps {
  readonly row: BoardRow;
  readonly onClose: () => void;
}

function Frame(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly onSubmit: () => void;
  readonly verb: string;
  readonly color?: string;
  readonly isDisabled?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const say = useMessages(messages);
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.title}
      closeButtonProps={{ 'aria-label': say('close') }}
      size="md"
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          props.onSubmit();
        }}
      >
        <Stack gap="sm">
          {props.children}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            <Button
              type="submit"
              disabled={props.isDisabled === true}
              {...(props.color === undefined ? {} : { color: props.color })}
            >
              {props.verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Traits(props: { readonly row: BoardRow }): ReactNode {
  const { row } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const lines: readonly (readonly [string, string])[] = [
    [say('birthName'), row.birth_name.family],
    [say('firstName'), row.birth_name.given],
    [say('birthDate'), format.date(row.birth_date)],
    [say('sex'), row.sex],
    [say('usedName'), [row.used_name.family, row.used_name.given].filter((one) => one !== '').join(' ')],
    ['IPP', row.patient_id],
  ];
  return (
    <table>
      <tbody>
        {lines
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <tr key={name}>
              <th scope="row" style={{ textAlign: 'left', fontWeight: 400, paddingRight: 16 }}>
                <Text size="sm" c="dimmed">
                  {name}
                </Text>
              </th>
              <td>
                <Text size="lg" fw={600}>
                  {value}
                </Text>
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

/** Who the patient is, and with which document that was compared. */
export function IdentityDialog(
  props: DialogProps & { readonly onConfirm: (document: IdentityDocument) => void },
): ReactNode {
  const say = useMessages(messages);
  const [document, setDocument] = useState<IdentityDocument | null>(null);
  return (
    <Frame
      title={say('identityTitle')}
      onClose={props.onClose}
      verb={say('confirmIdentity')}
      isDisabled={document === null}
      onSubmit={() => document !== null && props.onConfirm(document)}
    >
      <Text size="sm">{say('identityAsk')}</Text>
      <Traits row={props.row} />
      <Radio.Group
        label={say('identityWith')}
        value={document}
        onChange={(value) => setDocument(value as IdentityDocument)}
      >
        <Stack gap={6} mt={6}>
          {DOCUMENTS.map((one, at) => (
            <Radio
              key={one}
              size="sm"
              value={one}
              label={say(one)}
              {...(at === 0 ? { 'data-autofocus': true } : {})}
            />
          ))}
        </Stack>
      </Radio.Group>
    </Frame>
  );
}

/** Why it begins though nobody checked who the patient is. */
export function UncheckedDialog(
  props: DialogProps & { readonly onCheck: () => void; readonly onConfirm: (reason: string) => void },
): ReactNode {
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  return (
    <Frame
      title={say('startTitle')}
      onClose={props.onClose}
      verb={say('startAnyway')}
      color="orange"
      isDisabled={reason.trim() === ''}
      onSubmit={() => props.onConfirm(reason.trim())}
    >
      <Alert color="orange" variant="light" icon={<IconUserQuestion size={18} aria-hidden />}>
        <Text size="sm" mb={6}>
          {nameOf(props.row)}: {say('startText')}
        </Text>
        <Button leftSection={<IconId size={14} aria-hidden />} data-autofocus onClick={props.onCheck}>
          {say('identityTitle')}
        </Button>
      </Alert>
      <Textarea
        label={say('reason')}
        value={reason}
        maxLength={1000}
        autosize
        minRows={2}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </Frame>
  );
}

/** Why an examination is not finished. */
export function ReasonDialog(
  props: DialogProps & { readonly onConfirm: (reason: string) => void },
): ReactNode {
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  const usual = [
    say('reasonClaustrophobia'),
    say('reasonRefused'),
    say('reasonState'),
    say('reasonAccess'),
    say('reasonFault'),
  ];
  return (
    <Frame
      title={say('reasonTitle')}
      onClose={props.onClose}
      verb={say('DISCONTINUED')}
      color="orange"
      isDisabled={reason.trim() === ''}
      onSubmit={() => props.onConfirm(reason.trim())}
    >
      <Text size="sm" c="dimmed">
        {say('reasonHint')}
      </Text>
      <Group gap={4}>
        {usual.map((one) => (
          <Button key={one} size="compact-xs" variant="default" onClick={() => setReason(one)}>
            {one}
          </Button>
        ))}
      </Group>
      <Textarea
        label={say('reason')}
        data-autofocus
        value={reason}
        maxLength={1000}
        autosize
        minRows={2}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </Frame>
  );
}

/** Another device for a step, of the same modality. */
export function DeviceDialog(
  props: DialogProps & { readonly onConfirm: (device: number) => void },
): ReactNode {
  const { row } = props;
  const say = useMessages(messages);
  const places = useQuery({
    queryKey: ['board-places'],
    queryFn: ({ signal }) => call('GET /api/v1/board/places', { signal }),
    staleTime: 60_000,
  });
  const [device, setDevice] = useState<string | null>(row.device === null ? null : String(row.device));
  const rooms = new Map((places.data ?? []).map((one) => [one.id, one.name]));
  const devices = (places.data ?? [])
    .filter((one) => one.kind === 'DEVICE' && (row.modality === '' || one.modality === row.modality))
    .map((one) => ({
      value: String(one.id),
      label: [one.name, one.room === null ? '' : (rooms.get(one.room) ?? '')]
        .filter((part) => part !== '')
        .join(' · '),
    }));
  return (
    <Frame
      title={say('deviceTitle')}
      onClose={props.onClose}
      verb={say('assign')}
      isDisabled={device === null || device === String(row.device)}
      onSubmit={() => device !== null && props.onConfirm(Number(device))}
    >
      <Select
        label={nameOf(row)}
        data={devices}
        value={device}
        onChange={setDevice}
        searchable
        data-autofocus
        allowDeselect={false}
      />
    </Frame>
  );
}
