import {
  Alert,
  Button,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { call, type SafetyState } from '@negatoscope/api-client';
import { Failure, Loading, useMessages, useNotify } from '@negatoscope/ui';
import { IconShieldQuestion } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useMay } from '../session/session';
import { messages } from './messages';

type Answer = NonNullable<SafetyState['answer']>;

interface Draft {
  readonly answer?: Answer;
  readonly value?: number | undefined;
  readonly detail?: string;
}

/** The safety questions of an order: answered here, let go by a radiologist. */
export function SafetyDialog(props: {
  readonly request: number;
  readonly name: string;
  readonly onClose: () => void;
  /** Nothing holds the order up any more. */
  readonly onFree: () => void;
}): ReactNode {
  const { request } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const mayVet = useMay('vet');
  const key = ['safety', request] as const;
  const state = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      call('GET /api/v1/board/requests/{request}/safety', { path: { request }, signal }),
  });
  const [drafts, setDrafts] = useState<Readonly<Record<string, Draft>>>({});
  const [isSending, setSending] = useState(false);

  function draft(question: string, change: Draft): void {
    setDrafts((before) => ({ ...before, [question]: { ...before[question], ...change } }));
  }

  async function take(work: () => Promise<readonly SafetyState[]>): Promise<void> {
    setSending(true);
    try {
      const after = await work();
      client.setQueryData(key, after);
      setDrafts({});
      if (after.every((one) => !one.is_blocking)) {
        notify.done(say('answered'));
        props.onFree();
      }
    } catch (error) {
      notify.failed(error);
    } finally {
      setSending(false);
    }
  }

  const replies = (state.data ?? []).flatMap((one) => {
    const given = drafts[one.question];
    if (given?.answer === undefined && given?.value === undefined) return [];
    const value = given.answer === 'UNKNOWN' ? undefined : given.value;
    return [
      {
        question: one.question,
        ...(given.answer === undefined || value !== undefined ? {} : { answer: given.answer }),
        ...(value === undefined ? {} : { value }),
        detail: given.detail ?? '',
      },
    ];
  });

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={`${say('safetyTitle')} · ${props.name}`}
      closeButtonProps={{ 'aria-label': say('close') }}
      size="lg"
    >
      {state.isError ? (
        <Failure error={state.error} onRetry={() => void state.refetch()} />
      ) : state.data === undefined ? (
        <Loading />
      ) : (
        <Stack gap="md">
          <Alert color="orange" variant="light" icon={<IconShieldQuestion size={18} aria-hidden />}>
            <Text size="sm">
              {say('safetyText')} {mayVet ? null : say('safetyCleared')}
            </Text>
          </Alert>
          {state.data.map((one) => (
            <Question
              key={one.question}
              state={one}
              draft={drafts[one.question] ?? {}}
              onDraft={(change) => draft(one.question, change)}
              onClear={
                mayVet && one.is_blocking && one.answer !== null
                  ? (reason) =>
                      void take(() =>
                        call('POST /api/v1/board/requests/{request}/safety/clearances', {
                          path: { request },
                          body: { question: one.question, reason },
                        }),
                      )
                  : null
              }
            />
          ))}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('close')}
            </Button>
            <Button
              loading={isSending}
              disabled={replies.length === 0}
              onClick={() =>
                void take(() =>
                  call('PUT /api/v1/board/requests/{request}/safety', {
                    path: { request },
                    body: { replies },
                  }),
                )
              }
            >
              {say('answer')}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

function Question(props: {
  readonly state: SafetyState;
  readonly draft: Draft;
  readonly onDraft: (change: Draft) => void;
  readonly onClear: ((reason: string) => void) | null;
}): ReactNode {
  const { state, draft } = props;
  const say = useMessages(messages);
  const [reason, setReason] = useState('');
  const isRenal = state.question === 'RENAL_FUNCTION';
  const answer = draft.answer ?? state.answer ?? '';
  const known = state.value === null ? undefined : Number(state.value);
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {say(state.question)}
      </Text>
      <Group gap="sm" align="center">
        {isRenal ? (
          <NumberInput
            w={190}
            min={1}
            max={200}
            aria-label={say('RENAL_FUNCTION')}
            rightSectionWidth={100}
            rightSection={
              <Text size="xs" c="dimmed">
                {say('egfr')}
              </Text>
            }
            value={draft.value ?? known ?? ''}
            onChange={(value) => props.onDraft({ value: typeof value === 'number' ? value : undefined })}
          />
        ) : (
          <SegmentedControl
            size="xs"
            aria-label={say(state.question)}
            value={answer}
            data={[
              { value: 'NO', label: say('no') },
              { value: 'YES', label: say('yes') },
              { value: 'UNKNOWN', label: say('unknown') },
            ]}
            onChange={(value) => props.onDraft({ answer: value as Answer })}
          />
        )}
        {answer === 'YES' || (isRenal && state.is_blocking) ? (
          <TextInput
            flex={1}
            aria-label={say('detail')}
            placeholder={say('detail')}
            value={draft.detail ?? state.detail}
            maxLength={1000}
            onChange={(event) =>
              props.onDraft({ answer: answer === '' ? 'YES' : answer, detail: event.currentTarget.value })
            }
          />
        ) : null}
      </Group>
      {props.onClear === null ? null : (
        <Group gap="xs">
          <TextInput
            flex={1}
            aria-label={say('clearReason')}
            placeholder={say('clearReason')}
            value={reason}
            maxLength={1000}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Button
            variant="light"
            color="orange"
            disabled={reason.trim() === ''}
            onClick={() => props.onClear?.(reason.trim())}
          >
            {say('letGoOn')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
