import {
  Button,
  Group,
  Modal,
  NumberInput,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { call, type Setting } from '@negatoscope/api-client';
import { Failure, useFormat, useLanguage, useMessages } from '@negatoscope/ui';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages as common } from '../messages';
import { messages } from './messages';

/** Give a setting another value. */
export function SettingForm(props: {
  readonly setting: Setting;
  readonly shown: (value: unknown) => string;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const format = useFormat();
  const { language } = useLanguage();
  const { setting } = props;
  const [value, setValue] = useState<unknown>(
    setting.kind === 'list' ? (setting.value as string[]).join('\n') : setting.value,
  );
  const save = useMutation({
    mutationFn: () => {
      const told =
        setting.kind === 'list'
          ? String(value)
              .split('\n')
              .map((line) => line.trim())
              .filter((line) => line !== '')
          : value;
      return call('PUT /api/v1/settings/{name}', { path: { name: setting.name }, body: { value: told } });
    },
    onSuccess: (saved) => props.onSaved(saved.name),
  });
  const { minimum, maximum } = setting;
  const bounds =
    minimum === null
      ? ''
      : maximum === null
        ? say('atLeast', { low: format.number(minimum) })
        : say('between', { low: format.number(minimum), high: format.number(maximum) });
  const unit =
    setting.kind === 'bytes' ? say('bytesHint') : setting.kind === 'seconds' ? say('secondsHint') : '';
  const label = say('newValue');

  function submit(event: FormEvent): void {
    event.preventDefault();
    save.mutate();
  }

  function input(): ReactNode {
    switch (setting.kind) {
      case 'choice':
        return (
          <Select
            label={label}
            allowDeselect={false}
            data={setting.choices}
            value={String(value)}
            onChange={setValue}
          />
        );
      case 'boolean':
        return (
          <Switch
            label={label}
            checked={value === true}
            onChange={(event) => setValue(event.currentTarget.checked)}
          />
        );
      case 'integer':
      case 'number':
      case 'bytes':
      case 'seconds':
        return (
          <NumberInput
            label={label}
            description={`${unit} ${bounds}`.trim()}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            required
            data-autofocus
            value={value as number}
            onChange={setValue}
          />
        );
      case 'list':
        return (
          <Textarea
            label={label}
            description={say('listHint')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            autosize
            minRows={2}
            data-autofocus
            value={String(value)}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        );
      default:
        return (
          <TextInput
            label={label}
            data-autofocus
            value={String(value ?? '')}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        );
    }
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('changeTitle', { name: setting.name })}
      closeButtonProps={{ 'aria-label': sayCommon('close') }}
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text size="sm">{language === 'fr' ? setting.french : setting.english}</Text>
          {input()}
          <Text size="xs" c="dimmed">
            {say('defaultValue', { value: props.shown(setting.default) })}
          </Text>
          {save.isError ? <Failure error={save.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {sayCommon('cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {sayCommon('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
