import { Alert, Button, Checkbox, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core';
import { call, type DeskAction, type DeskPreview, Problem } from '@negatoscope/api-client';
import { Failure, Loading, type Say, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { messages } from './messages';

type Translate = Say<(typeof messages)['en']>;

/** What an action will touch, found out by the server; then the question whether to do it. */
export function PreviewDialog(props: {
  readonly action: DeskAction;
  /** Nobody can tell whose the study is: the person must say that they looked. */
  readonly asksPatient?: boolean;
  /** Of whom and of what, in words: numbers alone are taken for one another. */
  readonly about?: ReactNode;
  readonly onClose: () => void;
  readonly onDone: () => void;
}): ReactNode {
  const { action, onClose, onDone } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const undo = useUndo();
  const [reason, setReason] = useState('');
  const [isChecked, setChecked] = useState(false);
  const asked = { ...action, ...(props.asksPatient === true ? { is_patient_confirmed: true } : {}) };
  const preview = useQuery({
    queryKey: ['reconciliation-preview', asked], // not asked again because the action was done
    queryFn: ({ signal }) => call('POST /api/v1/reconciliation/preview', { body: asked, signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const act = useMutation({
    mutationFn: (token: string) =>
      call('POST /api/v1/reconciliation/actions', { body: { ...asked, reason, token } }),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: ['reconciliation'] });
      notify.done(say(`done_${done.kind}`), () => undo.mutate(done.id));
      onDone();
    },
    onError: (error) => {
      if (error instanceof Problem && error.code === 'changed-since') void preview.refetch();
    },
  });
  const isReady = preview.data !== undefined && (props.asksPatient !== true || isChecked);
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={titleOf(action, say)}
      closeButtonProps={{ 'aria-label': say('cancel') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !act.isPending && preview.data !== undefined) act.mutate(preview.data.token);
        }}
      >
        <Stack gap="sm">
          {props.about === undefined ? null : <div>{props.about}</div>}
          {preview.isPending ? <Loading /> : null}
          {preview.isError ? <Refusal error={preview.error} /> : null}
          {preview.data === undefined ? null : <Touched preview={preview.data} say={say} />}
          {props.asksPatient === true ? (
            <Checkbox
              label={say('confirmPatient')}
              checked={isChecked}
              onChange={(event) => setChecked(event.currentTarget.checked)}
            />
          ) : null}
          <TextInput
            label={say('reason')}
            value={reason}
            maxLength={500}
            data-autofocus
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {act.isError ? <Refusal error={act.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {say('cancel')}
            </Button>
            <Button type="submit" disabled={!isReady} loading={act.isPending}>
              {say('confirm')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Touched(props: { readonly preview: DeskPreview; readonly say: Translate }): ReactNode {
  const { preview, say } = props;
  const rows = Object.entries(preview.other_rows).map(([table, count]) =>
    say('touchedRows', { table: tableName(table, say), count }),
  );
  const lines = [
    preview.studies.length > 0 ? say('touchedStudies', { count: preview.studies.length }) : '',
    preview.orders.length > 0
      ? say('touchedOrders', { count: preview.orders.length, list: short(preview.orders) })
      : '',
    preview.appointments.length > 0 ? say('touchedAppointments', { count: preview.appointments.length }) : '',
    preview.worklist_entries.length > 0
      ? say('touchedEntries', {
          count: preview.worklist_entries.length,
          list: short(preview.worklist_entries),
        })
      : '',
    preview.performed_steps > 0 ? say('touchedPerformed', { count: preview.performed_steps }) : '',
    ...rows,
    preview.changes.length > 0
      ? say('touchedTraits', { list: preview.changes.map((one) => traitName(one, say)).join(', ') })
      : '',
    preview.message_destinations.length > 0
      ? say('told', { list: preview.message_destinations.join(', ') })
      : '',
  ].filter((one) => one !== '');
  return (
    <>
      {preview.warnings.filter(isWarning).map((one) => (
        <Alert key={one} color="yellow" py="xs">
          {say(`warn_${one}`)}
        </Alert>
      ))}
      <div>
        <Text size="sm" fw={600}>
          {say('willTouch')}
        </Text>
        {lines.length === 0 ? (
          <Text size="sm" c="dimmed">
            {say('nothingElse')}
          </Text>
        ) : (
          <List size="sm">
            {lines.map((one) => (
              <List.Item key={one}>{one}</List.Item>
            ))}
          </List>
        )}
      </div>
    </>
  );
}

const WARNINGS = ['ins-differs', 'validated-ends', 'birth-differs', 'sex-differs', 'bindings-end'] as const;
const REFUSALS = [
  'already-undone',
  'parted-since',
  'merged-further',
  'identifier-gone',
  'one-file',
  'file-ended',
  'already-theirs',
  'moved-again',
  'bound-again',
  'merged-before',
  'other-patient',
  'not-merged',
] as const;
const TRAITS = [
  'birth_name',
  'used_name',
  'birth_date',
  'sex',
  'birth_place_code',
  'identity_status',
] as const;

function isWarning(one: string): one is (typeof WARNINGS)[number] {
  return (WARNINGS as readonly string[]).includes(one);
}

function traitName(one: string, say: Translate): string {
  const known = TRAITS.find((trait) => trait === one);
  return known === undefined ? one : say(known);
}

function tableName(table: string, say: Translate): string {
  if (table === 'study_binding' || table === 'encounter') return say(`table_${table}`);
  return say('table_other', { table });
}

function short(all: readonly string[]): string {
  return all.length > 6 ? `${all.slice(0, 6).join(', ')}…` : all.join(', ');
}

export function titleOf(action: Pick<DeskAction, 'kind' | 'patient' | 'other'>, say: Translate): string {
  return say(`do_${action.kind}`, { patient: action.patient ?? '', other: action.other ?? '' });
}

/** Why something was refused, in words. */
export function Refusal(props: { readonly error: unknown }): ReactNode {
  const say = useMessages(messages);
  const text = refusalText(props.error, say);
  return text === null ? (
    <Failure error={props.error} />
  ) : (
    <Alert color="red" py="xs" role="alert">
      {text}
    </Alert>
  );
}

function refusalText(error: unknown, say: Translate): string | null {
  if (!(error instanceof Problem)) return null;
  const known = REFUSALS.find((one) => one === error.document['reason']);
  return known === undefined ? null : say(`refused_${known}`);
}

/** Take a line of the journal back; a refusal says why. */
export function useUndo() {
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (number: number) =>
      call('POST /api/v1/reconciliation/actions/{number}/undo', { path: { number } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['reconciliation'] });
      notify.done(say('undone'));
    },
    onError: (error) => {
      const text = refusalText(error, say);
      notify.failed(text === null ? error : { title: text });
    },
  });
}
