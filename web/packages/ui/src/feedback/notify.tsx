import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useMemo } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';
import { describe, problemMessages } from '../states/problems';

export interface Notify {
  /** Something was done; with `undo`, it can be taken back for some seconds. */
  readonly done: (text: string, undo?: () => void) => void;
  /** Something failed that has no place of its own on the page. */
  readonly failed: (error: unknown) => void;
  readonly info: (text: string) => void;
}

const DONE_MS = 4000;
const UNDO_MS = 10_000;
const FAILED_MS = 12_000;

let count = 0;

/** Short messages at the edge of the page. */
export function useNotify(): Notify {
  const say = useMessages(messages);
  const sayProblem = useMessages(problemMessages);
  return useMemo<Notify>(() => {
    function show(message: ReactNode, color: string, autoClose: number): string {
      count += 1;
      return notifications.show({
        id: `notify-${count}`,
        message,
        color,
        autoClose,
        closeButtonProps: { 'aria-label': say('close') },
      });
    }
    return {
      done(text, undo) {
        if (undo === undefined) {
          show(text, 'teal', DONE_MS);
          return;
        }
        const id = show(
          <Group justify="space-between" wrap="nowrap">
            <Text size="sm">{text}</Text>
            <Button
              variant="default"
              size="compact-xs"
              style={{ flex: 'none' }}
              onClick={() => {
                notifications.hide(id);
                undo();
              }}
            >
              {say('undo')}
            </Button>
          </Group>,
          'teal',
          UNDO_MS,
        );
      },
      failed: (error) => void show(describe(error, sayProblem), 'red', FAILED_MS),
      info: (text) => void show(text, 'gray', DONE_MS),
    };
  }, [say, sayProblem]);
}
