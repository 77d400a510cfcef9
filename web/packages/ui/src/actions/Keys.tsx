import { Group, Kbd, Text } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';
import { useKeyNames } from './ActionsProvider';
import { parseShortcut } from './shortcut';

/** A shortcut as keys to press. */
export function Keys(props: { readonly shortcut: string }): ReactNode {
  const say = useMessages(messages);
  const name = useKeyNames();
  return (
    <Group gap={4} wrap="nowrap" component="span">
      {parseShortcut(props.shortcut).map((stroke, index) => {
        const keys = [stroke.mod && 'mod', stroke.alt && 'alt', stroke.shift && 'shift', stroke.key];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: strokes have no other identity
          <Fragment key={index}>
            {index > 0 ? (
              <Text span size="xs" c="dimmed">
                {say('key_sequence')}
              </Text>
            ) : null}
            {keys
              .filter((key) => key !== false)
              .map((key) => (
                <Kbd key={key} size="xs">
                  {name(key)}
                </Kbd>
              ))}
          </Fragment>
        );
      })}
    </Group>
  );
}
