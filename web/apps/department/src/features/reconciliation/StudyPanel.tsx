import { Badge, Box, Button, Group, Stack, Text } from '@mantine/core';
import {
  call,
  type DeskAction,
  type DeskOrder,
  type DeskStudy,
  type RegisteredPatient,
} from '@negatoscope/api-client';
import { Failure, type Format, Loading, Panel, useFormat, useMessages } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { partialDate, shownName } from '../patients/names';
import { PatientLine } from '../patients/PatientLine';
import { PatientPicker } from '../patients/PatientPicker';
import { useMay } from '../session/session';
import { viewerAddress } from '../studies/opening';
import { messages } from './messages';
import { PreviewDialog } from './PreviewDialog';

/** A study that waits: what it says, whose and what for it may be. Nothing is decided by itself. */
export function StudyPanel(props: { readonly study: string; readonly onDone: () => void }): ReactNode {
  const { study } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const mayOpen = useMay('retrieve');
  const [action, setAction] = useState<{
    action: DeskAction;
    asksPatient: boolean;
    about: string;
  } | null>(null);
  const [picked, setPicked] = useState<RegisteredPatient | null>(null);
  const found = useQuery({
    queryKey: ['reconciliation', 'study', study],
    queryFn: ({ signal }) => call('GET /api/v1/reconciliation/studies/{study}', { path: { study }, signal }),
  });
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Loading />;
  const { study: one, orders, patients, known } = found.data;
  const others = patients.filter((patient) => patient.id !== one.registered);

  function ask(asked: DeskAction, about = '', asksPatient = false): void {
    setAction({ action: asked, asksPatient, about });
  }

  function named(patient: RegisteredPatient): string {
    return [shownName(patient, format) || say('noName'), partialDate(patient.birth_date, format)]
      .filter(Boolean)
      .join(' · ');
  }

  return (
    <Stack gap="sm">
      <Panel
        title={one.study_description || say('study')}
        actions={
          <Group gap="xs">
            {mayOpen ? (
              <Button
                component="a"
                href={viewerAddress([one.study_instance_uid])}
                variant="default"
                size="compact-sm"
              >
                {say('openImages')}
              </Button>
            ) : null}
            {one.procedure === null ? (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => ask({ kind: 'PUT ASIDE', studies: [study] })}
              >
                {say('putAside')}
              </Button>
            ) : (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => ask({ kind: 'UNBIND', studies: [study] })}
              >
                {say('unbind')}
              </Button>
            )}
          </Group>
        }
      >
        <Stack gap={4}>
          <Text size="sm">
            {[
              format.date(one.study_date),
              format.time(one.study_time),
              one.modalities_in_study.join(' '),
              say('images', { count: one.instance_count }),
              one.accession_number === '' ? '' : say('accession', { number: one.accession_number }),
              one.calling_ae_title === '' ? '' : say('sentBy', { name: one.calling_ae_title }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
          <Text size="sm">
            <Text span c="dimmed">{`${say('objectsSay')} : `}</Text>
            {[saidName(one, format, say('noName')), saidNumber(one, say('noIssuer'))]
              .filter(Boolean)
              .join(' · ')}
          </Text>
          {bindingText(one) === null ? null : (
            <Text size="sm" c="dimmed">
              {say(`binding_${bindingText(one) ?? 'no-order'}`)}
            </Text>
          )}
        </Stack>
      </Panel>
      <Panel title={say('whose')}>
        <Stack gap="xs">
          {known === null ? (
            <Text size="sm">{say('isNobodys')}</Text>
          ) : (
            <div>
              <Text size="xs" c="dimmed">
                {say('isOf')}
                {one.is_moved ? ` (${say('isMoved')})` : ''}
              </Text>
              <PatientLine patient={known} />
            </div>
          )}
          {known === null ? (
            <Text size="xs" c="dimmed">
              {others.length > 0 ? say('sameNumberOrBirth') : say('noPatientProposed')}
            </Text>
          ) : null}
          {(known === null ? others : []).map((patient) => (
            <Group key={patient.id} wrap="nowrap" justify="space-between">
              <Box flex={1} miw={0}>
                <PatientLine patient={patient} />
              </Box>
              <Button
                flex="none"
                size="compact-sm"
                onClick={() => ask({ kind: 'MOVE', patient: patient.id, studies: [study] }, named(patient))}
              >
                {say('giveTo')}
              </Button>
            </Group>
          ))}
          <PatientPicker value={picked} onPick={setPicked} label={say('another')} />
          {picked === null ? null : (
            <Group justify="flex-end">
              <Button
                size="compact-sm"
                onClick={() => ask({ kind: 'MOVE', patient: picked.id, studies: [study] }, named(picked))}
              >
                {say('giveTo')}
              </Button>
            </Group>
          )}
        </Stack>
      </Panel>
      <Panel title={say('whatFor')}>
        {orders.length === 0 ? (
          <Text size="sm" c="dimmed">
            {say(known === null ? 'whoseFirst' : 'noOrderProposed')}
          </Text>
        ) : null}
        <Stack gap="xs">
          {orders.map((order) => (
            <Group key={order.procedure} wrap="nowrap" justify="space-between" align="flex-start">
              <div>
                <Text size="sm" fw={600}>
                  {[order.accession_number, order.code_meaning || order.description, order.modality]
                    .filter(Boolean)
                    .join(' · ')}
                </Text>
                <Group gap={4}>
                  <Text size="xs" c="dimmed">
                    {format.dateTime(order.start_at ?? order.ordered_at)}
                  </Text>
                  {order.signs.filter(isWhy).map((sign) => (
                    <Badge
                      key={sign}
                      size="xs"
                      tt="none"
                      variant="light"
                      color={AGAINST.has(sign) ? 'red' : 'teal'}
                    >
                      {say(`why_${sign}`)}
                    </Badge>
                  ))}
                </Group>
              </div>
              {order.procedure === one.procedure ? (
                <Badge>{say('bound')}</Badge>
              ) : (
                <Button
                  flex="none"
                  size="compact-sm"
                  variant="default"
                  disabled={order.signs.includes('other-patient')}
                  onClick={() =>
                    ask(
                      { kind: 'BIND', studies: [study], procedure: order.procedure },
                      [order.accession_number, order.code_meaning || order.description]
                        .filter(Boolean)
                        .join(' · '),
                      !isCertain(order, one),
                    )
                  }
                >
                  {say('bind')}
                </Button>
              )}
            </Group>
          ))}
        </Stack>
      </Panel>
      {action === null ? null : (
        <PreviewDialog
          action={action.action}
          asksPatient={action.asksPatient}
          about={
            <>
              <Text size="sm">
                <Text span c="dimmed">{`${say('study')} : `}</Text>
                {[one.study_description, format.date(one.study_date), format.personName(one.patient_name)]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
              {action.about === '' ? null : (
                <Text size="sm">
                  <Text span c="dimmed">
                    {`${say(action.action.kind === 'BIND' ? 'theProcedure' : 'thePatient')} : `}
                  </Text>
                  {action.about}
                </Text>
              )}
            </>
          }
          onClose={() => setAction(null)}
          onDone={() => {
            setAction(null);
            props.onDone();
          }}
        />
      )}
    </Stack>
  );
}

const WHY = ['accession', 'patient', 'modality', 'date', 'other-patient', 'has-images'] as const;
const AGAINST: ReadonlySet<string> = new Set(['other-patient', 'has-images']);
const REASONS = [
  'no-order',
  'accession-unknown',
  'accession-ambiguous',
  'several-procedures',
  'patient-differs',
  'patient-unclear',
  'by-hand',
] as const;

function isWhy(one: string): one is (typeof WHY)[number] {
  return (WHY as readonly string[]).includes(one);
}

function isCertain(order: DeskOrder, study: DeskStudy): boolean {
  return study.registered !== null && order.patient === study.registered;
}

/** Why a study is bound to no order; null while it is bound or nothing was decided. */
export function bindingText(one: DeskStudy): (typeof REASONS)[number] | null {
  if (one.binding_state !== 'UNBOUND') return null;
  return REASONS.find((reason) => reason === one.binding_reason) ?? null;
}

/** Who the objects of a study say that they are of: name, birth date, sex. */
function saidName(one: DeskStudy, format: Format, noName: string): string {
  return [format.personName(one.patient_name) || noName, format.date(one.patient_birth_date), one.patient_sex]
    .filter(Boolean)
    .join(' · ');
}

/** The number that they say, and whose number it is; empty when they say none. */
export function saidNumber(one: DeskStudy, noIssuer: string): string {
  return one.patient_id === '' ? '' : `${one.patient_id} (${one.issuer_of_patient_id || noIssuer})`;
}
