import { ActionIcon, Button, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';

/** A text to be taken elsewhere: a UID, a token, a command. */
export function CopyText(props: {
  readonly text: string;
  /** Shown in place of the text, where it is long. */
  readonly label?: string;
  /** The text stands elsewhere; only the button is shown. */
  readonly isHidden?: boolean;
}): ReactNode {
  const say = useMessages(messages);
  if (props.label !== undefined) {
    return (
      <CopyButton value={props.text}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            onClick={copy}
          >
            {copied ? say('copied') : props.label}
          </Button>
        )}
      </CopyButton>
    );
  }
  return (
    <Group gap={4} wrap="nowrap" miw={0}>
      {props.isHidden === true ? null : <Code style={{ overflowWrap: 'anywhere' }}>{props.text}</Code>}
      <CopyButton value={props.text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? say('copied') : say('copy')}>
            <ActionIcon onClick={copy} aria-label={copied ? say('copied') : say('copy')} size="sm">
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
