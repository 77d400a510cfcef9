import { Button, Code, Group, Modal, SegmentedControl, Stack, Switch, Text, TextInput } from '@mantine/core';
import { type ConfiguredCall, call } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useConfirm,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

type Place = ConfiguredCall['place'];
const PLACEHOLDERS: Readonly<Record<Place, readonly string[]>> = {
  PATIENT: ['{patient_id}', '{patient_id:CHU-X}', '{issuer_of_patient_id}', '{user}'],
  STUDY: [
    '{patient_id}',
    '{patient_id:CHU-X}',
    '{issuer_of_patient_id}',
    '{accession_number}',
    '{study_instance_uid}',
    '{user}',
  ],
};

/** Addresses of other applications that stand as buttons on files and examinations. */
export function CallsPage(): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [form, setForm] = useState<{ readonly before: ConfiguredCall | null } | null>(null);
  const list = useQuery({
    queryKey: ['call-templates'],
    queryFn: ({ signal }) => call('GET /api/v1/call-templates', { signal }),
  });
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ['call-templates'] });
    void client.invalidateQueries({ queryKey: ['calls'] });
  };
  const remove = useMutation({
    mutationFn: (row: ConfiguredCall) =>
      call('DELETE /api/v1/call-templates/{number}', { path: { number: row.id } }),
    onSuccess: (_, row) => notify.done(say('removed', { name: row.label })),
    onError: notify.failed,
    onSettled: refresh,
  });
  const columns: readonly Column<ConfiguredCall>[] = [
    { key: 'label', title: say('label'), sortBy: (row) => row.label, render: (row) => row.label },
    { key: 'place', title: say('place'), render: (row) => say(row.place) },
    {
      key: 'template',
      title: say('address'),
      render: (row) => <Code style={{ overflowWrap: 'anywhere' }}>{row.template}</Code>,
    },
    {
      key: 'active',
      title: say('shown'),
      render: (row) => (row.is_active === false ? say('no') : say('yes')),
    },
    {
      key: 'actions',
      title: say('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) => (
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button size="compact-xs" variant="default" onClick={() => setForm({ before: row })}>
            {say('change')}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            onClick={async () => {
              const yes = await confirm({
                title: say('removeTitle', { name: row.label }),
                text: say('removeText'),
                verb: say('remove'),
                isDangerous: true,
              });
              if (yes) remove.mutate(row);
            }}
          >
            {say('remove')}
          </Button>
        </Group>
      ),
    },
  ];
  return (
    <>
      <PageHeader
        title={say('callsTitle')}
        description={say('callsText')}
        actions={
          <Button
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => setForm({ before: null })}
          >
            {say('add')}
          </Button>
        }
      />
      <Panel isFlush>
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
        {list.isPending ? <Loading /> : null}
        {list.data === undefined ? null : (
          <DataTable
            label={say('callsTitle')}
            rows={list.data}
            columns={columns}
            rowKey={(row) => String(row.id)}
            onOpen={(row) => setForm({ before: row })}
            empty={<Empty title={say('noCall')}>{say('noCallText')}</Empty>}
          />
        )}
      </Panel>
      {form === null ? null : (
        <CallForm
          before={form.before}
          onClose={() => setForm(null)}
          onSaved={(name) => {
            setForm(null);
            notify.done(say('saved', { name }));
            refresh();
          }}
        />
      )}
    </>
  );
}

function CallForm(props: {
  readonly before: ConfiguredCall | null;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const { before } = props;
  const [label, setLabel] = useState(before?.label ?? '');
  const [place, setPlace] = useState<Place>(before?.place ?? 'STUDY');
  const [template, setTemplate] = useState(before?.template ?? 'https://');
  const [isActive, setActive] = useState(before?.is_active ?? true);
  const save = useMutation({
    mutationFn: () => {
      const body = { label: label.trim(), place, template: template.trim(), is_active: isActive };
      return before === null
        ? call('POST /api/v1/call-templates', { body })
        : call('PUT /api/v1/call-templates/{number}', {
            path: { number: before.id },
            body: { ...body, version: before.version },
          });
    },
    onSuccess: (saved) => props.onSaved(saved.label),
  });
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="lg"
      title={say(before === null ? 'addTitle' : 'changeTitle')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label={say('label')}
            required
            maxLength={64}
            data-autofocus
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
          />
          <SegmentedControl
            aria-label={say('place')}
            value={place}
            onChange={(value) => setPlace(value as Place)}
            data={[
              { value: 'STUDY', label: say('STUDY') },
              { value: 'PATIENT', label: say('PATIENT') },
            ]}
          />
          <TextInput
            label={say('address')}
            required
            maxLength={2000}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
            value={template}
            onChange={(event) => setTemplate(event.currentTarget.value)}
          />
          <Group gap={6}>
            <Text size="xs" c="dimmed">
              {say('placeholders')}
            </Text>
            {PLACEHOLDERS[place].map((one) => (
              <Button
                key={one}
                size="compact-xs"
                variant="default"
                ff="monospace"
                onClick={() => setTemplate((text) => text + one)}
              >
                {one}
              </Button>
            ))}
          </Group>
          <Switch
            label={say('shown')}
            checked={isActive}
            onChange={(event) => setActive(event.currentTarget.checked)}
          />
          {save.isError ? <Failure error={save.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {say('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
