import {
  Button,
  Checkbox,
  Fieldset,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { call, type HL7Destination, type HL7DestinationSettings } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

const KINDS = ['ORDERS', 'ORDER STATUS', 'ORDER NUMBERS', 'APPOINTMENTS', 'PATIENTS', 'ADT FORWARD'] as const;
type Kind = (typeof KINDS)[number];
const CHARACTER_SETS = ['UNICODE UTF-8', '8859/15', '8859/1', 'ASCII'] as const;
const MODALITIES = ['CT', 'MR', 'US', 'CR', 'DX', 'MG', 'XA', 'RF', 'NM', 'PT', 'IO', 'PX'];
const ACTIONS = [
  'NW',
  'XO',
  'XO_CM',
  'CA',
  'DC',
  'S12',
  'S13',
  'S14',
  'S15',
  'S26',
  'A28',
  'A31',
  'A40',
  'A47',
];

type Values = Required<HL7DestinationSettings>;

const NEW: Values = {
  name: '',
  host: '',
  port: 2575,
  tls: false,
  check_host: true,
  sending_application: 'NEGATOSCOPE',
  sending_facility: '',
  receiving_application: '',
  receiving_facility: '',
  character_set: 'UNICODE UTF-8',
  order_profile: 'OMI^O23',
  adt_profile: 'PAM-FR',
  kinds: ['ORDERS'],
  modalities: [],
  requesting_services: [],
  authorities: [],
  patient_classes: [],
  actions: [],
  acknowledgment_mode: 'ORIGINAL',
  connect_timeout_s: 10,
  answer_timeout_s: 30,
  holds_after_refusal: false,
  is_active: true,
};

function initial(before: HL7Destination | null): Values {
  if (before === null) return NEW;
  const { id: _id, version: _version, is_paused: _paused, state: _state, ...settings } = before;
  return { ...NEW, ...settings };
}

/** Add a destination or change one. */
export function DestinationForm(props: {
  readonly before: HL7Destination | null;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const { before } = props;
  const [values, setValues] = useState<Values>(() => initial(before));
  const set = <K extends keyof Values>(key: K, value: Values[K]): void =>
    setValues((old) => ({ ...old, [key]: value }));
  const save = useMutation({
    mutationFn: () =>
      before === null
        ? call('POST /api/v1/hl7/destinations', { body: values })
        : call('PUT /api/v1/hl7/destinations/{number}', {
            path: { number: before.id },
            body: { ...values, version: before.version },
          }),
    onSuccess: (saved) => props.onSaved(saved.name),
  });
  const text = (key: keyof Values, label: string, more: { required?: boolean; maxLength?: number } = {}) => (
    <TextInput
      label={label}
      value={String(values[key])}
      onChange={(event) => set(key, event.currentTarget.value as never)}
      {...more}
    />
  );
  const tags = (
    key: 'modalities' | 'requesting_services' | 'authorities' | 'patient_classes' | 'actions',
    label: string,
    data: string[] = [],
  ) => (
    <TagsInput
      label={label}
      placeholder={values[key].length === 0 ? say('all') : ''}
      data={data}
      value={values[key]}
      onChange={(value) => set(key, value)}
      maxTags={100}
      clearable
    />
  );
  const hasOrders = values.kinds.some((kind) => kind.startsWith('ORDER'));

  return (
    <Modal
      opened
      onClose={props.onClose}
      size="xl"
      title={before === null ? say('addTitle') : say('changeTitle', { name: before.name })}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
            <TextInput
              label={say('name')}
              required
              maxLength={64}
              data-autofocus
              value={values.name}
              onChange={(event) => set('name', event.currentTarget.value)}
            />
            {text('host', say('host'), { required: true, maxLength: 255 })}
            <NumberInput
              label={say('port')}
              required
              min={1}
              max={65535}
              allowDecimal={false}
              thousandSeparator=""
              value={values.port}
              onChange={(value) => set('port', Number(value))}
            />
          </SimpleGrid>
          <Group gap="lg">
            <Switch
              label={say('tls')}
              checked={values.tls}
              onChange={(event) => set('tls', event.currentTarget.checked)}
            />
            <Switch
              label={say('checkHost')}
              disabled={!values.tls}
              checked={values.check_host}
              onChange={(event) => set('check_host', event.currentTarget.checked)}
            />
            <Switch
              label={say('isActive')}
              checked={values.is_active}
              onChange={(event) => set('is_active', event.currentTarget.checked)}
            />
          </Group>
          <Fieldset legend={say('isTold')}>
            <Checkbox.Group value={values.kinds} onChange={(kinds) => set('kinds', kinds as Kind[])}>
              <Stack gap={6}>
                {KINDS.map((kind) => (
                  <Checkbox
                    key={kind}
                    value={kind}
                    label={say(kind)}
                    description={say(`${kind} hint`)}
                    disabled={
                      (kind === 'PATIENTS' && values.kinds.includes('ADT FORWARD')) ||
                      (kind === 'ADT FORWARD' && values.kinds.includes('PATIENTS'))
                    }
                  />
                ))}
              </Stack>
            </Checkbox.Group>
            <Group gap="lg" mt="sm">
              {hasOrders ? (
                <Stack gap={4}>
                  <Text size="sm">{say('orderProfile')}</Text>
                  <SegmentedControl
                    aria-label={say('orderProfile')}
                    size="xs"
                    value={values.order_profile}
                    onChange={(value) => set('order_profile', value as Values['order_profile'])}
                    data={[
                      { value: 'OMI^O23', label: 'OMI^O23 (2.5.1)' },
                      { value: 'ORM^O01', label: 'ORM^O01 + ZDS (2.3.1)' },
                    ]}
                  />
                </Stack>
              ) : null}
              {values.kinds.includes('PATIENTS') ? (
                <Stack gap={4}>
                  <Text size="sm">{say('adtProfile')}</Text>
                  <SegmentedControl
                    aria-label={say('adtProfile')}
                    size="xs"
                    value={values.adt_profile}
                    onChange={(value) => set('adt_profile', value as Values['adt_profile'])}
                    data={[
                      { value: 'PAM-FR', label: 'IHE PAM France 2.11' },
                      { value: 'INTERNATIONAL', label: 'HL7 2.5' },
                    ]}
                  />
                </Stack>
              ) : null}
            </Group>
          </Fieldset>
          <Fieldset legend={say('only')}>
            <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
              {tags('modalities', say('modalities'), MODALITIES)}
              {tags('requesting_services', say('services'))}
              {tags('authorities', say('authorities'))}
              {tags('patient_classes', say('classes'), ['E', 'I', 'O', 'R', 'V'])}
              {tags('actions', say('events'), ACTIONS)}
            </SimpleGrid>
          </Fieldset>
          <Fieldset legend={say('header')}>
            <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
              {text('sending_application', say('sendingApplication'), { maxLength: 180 })}
              {text('sending_facility', say('sendingFacility'), { maxLength: 180 })}
              {text('receiving_application', say('receivingApplication'), { maxLength: 180 })}
              {text('receiving_facility', say('receivingFacility'), { maxLength: 180 })}
              <Select
                label={say('characterSet')}
                allowDeselect={false}
                data={[...CHARACTER_SETS]}
                value={values.character_set}
                onChange={(value) => value && set('character_set', value as Values['character_set'])}
              />
              <Select
                label={say('acknowledgment')}
                allowDeselect={false}
                data={[
                  { value: 'ORIGINAL', label: say('ORIGINAL') },
                  { value: 'ENHANCED', label: say('ENHANCED') },
                ]}
                value={values.acknowledgment_mode}
                onChange={(value) =>
                  value && set('acknowledgment_mode', value as Values['acknowledgment_mode'])
                }
              />
              <NumberInput
                label={say('connectTimeout')}
                min={1}
                max={300}
                value={values.connect_timeout_s}
                onChange={(value) => set('connect_timeout_s', Number(value))}
              />
              <NumberInput
                label={say('answerTimeout')}
                min={1}
                max={3600}
                value={values.answer_timeout_s}
                onChange={(value) => set('answer_timeout_s', Number(value))}
              />
            </SimpleGrid>
            <Switch
              mt="sm"
              label={say('holds')}
              description={say('holdsHint')}
              checked={values.holds_after_refusal}
              onChange={(event) => set('holds_after_refusal', event.currentTarget.checked)}
            />
          </Fieldset>
          {save.isError ? <Failure error={save.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={values.kinds.length === 0}>
              {say('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
