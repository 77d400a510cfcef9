import { Box, Group, Modal, ScrollArea, Text, TextInput, UnstyledButton } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useMessages, useTranslated } from '../i18n';
import { messages } from '../messages';
import { useActionList } from './ActionsProvider';
import { Keys } from './Keys';
import classes from './Palette.module.css';
import { type Action, type ActionRegistry, folded } from './registry';

/** Every action by its name. */
export function Palette(props: {
  readonly registry: ActionRegistry;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  return (
    <Modal.Root
      opened={props.opened}
      onClose={props.onClose}
      yOffset="12vh"
      padding={0}
      size="lg"
      transitionProps={{ duration: 0 }}
    >
      <Modal.Overlay backgroundOpacity={0.4} />
      <Modal.Content aria-label={say('palette')}>
        <Commands registry={props.registry} onClose={props.onClose} />
      </Modal.Content>
    </Modal.Root>
  );
}

function Commands(props: { readonly registry: ActionRegistry; readonly onClose: () => void }): ReactNode {
  const { registry, onClose } = props;
  const say = useMessages(messages);
  const translate = useTranslated();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const words = folded(text).split(/\s+/).filter(Boolean);
  const found = useActionList(registry).filter((action) => {
    if (action.isHidden === true || action.isEnabled === false) return false;
    const group = action.group === undefined ? '' : translate(action.group);
    const hay = folded(`${group} ${translate(action.label)} ${action.keywords ?? ''}`);
    return words.every((word) => hay.includes(word));
  });
  const current = Math.min(at, found.length - 1);

  useEffect(() => {
    list.current?.querySelector(`[data-at="${current}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  function perform(action: Action | undefined): void {
    if (action === undefined) return;
    onClose();
    action.perform();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((current + move + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      perform(found[current]);
    }
  }

  return (
    <Box>
      <TextInput
        autoFocus
        data-autofocus
        size="md"
        variant="unstyled"
        px="md"
        placeholder={say('palettePlaceholder')}
        aria-label={say('palettePlaceholder')}
        role="combobox"
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${current}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ScrollArea.Autosize mah="50vh" className={classes['list'] ?? ''}>
        <Box ref={list} id={`${id}-list`} role="listbox" aria-label={say('palette')} p={4}>
          {found.map((action, index) => (
            <UnstyledButton
              key={action.id}
              id={`${id}-${index}`}
              data-at={index}
              role="option"
              aria-selected={index === current}
              tabIndex={-1}
              className={classes['option'] ?? ''}
              onMouseMove={() => setAt(index)}
              onClick={() => perform(action)}
            >
              <Group justify="space-between" wrap="nowrap">
                <Text span size="sm">
                  {action.group === undefined ? null : (
                    <Text span c="dimmed" inherit>
                      {translate(action.group)} ·{' '}
                    </Text>
                  )}
                  {translate(action.label)}
                </Text>
                {[action.shortcut ?? []]
                  .flat()
                  .slice(0, 1)
                  .map((shortcut) => (
                    <Keys key={shortcut} shortcut={shortcut} />
                  ))}
              </Group>
            </UnstyledButton>
          ))}
        </Box>
        {found.length === 0 ? (
          <Text size="sm" c="dimmed" p="md">
            {say('paletteNone')}
          </Text>
        ) : null}
      </ScrollArea.Autosize>
    </Box>
  );
}
