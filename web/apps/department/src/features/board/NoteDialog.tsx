import { ActionIcon, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type BoardRow, call } from '@negatoscope/api-client';
import { useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { IconTrash } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';
import { type Changed, nameOf } from './rows';

const MAX_NOTE = 300;

/** What the others are told about a row: a line more, or one taken away. */
export function NoteDialog(props: {
  readonly row: BoardRow;
  readonly onClose: () => void;
  readonly reread: (changed: Changed) => Promise<void>;
}): ReactNode {
  const { row } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const [text, setText] = useState('');
  const [isPending, setPending] = useState(false);
  const trimmed = text.trim();

  async function act(run: () => Promise<unknown>): Promise<void> {
    setPending(true);
    try {
      await run();
      props.onClose();
    } catch (error) {
      notify.failed(error);
    } finally {
      setPending(false);
    }
    const changed = { changed_procedure: [], changed_request: [], changed_appointment: [] };
    await props.reread({ ...changed, changed_step: [row.step] }).catch(() => undefined);
  }

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (trimmed === '' || isPending) return;
    void act(() =>
      call('POST /api/v1/board/steps/{step}/notes', { path: { step: row.step }, body: { text: trimmed } }),
    );
  }

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('noteTitle', { name: nameOf(row) })}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form onSubmit={onSubmit}>
        <Stack gap="sm">
          {row.notes.map((note) => (
            <Group key={note.id} justify="space-between" wrap="nowrap" align="flex-start">
              <div>
                <Text size="sm">{note.text}</Text>
                <Text size="xs" c="dimmed">
                  {note.noted_by} · {format.dateTime(note.noted_at)}
                </Text>
              </div>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={say('noteRemove', { text: note.text })}
                disabled={isPending}
                onClick={() =>
                  void act(() =>
                    call('DELETE /api/v1/board/steps/{step}/notes/{note}', {
                      path: { step: row.step, note: note.id },
                    }),
                  )
                }
              >
                <IconTrash size={15} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <TextInput
            label={say('noteText')}
            data-autofocus
            maxLength={MAX_NOTE}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            <Button type="submit" disabled={trimmed === ''} loading={isPending}>
              {say('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
