import {
  Alert,
  Autocomplete,
  Button,
  Drawer,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import {
  call,
  type DepartmentResource,
  Problem,
  type ResourceValues,
  type Shows,
  type WorklistFilterSchema,
} from '@negatoscope/api-client';
import { Failure, Panel, useConfirm, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { DowntimeList } from './DowntimeList';
import { HoursEditor } from './HoursEditor';
import { messages } from './messages';
import type { Kind } from './search';

type Values = Required<ResourceValues>;

const MODALITIES = ['CT', 'MR', 'US', 'DX', 'CR', 'RF', 'MG', 'XA', 'NM', 'PT', 'PX', 'IO', 'BMD', 'OT'];
const PROFESSIONS = [
  'RADIOLOGIST',
  'TECHNOLOGIST',
  'ANAESTHETIST',
  'NURSE',
  'NUCLEAR PHYSICIAN',
  'PHYSICIST',
] as const;
const USUAL_FILTER: WorklistFilterSchema = {
  shows: 'STATION',
  modalities: [],
  days_before: 1,
  days_after: null,
};

/** One room, device or person beside the list. */
export function ResourceDrawer(props: {
  readonly isOpen: boolean;
  readonly resource: DepartmentResource | undefined;
  readonly kind: Kind;
  readonly rooms: readonly DepartmentResource[];
  readonly onClose: () => void;
}): ReactNode {
  const { resource } = props;
  const say = useMessages(messages);
  return (
    <Drawer
      opened={props.isOpen}
      onClose={props.onClose}
      position="right"
      size="xl"
      title={resource?.name ?? say(`new${props.kind}`)}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {props.isOpen ? (
        <Stack gap="sm">
          <Form key={`${resource?.id}-${resource?.version}`} {...props} />
          {resource === undefined ? null : (
            <>
              <Panel title={say('hours')}>
                <HoursEditor key={`${resource.id}-${resource.version}`} resource={resource} />
              </Panel>
              <Panel title={say('downtime')}>
                <DowntimeList resource={resource.id} />
              </Panel>
            </>
          )}
        </Stack>
      ) : null}
    </Drawer>
  );
}

function Form(props: {
  readonly resource: DepartmentResource | undefined;
  readonly kind: Kind;
  readonly rooms: readonly DepartmentResource[];
  readonly onClose: () => void;
}): ReactNode {
  const { resource, kind } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(() => valuesOf(resource, kind));
  const set = (to: Partial<Values>) => setValues((before) => ({ ...before, ...to }));
  const filter = { ...USUAL_FILTER, ...values.worklist_filter };
  const setFilter = (to: Partial<WorklistFilterSchema>) => set({ worklist_filter: { ...filter, ...to } });
  const changed = () => void client.invalidateQueries({ queryKey: ['resources'] });
  const save = useMutation({
    mutationFn: () =>
      resource === undefined
        ? call('POST /api/v1/resources', { body: values })
        : call('PUT /api/v1/resources/{number}', {
            path: { number: resource.id },
            body: { ...values, version: resource.version },
          }),
    onSuccess: () => {
      changed();
      notify.done(say(resource === undefined ? 'created' : 'saved'));
      if (resource === undefined) props.onClose();
    },
  });
  const remove = useMutation({
    mutationFn: (one: DepartmentResource) =>
      call('DELETE /api/v1/resources/{number}', {
        path: { number: one.id },
        query: { version: one.version },
      }),
    onSuccess: () => {
      changed();
      notify.done(say('removed'));
      props.onClose();
    },
  });
  const isStale =
    save.error instanceof Problem &&
    save.error.code === 'conflict' &&
    /meanwhile/.test(save.error.detail ?? '');

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (values.name.trim() !== '' && !save.isPending) save.mutate();
  }

  async function askRemove(one: DepartmentResource): Promise<void> {
    const yes = await confirm({
      title: say('removeTitle', { name: one.name }),
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
              <Button variant="default" onClick={changed}>
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
            label={say('name')}
            required
            {...(resource === undefined ? { 'data-autofocus': true } : {})}
            maxLength={64}
            value={values.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <TextInput
            label={say('location')}
            placeholder={say('locationHint')}
            maxLength={100}
            value={values.location}
            onChange={(event) => set({ location: event.currentTarget.value })}
          />
        </SimpleGrid>
        {kind === 'DEVICE' ? (
          <>
            <SimpleGrid cols={2} spacing="sm">
              <Select
                label={say('room')}
                placeholder={say('noRoom')}
                searchable
                clearable
                data={props.rooms.map((room) => ({ value: String(room.id), label: room.name }))}
                value={values.room === null ? null : String(values.room)}
                onChange={(value) => set({ room: value === null ? null : Number(value) })}
              />
              <Autocomplete
                size="xs"
                label={say('modality')}
                maxLength={16}
                data={MODALITIES}
                value={values.modality}
                onChange={(value) => set({ modality: value.toUpperCase() })}
              />
              <TextInput
                label={say('aeTitle')}
                maxLength={16}
                value={values.ae_title}
                onChange={(event) => set({ ae_title: event.currentTarget.value })}
              />
              <TextInput
                label={say('stationName')}
                maxLength={16}
                value={values.station_name}
                onChange={(event) => set({ station_name: event.currentTarget.value })}
              />
            </SimpleGrid>
            <Panel title={say('worklist')}>
              <SimpleGrid cols={2} spacing="sm">
                <Select
                  aria-label={say('worklist')}
                  allowDeselect={false}
                  data={[
                    { value: 'STATION', label: say('STATION') },
                    { value: 'ROOM', label: say('ofRoom') },
                    { value: 'MODALITY', label: say('MODALITY') },
                    { value: 'EVERYTHING', label: say('EVERYTHING') },
                  ]}
                  value={filter.shows ?? 'STATION'}
                  onChange={(value) => setFilter({ shows: (value ?? 'STATION') as Shows })}
                />
                <TagsInput
                  size="xs"
                  aria-label={say('modalities')}
                  placeholder={say('modalities')}
                  data={MODALITIES}
                  maxTags={30}
                  value={[...(filter.modalities ?? [])]}
                  onChange={(value) => setFilter({ modalities: value.map((one) => one.toUpperCase()) })}
                />
                <NumberInput
                  label={say('daysBefore')}
                  min={0}
                  max={366}
                  allowDecimal={false}
                  value={filter.days_before ?? 1}
                  onChange={(value) => setFilter({ days_before: Number(value) || 0 })}
                />
                <NumberInput
                  label={say('daysAfter')}
                  placeholder={say('noLimit')}
                  min={0}
                  max={366}
                  allowDecimal={false}
                  value={filter.days_after ?? ''}
                  onChange={(value) => setFilter({ days_after: value === '' ? null : Number(value) })}
                />
              </SimpleGrid>
            </Panel>
          </>
        ) : null}
        {kind === 'STAFF' ? (
          <SimpleGrid cols={2} spacing="sm">
            <Select
              label={say('profession')}
              clearable
              data={PROFESSIONS.map((one) => ({ value: one, label: say(one) }))}
              value={values.profession || null}
              onChange={(value) => set({ profession: value ?? '' })}
            />
            <TextInput
              label={say('rpps')}
              placeholder={say('rppsHint')}
              maxLength={11}
              inputMode="numeric"
              value={values.rpps}
              onChange={(event) => set({ rpps: event.currentTarget.value })}
            />
          </SimpleGrid>
        ) : null}
        <Switch
          label={say('isActive')}
          checked={values.is_active}
          onChange={(event) => set({ is_active: event.currentTarget.checked })}
        />
        <Group justify="space-between">
          {resource === undefined ? (
            <span />
          ) : (
            <Button variant="subtle" color="red" onClick={() => void askRemove(resource)}>
              {say('remove')}
            </Button>
          )}
          <Button type="submit" loading={save.isPending} disabled={values.name.trim() === ''}>
            {say(resource === undefined ? 'create' : 'save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function valuesOf(resource: DepartmentResource | undefined, kind: Kind): Values {
  return {
    kind,
    name: resource?.name ?? '',
    location: resource?.location ?? '',
    room: resource?.room ?? null,
    modality: resource?.modality ?? '',
    ae_title: resource?.ae_title ?? '',
    station_name: resource?.station_name ?? '',
    profession: resource?.profession ?? '',
    rpps: resource?.rpps ?? '',
    worklist_filter: resource?.worklist_filter ?? USUAL_FILTER,
    is_active: resource?.is_active ?? true,
  };
}
