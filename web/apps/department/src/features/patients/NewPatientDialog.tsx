import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { call, type PatientFile, Problem, type RegisteredPatient } from '@negatoscope/api-client';
import { Failure, useMessages } from '@negatoscope/ui';
import { useMutation, useQueries, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';
import { PatientLine } from './PatientLine';
import { TraitFields } from './TraitFields';
import { errorsOf, fromSearch, toBody } from './traits';

/** Make a file for somebody who is at the desk; known patients with the same traits are shown first. */
export function NewPatientDialog(props: {
  /** What the search box held. */
  readonly typed?: string;
  readonly onClose: () => void;
  readonly onMade: (patient: RegisteredPatient) => void;
}): ReactNode {
  const say = useMessages(messages);
  const client = useQueryClient();
  const [typed, setTyped] = useState(() => fromSearch(props.typed ?? ''));
  const [isChecked, setChecked] = useState(false);
  const make = useMutation({
    mutationFn: (evenIfSimilar: boolean): Promise<PatientFile> =>
      call('POST /api/v1/registered-patients', {
        body: { ...toBody(typed), even_if_similar: evenIfSimilar },
      }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['registered-patients'] });
      props.onMade(made);
    },
  });
  const similar = similarOf(make.error);
  const known = useQueries({
    queries: similar.map((number) => ({
      queryKey: ['registered-patient', number],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call('GET /api/v1/registered-patients/{number}', { path: { number }, signal }),
    })),
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    event.stopPropagation(); // the picker may stand inside another form
    setChecked(true);
    if (Object.keys(errorsOf(typed)).length === 0 && !make.isPending) make.mutate(false);
  }

  return (
    <Modal
      opened
      size="lg"
      onClose={props.onClose}
      title={say('newTitle')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            {say('newText')}
          </Text>
          <TraitFields
            typed={typed}
            isChecked={isChecked}
            onChange={(next) => {
              setTyped(next);
              if (make.isError) make.reset();
            }}
          />
          {similar.length > 0 ? (
            <Alert
              color="yellow"
              variant="light"
              title={say('similar', { count: similar.length })}
              role="alert"
            >
              <Stack gap={6}>
                {known.map((one) =>
                  one.data === undefined ? null : (
                    <Group key={one.data.id} wrap="nowrap" justify="space-between">
                      <PatientLine patient={one.data} />
                      <Button
                        size="compact-sm"
                        variant="default"
                        flex="none"
                        onClick={() => props.onMade(one.data)}
                      >
                        {say('take')}
                      </Button>
                    </Group>
                  ),
                )}
              </Stack>
            </Alert>
          ) : make.isError ? (
            <Failure error={make.error} />
          ) : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {say('cancel')}
            </Button>
            {similar.length > 0 ? (
              <Button color="yellow" loading={make.isPending} onClick={() => make.mutate(true)}>
                {say('createAnyway')}
              </Button>
            ) : (
              <Button type="submit" loading={make.isPending}>
                {say('create')}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function similarOf(error: unknown): readonly number[] {
  if (!(error instanceof Problem) || error.code !== 'similar-patients') return [];
  const { patients } = error.document;
  return Array.isArray(patients) ? patients.filter((one) => typeof one === 'number') : [];
}
