import { Alert, Group, Loader, Stack, Text } from '@mantine/core';
import type { Echo } from '@negatoscope/api-client';
import { useMessages } from '@negatoscope/ui';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { messages as common } from '../messages';
import { diagnoses, messages } from './messages';

/** What the test of a device found, and what to do. */
export function TestResult(props: {
  readonly name: string;
  readonly result: Echo | null;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const sayDiagnosis = useMessages(diagnoses);
  const { name, result } = props;
  if (result === null) {
    return (
      <Alert color="gray" variant="light" role="status">
        <Group gap="xs">
          <Loader size="xs" />
          <Text size="sm">{say('testing', { name })}</Text>
        </Group>
      </Alert>
    );
  }
  const facts = [
    [say('detail'), result.reason],
    [say('called'), result.address],
    [say('session'), result.tls],
    [say('peer'), result.implementation],
  ].filter(([, value]) => value !== '');
  return (
    <Alert
      color={result.answers ? 'teal' : 'red'}
      variant="light"
      role="status"
      icon={result.answers ? <IconCircleCheck size={18} /> : <IconAlertTriangle size={18} />}
      title={result.answers ? say('answered', { name, ms: result.milliseconds }) : say('silent', { name })}
      withCloseButton
      closeButtonLabel={sayCommon('close')}
      onClose={props.onClose}
    >
      <Stack gap={4}>
        {result.answers ? null : (
          <Text size="sm">{sayDiagnosis(result.code, { ours: result.our_ae_title })}</Text>
        )}
        {facts.map(([label, value]) => (
          <Text key={label} size="xs" c="dimmed">
            {say('fact', { label: label ?? '', value: value ?? '' })}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
