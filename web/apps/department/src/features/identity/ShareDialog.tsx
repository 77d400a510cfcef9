import {
  Alert,
  Button,
  Group,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { CopyText, Failure, useMessages } from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

/** Make a link to a study; for who has the function `share`. */
export function ShareDialog(props: { readonly study: string; readonly onClose: () => void }): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const [hours, setHours] = useState('168');
  const [description, setDescription] = useState('');
  const [pin, setPin] = useState('');
  const [uses, setUses] = useState<number | string>('');
  const make = useMutation({
    mutationFn: () =>
      call('POST /api/v1/links', {
        body: {
          study_instance_uid: props.study,
          expires_in_hours: Number(hours),
          description: description.trim(),
          pin: pin === '' ? null : pin,
          max_uses: uses === '' ? null : Number(uses),
        },
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['links'] }),
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('share')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      {make.data !== undefined ? (
        <Alert color="teal" variant="light">
          <Stack gap="xs">
            <Text size="sm">{say('linkMade')}</Text>
            <CopyText text={make.data.url} />
          </Stack>
        </Alert>
      ) : (
        <form onSubmit={onSubmit}>
          <Stack gap="sm">
            <Text size="sm">{say('shareText')}</Text>
            {make.isError ? <Failure error={make.error} /> : null}
            <TextInput
              label={say('description')}
              data-autofocus
              maxLength={200}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
            <Select
              label={say('hours')}
              allowDeselect={false}
              data={[
                { value: '24', label: say('oneDay') },
                { value: '168', label: say('oneWeek') },
                { value: '720', label: say('oneMonth') },
              ]}
              value={hours}
              onChange={(value) => setHours(value ?? '168')}
            />
            <PasswordInput
              label={say('pin')}
              description={say('pinHint')}
              autoComplete="off"
              maxLength={20}
              value={pin}
              onChange={(event) => setPin(event.currentTarget.value)}
            />
            <NumberInput label={say('maxUses')} min={1} max={10_000} value={uses} onChange={setUses} />
            <Group justify="flex-end">
              <Button type="submit" loading={make.isPending}>
                {say('makeLink')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
