import { ActionIcon, Box, Button, Group, Select, Stack, Text } from '@mantine/core';
import { call, type RegisteredPatient } from '@negatoscope/api-client';
import { PageHeader, Panel, useLanguage, useMessages, useNotify } from '@negatoscope/ui';
import { IconX } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { PatientPicker } from '../patients/PatientPicker';
import { messages } from './messages';
import { type Chosen, chosenName, ProcedurePicker, sentProcedure } from './ProcedurePicker';
import { MODALITIES } from './search';
import { WordsFields } from './WordsFields';
import { NOTHING, sentWords } from './words';

/** An order typed in at the desk. */
export function NewOrderPage(): ReactNode {
  const say = useMessages(messages);
  const { language } = useLanguage();
  const notify = useNotify();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ from: '/signed-in/shell/orders/new' });
  const named = useQuery({
    queryKey: ['registered-patients', 'file', search.patient],
    queryFn: ({ signal }) =>
      call('GET /api/v1/registered-patients/{number}', { path: { number: search.patient ?? 0 }, signal }),
    enabled: search.patient !== undefined,
  });
  const [picked, setPicked] = useState<RegisteredPatient | null | undefined>(undefined);
  const patient = picked === undefined ? (named.data ?? null) : picked;
  const [procedures, setProcedures] = useState<readonly Chosen[]>([]);
  const [typed, setTyped] = useState(NOTHING);
  const [isChecked, setChecked] = useState(false);
  const make = useMutation({
    mutationFn: (number: number) =>
      call('POST /api/v1/orders', {
        body: {
          patient: number,
          procedures: procedures.map(sentProcedure),
          ...sentWords(typed),
        },
      }),
    onSuccess: (order) => {
      notify.done(say('made', { number: order.accession_number }));
      client.setQueryData(['orders', 'file', order.id], order);
      void client.invalidateQueries({ queryKey: ['orders', 'list'] });
      void navigate({ to: '/orders/$number', params: { number: String(order.id) } });
    },
    onError: notify.failed,
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setChecked(true);
    if (patient !== null && procedures.length > 0 && typed.clinicalQuestion.trim() !== '')
      make.mutate(patient.id);
  }

  const asks = procedures.some((one) => 'entry' in one && (one.entry.safety_questions ?? []).length > 0);
  return (
    <form onSubmit={submit} noValidate>
      <PageHeader title={say('newOrder')} />
      <Stack gap="sm" maw={900}>
        <Panel title={say('who')}>
          <PatientPicker
            value={patient}
            onPick={setPicked}
            autoFocus={search.patient === undefined}
            isRequired
            {...(isChecked && patient === null ? { error: say('needPatient') } : {})}
          />
        </Panel>
        <Panel title={say('what')}>
          <Stack gap="xs">
            {procedures.map((one, index) => (
              <Group
                key={'words' in one ? one.words : one.entry.id}
                justify="space-between"
                wrap="nowrap"
                px="sm"
                py={6}
                style={{ border: '1px solid var(--n-border)', borderRadius: 'var(--mantine-radius-sm)' }}
              >
                <Box miw={0}>
                  <Text size="sm" fw={600} truncate>
                    {chosenName(one, language)}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {'words' in one
                      ? say('inWords')
                      : [
                          one.entry.modality,
                          one.entry.code_value,
                          say('minutes', { count: one.entry.duration_min ?? 0 }),
                          one.entry.contrast === 'REQUIRED'
                            ? say('contrast', { agent: one.entry.contrast_agent || '✓' })
                            : '',
                          one.entry.needs_vetting ? say('needsVetting') : '',
                        ]
                          .filter(Boolean)
                          .join(' · ')}
                  </Text>
                </Box>
                {'words' in one ? (
                  <Select
                    ml="auto"
                    w={130}
                    size="xs"
                    aria-label={say('modality')}
                    placeholder={say('modality')}
                    clearable
                    value={one.modality === '' ? null : one.modality}
                    data={[...MODALITIES]}
                    onChange={(modality) =>
                      setProcedures(
                        procedures.map((each, other) =>
                          other === index ? { words: one.words, modality: modality ?? '' } : each,
                        ),
                      )
                    }
                  />
                ) : null}
                <ActionIcon
                  variant="subtle"
                  aria-label={`${say('remove')}: ${chosenName(one, language)}`}
                  onClick={() => setProcedures(procedures.filter((_, at) => at !== index))}
                >
                  <IconX size={16} aria-hidden />
                </ActionIcon>
              </Group>
            ))}
            <ProcedurePicker
              label={say('addProcedure')}
              takesWords
              onPick={(chosen) => {
                const isThere = procedures.some((one) =>
                  'words' in one
                    ? 'words' in chosen && one.words === chosen.words
                    : 'entry' in chosen && one.entry.id === chosen.entry.id,
                );
                if (!isThere) setProcedures([...procedures, chosen]);
              }}
              {...(isChecked && procedures.length === 0 ? { error: say('needProcedure') } : {})}
            />
            {asks ? (
              <Text size="xs" c="dimmed">
                {say('safetyAhead')}
              </Text>
            ) : null}
          </Stack>
        </Panel>
        <Panel title={say('why')}>
          <WordsFields
            typed={typed}
            onChange={setTyped}
            {...(isChecked && typed.clinicalQuestion.trim() === ''
              ? { questionError: say('needQuestion') }
              : {})}
          />
        </Panel>
        <Group justify="flex-end" gap="xs" pb="md">
          <Button variant="default" onClick={() => void navigate({ to: '/orders' })}>
            {say('cancel')}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {say('order')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
