import { Box, Group, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import classes from './Panel.module.css';

/** A part of a page with its heading. */
export function Panel(props: {
  readonly title?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Content touches the border: tables. */
  readonly isFlush?: boolean;
}): ReactNode {
  const id = useId();
  return (
    <Box
      component="section"
      className={classes['panel'] ?? ''}
      aria-labelledby={props.title === undefined ? undefined : id}
    >
      {props.title === undefined ? null : (
        <Group justify="space-between" className={classes['head'] ?? ''}>
          <Title order={2} id={id} size="h3">
            {props.title}
          </Title>
          {props.actions}
        </Group>
      )}
      <Box p={props.isFlush === true ? 0 : 'sm'}>{props.children}</Box>
    </Box>
  );
}
