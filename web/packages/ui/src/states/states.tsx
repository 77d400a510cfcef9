import { Alert, Button, Center, Group, Loader, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconInbox } from '@tabler/icons-react';
import { Component, type ReactNode, useEffect, useState } from 'react';
import { useMessages } from '../i18n';
import { messages } from '../messages';
import { describe, problemMessages } from './problems';

const PATIENCE_MS = 250;

/** Something is being fetched. Shown after a moment only: what is quick must not flicker. */
export function Loading(props: { readonly label?: string }): ReactNode {
  const say = useMessages(messages);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Center py="xl" role="status">
      {isShown ? (
        <Group gap="xs">
          <Loader size="xs" />
          <Text size="sm" c="dimmed">
            {props.label ?? say('loading')}
          </Text>
        </Group>
      ) : null}
    </Center>
  );
}

/** There is nothing to show, why, and what could be done about it. */
export function Empty(props: {
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  const say = useMessages(messages);
  return (
    <Center py="xl">
      <Stack align="center" gap={4} maw={420}>
        <IconInbox size={28} stroke={1.3} aria-hidden color="var(--mantine-color-dimmed)" />
        <Text fw={600} size="sm" ta="center">
          {props.title ?? say('nothing')}
        </Text>
        {props.children === undefined ? null : (
          <Text size="sm" c="dimmed" ta="center">
            {props.children}
          </Text>
        )}
        {props.action}
      </Stack>
    </Center>
  );
}

/** What went wrong, in one sentence, and how to try again. */
export function Failure(props: { readonly error: unknown; readonly onRetry?: () => void }): ReactNode {
  const say = useMessages(messages);
  const sayProblem = useMessages(problemMessages);
  const { error, onRetry } = props;
  const detail = typeof error === 'object' && error !== null && 'detail' in error ? error.detail : undefined;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} aria-hidden />} role="alert">
      <Stack gap={6} align="flex-start">
        <Text size="sm">{describe(error, sayProblem)}</Text>
        {typeof detail === 'string' ? (
          <Text size="xs" c="dimmed" lang="en">
            {detail}
          </Text>
        ) : null}
        {onRetry === undefined ? null : (
          <Button variant="default" onClick={onRetry}>
            {say('retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** A component below it threw: says so and lets the rest of the page live. */
export class ErrorBoundary extends Component<
  { readonly children: ReactNode; readonly onError?: (error: unknown) => void },
  { readonly error: unknown }
> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    this.props.onError?.(error);
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <Crash error={this.state.error} onRetry={() => this.setState({ error: null })} />;
  }
}

/** What stands where a component threw. */
export function Crash(props: { readonly error: unknown; readonly onRetry: () => void }): ReactNode {
  const say = useMessages(messages);
  const isProblem = typeof props.error === 'object' && props.error !== null && 'code' in props.error;
  if (isProblem) return <Failure error={props.error} onRetry={props.onRetry} />;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={say('failed')}
      role="alert"
    >
      <Stack gap={6} align="flex-start">
        <Text size="sm">{say('failedHint')}</Text>
        <Text size="xs" c="dimmed" ff="monospace" lang="en">
          {String(props.error)}
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={props.onRetry}>
            {say('retry')}
          </Button>
          <Button variant="default" onClick={() => window.location.reload()}>
            {say('reload')}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
