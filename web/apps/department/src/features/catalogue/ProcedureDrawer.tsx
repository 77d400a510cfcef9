import {
  ActionIcon,
  Alert,
  Button,
  Drawer,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import {
  type CatalogueProcedure,
  type Contrast,
  call,
  Problem,
  type ProcedureValues,
  type SafetyQuestion,
} from '@negatoscope/api-client';
import { Failure, Loading, useConfirm, useMessages, useNotify } from '@negatoscope/ui';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

const QUESTIONS = ['PREGNANCY', 'MR_IMPLANTS', 'CONTRAST_REACTION', 'RENAL_FUNCTION'] as const;
const CONTRASTS = ['NONE', 'POSSIBLE', 'REQUIRED'] as const;

type Values = Required<ProcedureValues>;

const NEW: Values = {
  code_value: '',
  coding_scheme_designator: 'CCAM',
  label_fr: '',
  label_en: '',
  modality: '',
  body_part_examined: '',
  duration_min: 20,
  preparation_fr: '',
  preparation_en: '',
  contrast: 'NONE',
  contrast_agent: '',
  safety_questions: [],
  needs_vetting: false,
  protocols: [],
  rooms: [],
  default_room: null,
  is_active: true,
};

/** One procedure beside the list; number 0 is a new one. */
export function ProcedureDrawer(props: {
  readonly number: number | undefined;
  readonly modalities: readonly string[];
  readonly rooms: readonly { readonly id: number; readonly name: string }[];
  readonly onClose: () => void;
}): ReactNode {
  const { number } = props;
  const say = useMessages(messages);
  const found = useQuery({
    queryKey: ['catalogue', 'one', number ?? 0],
    queryFn: ({ signal }) =>
      call('GET /api/v1/catalogue/{number}', { path: { number: number ?? 0 }, signal }),
    enabled: number !== undefined && number > 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  return (
    <Drawer
      opened={number !== undefined}
      onClose={props.onClose}
      position="right"
      size="xl"
      title={number === 0 ? say('add') : (found.data?.label_fr ?? '')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {number === 0 ? <Form {...props} procedure={null} onReload={() => {}} /> : null}
      {number !== undefined && number > 0 ? (
        found.isError ? (
          <Failure error={found.error} onRetry={() => void found.refetch()} />
        ) : found.data === undefined ? (
          <Loading />
        ) : (
          <Form
            key={`${found.data.id}-${found.data.version}`}
            {...props}
            procedure={found.data}
            onReload={() => void found.refetch()}
          />
        )
      ) : null}
    </Drawer>
  );
}

function Form(props: {
  readonly procedure: CatalogueProcedure | null;
  readonly modalities: readonly string[];
  readonly rooms: readonly { readonly id: number; readonly name: string }[];
  readonly onClose: () => void;
  readonly onReload: () => void;
}): ReactNode {
  const { procedure } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(() => (procedure === null ? NEW : valuesOf(procedure)));
  const set = (to: Partial<Values>) => setValues((before) => ({ ...before, ...to }));
  const save = useMutation({
    mutationFn: () =>
      procedure === null
        ? call('POST /api/v1/catalogue', { body: values })
        : call('PUT /api/v1/catalogue/{number}', {
            path: { number: procedure.id },
            body: { ...values, version: procedure.version },
          }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['catalogue'] });
      notify.done(say(procedure === null ? 'created' : 'saved'));
      props.onClose();
    },
  });
  const remove = useMutation({
    mutationFn: (one: CatalogueProcedure) =>
      call('DELETE /api/v1/catalogue/{number}', {
        path: { number: one.id },
        query: { version: one.version },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['catalogue'] });
      notify.done(say('removed'));
      props.onClose();
    },
  });
  const isStale =
    save.error instanceof Problem &&
    save.error.code === 'conflict' &&
    /meanwhile/.test(save.error.detail ?? '');
  const rooms = props.rooms.map((room) => ({ value: String(room.id), label: room.name }));
  const isReady = values.code_value.trim() !== '' && values.label_fr.trim() !== '';

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (isReady && !save.isPending) save.mutate();
  }

  async function askRemove(one: CatalogueProcedure): Promise<void> {
    const yes = await confirm({
      title: say('removeTitle', { code: one.code_value }),
      text: say('removeText'),
      verb: say('remove'),
      isDangerous: true,
    });
    if (yes) remove.mutate(one);
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {isStale ? (
          <Alert color="yellow">
            <Group justify="space-between">
              <Text size="sm">{say('stale')}</Text>
              <Button variant="default" onClick={props.onReload}>
                {say('reload')}
              </Button>
            </Group>
          </Alert>
        ) : save.isError ? (
          <Failure error={save.error} />
        ) : remove.isError ? (
          <Failure error={remove.error} />
        ) : null}
        <SimpleGrid cols={2} spacing="sm">
          <TextInput
            label={say('code')}
            required
            data-autofocus
            maxLength={16}
            value={values.code_value}
            onChange={(event) => set({ code_value: event.currentTarget.value })}
          />
          <TextInput
            label={say('scheme')}
            required
            maxLength={16}
            value={values.coding_scheme_designator}
            onChange={(event) => set({ coding_scheme_designator: event.currentTarget.value })}
          />
        </SimpleGrid>
        <TextInput
          label={say('labelFr')}
          required
          maxLength={300}
          value={values.label_fr}
          onChange={(event) => set({ label_fr: event.currentTarget.value })}
        />
        <TextInput
          label={say('labelEn')}
          maxLength={300}
          value={values.label_en}
          onChange={(event) => set({ label_en: event.currentTarget.value })}
        />
        <SimpleGrid cols={3} spacing="sm">
          <Select
            label={say('modality')}
            searchable
            clearable
            data={[...new Set([...props.modalities, values.modality])].filter(Boolean)}
            value={values.modality || null}
            onChange={(value) => set({ modality: value ?? '' })}
          />
          <NumberInput
            label={say('durationMin')}
            min={1}
            max={1440}
            step={5}
            allowDecimal={false}
            value={values.duration_min}
            onChange={(value) => set({ duration_min: Number(value) || 1 })}
          />
          <TextInput
            label={say('bodyPart')}
            placeholder={say('bodyPartHint')}
            maxLength={16}
            value={values.body_part_examined}
            onChange={(event) => set({ body_part_examined: event.currentTarget.value.toUpperCase() })}
          />
        </SimpleGrid>
        <SimpleGrid cols={2} spacing="sm">
          <MultiSelect
            label={say('rooms')}
            placeholder={values.rooms.length === 0 ? say('anyRoom') : ''}
            searchable
            clearable
            data={rooms}
            value={values.rooms.map(String)}
            onChange={(value) => set({ rooms: value.map(Number) })}
          />
          <Select
            label={say('defaultRoom')}
            placeholder={say('noDefault')}
            searchable
            clearable
            data={rooms}
            value={values.default_room === null ? null : String(values.default_room)}
            onChange={(value) => set({ default_room: value === null ? null : Number(value) })}
          />
          <Select
            label={say('contrast')}
            allowDeselect={false}
            data={CONTRASTS.map((one) => ({ value: one, label: say(one) }))}
            value={values.contrast}
            onChange={(value) => set({ contrast: (value ?? 'NONE') as Contrast })}
          />
          <TextInput
            label={say('contrastAgent')}
            maxLength={100}
            disabled={values.contrast === 'NONE'}
            value={values.contrast_agent}
            onChange={(event) => set({ contrast_agent: event.currentTarget.value })}
          />
        </SimpleGrid>
        <MultiSelect
          label={say('questions')}
          data={QUESTIONS.map((one) => ({ value: one, label: say(one) }))}
          value={values.safety_questions}
          onChange={(value) => set({ safety_questions: value as SafetyQuestion[] })}
        />
        <Switch
          label={say('vetting')}
          checked={values.needs_vetting}
          onChange={(event) => set({ needs_vetting: event.currentTarget.checked })}
        />
        <SimpleGrid cols={2} spacing="sm">
          <Textarea
            label={say('preparationFr')}
            autosize
            minRows={3}
            maxRows={8}
            maxLength={4000}
            value={values.preparation_fr}
            onChange={(event) => set({ preparation_fr: event.currentTarget.value })}
          />
          <Textarea
            label={say('preparationEn')}
            autosize
            minRows={3}
            maxRows={8}
            maxLength={4000}
            value={values.preparation_en}
            onChange={(event) => set({ preparation_en: event.currentTarget.value })}
          />
        </SimpleGrid>
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            {say('protocols')}
          </Text>
          <Text size="xs" c="dimmed">
            {say('protocolsText')}
          </Text>
          {values.protocols.map((protocol, index) => {
            const change = (to: Partial<typeof protocol>) =>
              set({ protocols: values.protocols.map((one, at) => (at === index ? { ...one, ...to } : one)) });
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows are typed in, they have no name of their own
              <Group key={index} gap="xs" wrap="nowrap">
                <TextInput
                  aria-label={say('protocolCode')}
                  placeholder={say('protocolCode')}
                  required
                  w={130}
                  maxLength={16}
                  value={protocol.code_value}
                  onChange={(event) => change({ code_value: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={say('protocolScheme')}
                  placeholder={say('protocolScheme')}
                  required
                  w={110}
                  maxLength={16}
                  value={protocol.coding_scheme_designator ?? ''}
                  onChange={(event) => change({ coding_scheme_designator: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={say('protocolMeaning')}
                  placeholder={say('protocolMeaning')}
                  required
                  flex={1}
                  maxLength={64}
                  value={protocol.code_meaning}
                  onChange={(event) => change({ code_meaning: event.currentTarget.value })}
                />
                <ActionIcon
                  aria-label={say('removeProtocol')}
                  onClick={() => set({ protocols: values.protocols.filter((_, at) => at !== index) })}
                >
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              </Group>
            );
          })}
          <Group>
            <Button
              variant="default"
              disabled={values.protocols.length >= 20}
              onClick={() =>
                set({
                  protocols: [
                    ...values.protocols,
                    { code_value: '', coding_scheme_designator: '99LOCAL', code_meaning: '' },
                  ],
                })
              }
            >
              {say('addProtocol')}
            </Button>
          </Group>
        </Stack>
        <Switch
          label={say('isActive')}
          checked={values.is_active}
          onChange={(event) => set({ is_active: event.currentTarget.checked })}
        />
        <Group justify="space-between">
          {procedure === null ? (
            <span />
          ) : (
            <Button variant="subtle" color="red" onClick={() => void askRemove(procedure)}>
              {say('remove')}
            </Button>
          )}
          <Button type="submit" loading={save.isPending} disabled={!isReady}>
            {say(procedure === null ? 'create' : 'save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function valuesOf(procedure: CatalogueProcedure): Values {
  const { id: _id, version: _version, ...values } = procedure;
  return { ...NEW, ...values };
}
