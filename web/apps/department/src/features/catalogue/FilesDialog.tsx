import { Alert, Badge, Button, FileButton, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { call, type FileKind, type ImportLine, type ImportPlan } from '@negatoscope/api-client';
import { type Column, DataTable, Failure, Loading, Panel, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { messages } from './messages';

const MOST_BYTES = 8_000_000;
const MOST_LINES = 300;
const COLOURS = { NEW: 'teal', CHANGED: 'blue', SAME: 'gray', ERROR: 'red' } as const;

/** A file of the catalogue or of the resources: written, looked at, taken in. */
export function FilesDialog(props: {
  readonly isOpen: boolean;
  readonly kinds: readonly FileKind[];
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  return (
    <Modal
      opened={props.isOpen}
      onClose={props.onClose}
      size="xl"
      title={say('files')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <Files kinds={props.kinds} onDone={props.onClose} />
    </Modal>
  );
}

function Files(props: { readonly kinds: readonly FileKind[]; readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [kind, setKind] = useState<FileKind>(props.kinds[0] ?? 'PROCEDURES');
  const [file, setFile] = useState<{ readonly name: string; readonly content: string } | null>(null);
  const again = useRef<() => void>(null);
  const [isTooLarge, setTooLarge] = useState(false);
  const load = useMutation({
    mutationFn: (wanted: { kind: FileKind; content: string; apply: boolean }) =>
      call('POST /api/v1/catalogue-files', { body: wanted }),
    onSuccess: (plan) => {
      if (!plan.is_applied) return;
      void client.invalidateQueries({ queryKey: ['catalogue'] });
      void client.invalidateQueries({ queryKey: ['resources'] });
      notify.done(say('taken'));
      props.onDone();
    },
  });
  const write = useMutation({
    mutationFn: () => call('GET /api/v1/catalogue-files/{kind}', { path: { kind } }),
    onSuccess: (found) => save(found as unknown as Blob, `${kind.toLowerCase().replace('_', '-')}.csv`),
    onError: notify.failed,
  });

  async function choose(chosen: File | null): Promise<void> {
    if (chosen === null) return;
    again.current?.(); // the same file, corrected, is a choice too
    setTooLarge(chosen.size > MOST_BYTES);
    if (chosen.size > MOST_BYTES) return;
    const content = decode(await chosen.arrayBuffer());
    setFile({ name: chosen.name, content });
    load.mutate({ kind, content, apply: false });
  }

  const plan = load.data;
  return (
    <Stack gap="sm">
      <Select
        label={say('what')}
        allowDeselect={false}
        value={kind}
        data={props.kinds.map((one) => ({ value: one, label: say(one) }))}
        onChange={(value) => {
          setKind(value as FileKind);
          setFile(null);
          load.reset();
        }}
      />
      <Group gap="xs">
        <FileButton resetRef={again} accept=".csv,.txt,text/csv" onChange={(one) => void choose(one)}>
          {(button) => <Button {...button}>{say('chooseFile')}</Button>}
        </FileButton>
        {kind === 'CCAM' ? null : (
          <Button variant="default" loading={write.isPending} onClick={() => write.mutate()}>
            {say('export')}
          </Button>
        )}
        <Text size="xs" c="dimmed">
          {file?.name ?? (kind === 'CCAM' ? '' : say('exportText'))}
        </Text>
      </Group>
      {isTooLarge ? <Alert color="red">{say('tooLarge')}</Alert> : null}
      {load.isPending ? <Loading label={say('looking')} /> : null}
      {load.isError ? <Failure error={load.error} /> : null}
      {plan === undefined || file === null || load.isPending ? null : (
        <>
          <Preview plan={plan} />
          <Group justify="flex-end">
            <Button
              disabled={plan.error_count > 0 || plan.new_count + plan.changed_count === 0}
              onClick={() => load.mutate({ kind, content: file.content, apply: true })}
            >
              {say('apply')}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

function Preview(props: { readonly plan: ImportPlan }): ReactNode {
  const { plan } = props;
  const say = useMessages(messages);
  const columns: readonly Column<ImportLine>[] = [
    { key: 'line', title: say('line'), width: 60, align: 'right', render: (row) => row.line },
    { key: 'key', title: say('code'), width: 170, render: (row) => row.key },
    {
      key: 'effect',
      title: say('effect'),
      width: 100,
      render: (row) => (
        <Badge size="sm" variant="light" tt="none" color={COLOURS[row.effect]}>
          {say(row.effect)}
        </Badge>
      ),
    },
    {
      key: 'changes',
      title: say('changes'),
      render: (row) =>
        row.error !== '' ? (
          <Text size="xs" lang="en">
            {row.error}
          </Text>
        ) : (
          <Text size="xs" lineClamp={3}>
            {row.changes
              .map((one) =>
                row.effect === 'NEW'
                  ? `${one.column}: ${one.after}`
                  : `${one.column}: ${one.before} → ${one.after}`,
              )
              .join(' · ')}
          </Text>
        ),
    },
  ];
  const isNothing = plan.new_count + plan.changed_count + plan.error_count === 0;
  return (
    <>
      <Text size="sm" fw={600} role="status">
        {isNothing
          ? say('nothing')
          : say('preview', { new: plan.new_count, changed: plan.changed_count, same: plan.same_count })}
      </Text>
      {plan.error_count === 0 ? null : (
        <Alert color="red" title={say('errors', { count: plan.error_count })}>
          {say('errorsText')}
        </Alert>
      )}
      {plan.lines.length === 0 ? null : (
        <Panel isFlush>
          <DataTable
            label={say('changes')}
            rows={plan.lines.slice(0, MOST_LINES)}
            columns={columns}
            rowKey={(row) => String(row.line)}
            maxHeight={320}
          />
        </Panel>
      )}
      {plan.lines.length > MOST_LINES ? (
        <Text size="xs" c="dimmed">
          {say('cut', { count: MOST_LINES })}
        </Text>
      ) : null}
    </>
  );
}

/** UTF-8, or what spreadsheets here write without saying so. */
function decode(content: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return new TextDecoder('windows-1252').decode(content);
  }
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
