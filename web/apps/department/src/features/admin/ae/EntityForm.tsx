import {
  Button,
  Checkbox,
  Fieldset,
  Group,
  Modal,
  NumberInput,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { type ApplicationEntity, call, type RegisteredEntity } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { GrantsEditor } from '../../identity/GrantsEditor';
import { messages as common } from '../messages';
import { messages } from './messages';

export type Draft =
  | { readonly kind: 'add'; readonly ae_title?: string; readonly host?: string }
  | { readonly kind: 'change'; readonly entity: RegisteredEntity };

const ROLES = ['store', 'query', 'retrieve', 'commitment', 'worklist', 'mpps', 'print', 'ups'] as const;
type Role = (typeof ROLES)[number];

interface Values {
  readonly ae_title: string;
  readonly host: string;
  readonly port: number | string;
  readonly description: string;
  readonly roles: readonly Role[];
  readonly tls: boolean;
  readonly tls_required: boolean;
  readonly check_host: boolean;
  readonly is_enabled: boolean;
  readonly certificates: string;
  readonly max_associations: number | string;
}

function initial(draft: Draft): Values {
  if (draft.kind === 'change') {
    const { entity } = draft;
    return {
      ae_title: entity.ae_title,
      host: entity.host,
      port: entity.port,
      description: entity.description ?? '',
      roles: entity.roles ?? [],
      tls: entity.tls ?? false,
      tls_required: entity.tls_required ?? false,
      check_host: entity.check_host ?? false,
      is_enabled: entity.is_enabled ?? true,
      certificates: (entity.certificates ?? []).join('\n'),
      max_associations: entity.max_associations ?? '',
    };
  }
  return {
    ae_title: draft.ae_title ?? '',
    host: draft.host ?? '',
    port: 104,
    description: '',
    roles: ['store'],
    tls: false,
    tls_required: false,
    check_host: false,
    is_enabled: true,
    certificates: '',
    max_associations: '',
  };
}

/** Add or change an entry of the registry. */
export function EntityForm(props: {
  readonly draft: Draft;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const { draft } = props;
  const isNew = draft.kind === 'add';
  const [values, setValues] = useState(() => initial(draft));
  const set = <K extends keyof Values>(key: K, value: Values[K]): void =>
    setValues((before) => ({ ...before, [key]: value }));
  const save = useMutation({
    mutationFn: async () => {
      const body: ApplicationEntity = {
        ae_title: values.ae_title.trim(),
        host: values.host.trim(),
        port: Number(values.port),
        description: values.description,
        roles: [...values.roles],
        tls: values.tls,
        tls_required: values.tls_required,
        check_host: values.check_host,
        is_enabled: values.is_enabled,
        certificates: values.certificates
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== ''),
        max_associations: values.max_associations === '' ? null : Number(values.max_associations),
      };
      if (isNew) return call('POST /api/v1/application-entities', { body });
      const { ae_title, ...address } = body;
      return call('PUT /api/v1/application-entities/{ae_title}', { path: { ae_title }, body: address });
    },
    onSuccess: (saved) => props.onSaved(saved.ae_title),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    save.mutate();
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      size="lg"
      title={isNew ? say('addTitle') : say('editTitle', { name: values.ae_title })}
      closeButtonProps={{ 'aria-label': sayCommon('close') }}
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
            <TextInput
              label={say('aeTitle')}
              description={say('aeTitleHint')}
              required
              maxLength={16}
              disabled={!isNew}
              data-autofocus={isNew || undefined}
              value={values.ae_title}
              onChange={(event) => set('ae_title', event.currentTarget.value)}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
            />
            <TextInput
              label={say('host')}
              required
              maxLength={255}
              value={values.host}
              onChange={(event) => set('host', event.currentTarget.value)}
            />
            <NumberInput
              label={say('port')}
              required
              min={1}
              max={65535}
              allowDecimal={false}
              thousandSeparator=""
              value={values.port}
              onChange={(value) => set('port', value)}
            />
          </SimpleGrid>
          <TextInput
            label={say('description_')}
            maxLength={200}
            value={values.description}
            onChange={(event) => set('description', event.currentTarget.value)}
          />
          <Checkbox.Group
            label={say('roles')}
            value={[...values.roles]}
            onChange={(roles) => set('roles', roles as Role[])}
          >
            <Group gap="md" mt={4}>
              {ROLES.map((role) => (
                <Checkbox key={role} value={role} label={say(role)} />
              ))}
            </Group>
          </Checkbox.Group>
          <Group gap="lg">
            <Switch
              label={say('tls')}
              checked={values.tls}
              onChange={(event) => set('tls', event.currentTarget.checked)}
            />
            <Switch
              label={say('tlsRequired')}
              checked={values.tls_required}
              onChange={(event) => set('tls_required', event.currentTarget.checked)}
            />
            <Switch
              label={say('checkHost')}
              checked={values.check_host}
              onChange={(event) => set('check_host', event.currentTarget.checked)}
            />
            <Switch
              label={say('isEnabled')}
              checked={values.is_enabled}
              onChange={(event) => set('is_enabled', event.currentTarget.checked)}
            />
          </Group>
          <Textarea
            label={say('certificates')}
            description={say('certificatesHint')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            autosize
            minRows={1}
            maxRows={4}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
            value={values.certificates}
            onChange={(event) => set('certificates', event.currentTarget.value)}
          />
          <NumberInput
            label={say('maxAssociations')}
            description={say('maxAssociationsHint')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            min={1}
            max={10_000}
            w={260}
            allowDecimal={false}
            value={values.max_associations}
            onChange={(value) => set('max_associations', value)}
          />
          {save.isError ? <Failure error={save.error} /> : null}
          <Group justify="space-between">
            <Text size="xs" c="dimmed" maw={360}>
              {say('rules')}
            </Text>
            <Group gap="xs">
              <Button variant="default" onClick={props.onClose}>
                {sayCommon('cancel')}
              </Button>
              <Button type="submit" loading={save.isPending}>
                {sayCommon('save')}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
      {props.draft.kind === 'change' ? (
        <Fieldset legend={say('dataScope')} mt="md">
          <GrantsEditor name={props.draft.entity.ae_title} isEntity />
        </Fieldset>
      ) : null}
    </Modal>
  );
}
