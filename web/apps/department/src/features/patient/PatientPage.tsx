import { Alert, Anchor, Badge, Button, Group, Stack, Text, Title } from '@mantine/core';
import { call, type ListedStudy, type Patient } from '@negatoscope/api-client';
import { Failure, Loading, useFormat, useMessages } from '@negatoscope/ui';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { CallButtons } from '../context/CallButtons';
import { useMay } from '../session/session';
import { ageAt } from '../studies/columns';
import { useOpening } from '../studies/opening';
import { messages } from './messages';
import classes from './PatientPage.module.css';
import { StudyCard } from './StudyCard';
import { Timeline } from './Timeline';

const OPEN_FIRST = 3;

/** A patient: who it is, and every study, the newest first. */
export function PatientPage(): ReactNode {
  const { key } = useParams({ strict: false });
  const say = useMessages(messages);
  const opening = useOpening();
  const mayRetrieve = useMay('retrieve');
  const mayReadAudit = useMay('read audit');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const patient = useQuery({
    queryKey: ['patient', key],
    queryFn: ({ signal }) =>
      call('GET /api/v1/patients/{patient_key}', { path: { patient_key: Number(key) }, signal }),
  });
  if (patient.isPending) return <Loading />;
  if (patient.isError) return <Failure error={patient.error} onRetry={() => void patient.refetch()} />;
  const { studies } = patient.data;

  function choose(study: ListedStudy): void {
    const next = new Set(chosen);
    if (!next.delete(study.study_instance_uid)) next.add(study.study_instance_uid);
    setChosen(next);
  }

  return (
    <Stack gap="sm">
      <Banner patient={patient.data} />
      {mayReadAudit && patient.data.patient_id !== null ? (
        <Anchor
          size="sm"
          renderRoot={(root) => (
            <Link
              to="/admin/audit"
              search={{
                patient: patient.data.patient_id ?? undefined,
                issuer: patient.data.issuer_of_patient_id || undefined,
              }}
              {...root}
            />
          )}
        >
          {say('whoSaw')}
        </Anchor>
      ) : null}
      {studies.length > 1 ? (
        <Timeline
          studies={studies}
          onChoose={(study) => {
            document
              .getElementById(`study-${study.study_instance_uid}`)
              ?.scrollIntoView({ block: 'start', behavior: 'smooth' });
          }}
        />
      ) : null}
      <Group justify="space-between">
        <Title order={2} size="h3">
          {say('studies', { count: studies.length })}
        </Title>
        {mayRetrieve && studies.length > 1 ? (
          chosen.size > 1 ? (
            <Button onClick={() => opening.images([...chosen].slice(0, 8))}>{say('compare')}</Button>
          ) : (
            <Text size="xs" c="dimmed">
              {say('compareHint')}
            </Text>
          )
        ) : null}
      </Group>
      {studies.map((study, at) => (
        <StudyCard
          key={study.study_instance_uid}
          study={study}
          isOpenAtFirst={at < OPEN_FIRST}
          isChosen={chosen.has(study.study_instance_uid)}
          onChoose={mayRetrieve && studies.length > 1 ? () => choose(study) : null}
        />
      ))}
    </Stack>
  );
}

function Banner(props: { readonly patient: Patient }): ReactNode {
  const { patient } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const today = new Date().toISOString().slice(0, 10);
  const age = ageAt(patient.patient_birth_date, today);
  const sexes: Readonly<Record<string, string>> = { F: say('sexF'), M: say('sexM'), O: say('sexO') };
  return (
    <header className={classes['banner'] ?? ''}>
      <div className={classes['who'] ?? ''}>
        <Title order={1} style={{ overflowWrap: 'anywhere' }}>
          {format.personName(patient.patient_name) || say('noName')}
        </Title>
        <Text size="sm">
          {[
            patient.patient_birth_date === null
              ? ''
              : say('born', { date: format.date(patient.patient_birth_date) }),
            age === null ? '' : say('years', { count: age }),
            patient.patient_sex === null ? '' : (sexes[patient.patient_sex] ?? patient.patient_sex),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      <div className={classes['who'] ?? ''}>
        <Text size="xs" c="dimmed">
          {say('identifier')}
        </Text>
        <Text size="sm" fw={600} ff="monospace" style={{ overflowWrap: 'anywhere' }}>
          {patient.patient_id ?? say('noIdentifier')}
        </Text>
        {patient.issuer_of_patient_id === '' ? null : (
          <Text size="xs" c="dimmed">
            {say('issuer', { issuer: patient.issuer_of_patient_id })}
          </Text>
        )}
      </div>
      {patient.other_identifiers.length === 0 ? null : (
        <div className={classes['who'] ?? ''}>
          <Text size="xs" c="dimmed">
            {say('others')}
          </Text>
          <Group gap={4}>
            {patient.other_identifiers.slice(0, 12).map((one) => (
              <Badge key={`${one.issuer} ${one.identifier}`} variant="default" tt="none" fw={500}>
                {one.identifier}
                {one.issuer === '' ? '' : ` (${one.issuer})`}
              </Badge>
            ))}
          </Group>
        </div>
      )}
      <Group gap={6}>
        <CallButtons open={{ patient_key: patient.patient_key }} />
      </Group>
      {patient.same_identifier_count === 0 ? null : (
        <Alert
          color="yellow"
          variant="light"
          p={8}
          icon={<IconAlertTriangle size={16} aria-hidden />}
          role="note"
          flex="1 1 260px"
        >
          <Text size="xs">{say('sameNumber', { count: patient.same_identifier_count })}</Text>
        </Alert>
      )}
    </header>
  );
}
