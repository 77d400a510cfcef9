import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { createContext, type ReactNode, use, useCallback, useState } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';

export interface Question {
  readonly title: string;
  /** What will happen, and what will not. */
  readonly text: ReactNode;
  /** The verb of what is done: "Delete", never "OK". */
  readonly verb: string;
  /** It destroys something. */
  readonly isDangerous?: boolean;
}

type Ask = (question: Question) => Promise<boolean>;

const Context = createContext<Ask | null>(null);

/** Holds the one dialog that asks before something that cannot be undone. */
export function ConfirmProvider(props: { readonly children: ReactNode }): ReactNode {
  const say = useMessages(messages);
  const [asked, setAsked] = useState<{ question: Question; answer: (yes: boolean) => void } | null>(null);
  const ask = useCallback<Ask>(
    (question) => new Promise((resolve) => setAsked({ question, answer: resolve })),
    [],
  );

  function answer(yes: boolean): void {
    asked?.answer(yes);
    setAsked(null);
  }

  return (
    <Context value={ask}>
      {props.children}
      <Modal
        opened={asked !== null}
        zIndex={300} // above the dialog that asks
        onClose={() => answer(false)}
        title={asked?.question.title}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        <Stack>
          <Text size="sm" component="div">
            {asked?.question.text}
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" data-autofocus onClick={() => answer(false)}>
              {say('cancel')}
            </Button>
            <Button
              {...(asked?.question.isDangerous === true ? { color: 'red' } : {})}
              onClick={() => answer(true)}
            >
              {asked?.question.verb}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Context>
  );
}

/**
 * Ask before something that cannot be undone. What can be undone is done at once, with
 * `notify.done(text, undo)`.
 */
export function useConfirm(): Ask {
  const ask = use(Context);
  if (ask === null) throw new Error('a component that asks stands outside ConfirmProvider');
  return ask;
}
