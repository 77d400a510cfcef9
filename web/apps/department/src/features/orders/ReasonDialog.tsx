import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

/** Why something is done; it is done with the words that were typed. */
export function ReasonDialog(props: {
  readonly title: string;
  readonly text?: string;
  readonly hint?: string;
  readonly verb: string;
  readonly isDangerous?: boolean;
  readonly isRequired?: boolean;
  readonly isSending?: boolean;
  readonly onDo: (reason: string) => void;
  readonly onClose: () => void;
  /** Above the reason. */
  readonly children?: ReactNode;
}): ReactNode {
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  const [isChecked, setChecked] = useState(false);
  const isMissing = props.isRequired === true && reason.trim() === '';
  function submit(event: FormEvent): void {
    event.preventDefault();
    setChecked(true);
    if (!isMissing) props.onDo(reason.trim());
  }
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.title}
      closeButtonProps={{ 'aria-label': say('close') }}
      size="md"
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          {props.text === undefined ? null : <Text size="sm">{props.text}</Text>}
          {props.children}
          <Textarea
            label={say('reason')}
            placeholder={props.hint}
            autosize
            minRows={2}
            maxLength={1000}
            data-autofocus={props.children === undefined ? true : undefined}
            withAsterisk={props.isRequired === true}
            value={reason}
            error={isChecked && isMissing ? say('needReason') : undefined}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('close')}
            </Button>
            <Button
              type="submit"
              loading={props.isSending === true}
              {...(props.isDangerous === true ? { color: 'red' } : {})}
            >
              {props.verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
