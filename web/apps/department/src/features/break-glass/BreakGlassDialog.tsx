import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

const LEAST = 10;

/** Ask why a file outside the account's scope is opened; for a refusal with the code `outside-scope`. */
export function BreakGlassDialog(props: {
  readonly study: string;
  readonly onOpened: () => void;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const open = useMutation({
    mutationFn: () => call('POST /api/v1/break-glass', { body: { study_instance_uid: props.study, reason } }),
    onSuccess: async () => {
      await client.invalidateQueries();
      props.onOpened();
    },
  });
  const isReason = reason.trim().length >= LEAST;

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (isReason && !open.isPending) open.mutate();
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('title')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form onSubmit={onSubmit}>
        <Stack gap="sm">
          <Alert color="orange" variant="light" icon={<IconAlertTriangle size={18} aria-hidden />}>
            {say('outside')}
          </Alert>
          <Text size="sm">{say('explain')}</Text>
          {open.isError ? <Failure error={open.error} /> : null}
          <Textarea
            label={say('reason')}
            description={say('reasonHint')}
            required
            data-autofocus
            autosize
            minRows={3}
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            <Button type="submit" color="red" loading={open.isPending} disabled={!isReason}>
              {say('open')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
