import { Alert, Anchor, Button, Group, Stack, Text, Title } from '@mantine/core';
import { call, type PatientFile } from '@negatoscope/api-client';
import { Failure, Loading, Panel, useFormat, useMessages } from '@negatoscope/ui';
import { IconArrowRight, IconPencil } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { CallButtons } from '../context/CallButtons';
import { useMay } from '../session/session';
import { CorrectionDialog } from './CorrectionDialog';
import { Encounters } from './Encounters';
import { fileMessages } from './file.messages';
import { History } from './History';
import { Identifiers } from './Identifiers';
import { IdentityBadge } from './IdentityBadge';
import { messages } from './messages';
import { ageOf, birthNameIfOther, partialDate, shownName } from './names';
import classes from './PatientFilePage.module.css';
import { PatientLine } from './PatientLine';
import { PatientTimeline } from './PatientTimeline';
import { TraitList } from './TraitList';

/** A patient's file: who it is, what was done, where they stayed, who changed what. */
export function PatientFilePage(): ReactNode {
  const number = Number(useParams({ from: '/signed-in/shell/patients/registered/$number' }).number);
  const say = useMessages(fileMessages);
  const file = useQuery({
    queryKey: ['registered-patient', number],
    queryFn: ({ signal }) => call('GET /api/v1/registered-patients/{number}', { path: { number }, signal }),
  });
  if (file.isPending) return <Loading />;
  if (file.isError) return <Failure error={file.error} onRetry={() => void file.refetch()} />;
  const { data } = file;
  return (
    <Stack gap="sm">
      <Banner file={data} />
      {data.merged_into === null ? null : (
        <Alert color="yellow" role="note">
          <Group justify="space-between">
            <Text size="sm">{say('merged')}</Text>
            <FileLink number={data.goes_on_as}>{say('goOn')}</FileLink>
          </Group>
        </Alert>
      )}
      <PatientTimeline number={number} />
      <div className={classes['columns'] ?? ''}>
        <Panel title={say('traits')}>
          <TraitList file={data} />
        </Panel>
        <Panel title={say('identifiers')}>
          <Identifiers file={data} />
        </Panel>
      </div>
      <Encounters number={number} />
      {data.absorbed.length === 0 ? null : (
        <Panel title={say('absorbed', { count: data.absorbed.length })}>
          <Stack gap={6}>
            {data.absorbed.map((one) => (
              <Group key={one.id} wrap="nowrap" justify="space-between">
                <PatientLine patient={one} />
                <FileLink number={one.id}>
                  <IconArrowRight size={16} aria-label={say('name')} />
                </FileLink>
              </Group>
            ))}
          </Stack>
        </Panel>
      )}
      <History file={data} />
    </Stack>
  );
}

function FileLink(props: { readonly number: number; readonly children: ReactNode }): ReactNode {
  return (
    <Anchor
      size="sm"
      renderRoot={(root) => (
        <Link to="/patients/registered/$number" params={{ number: String(props.number) }} {...root} />
      )}
    >
      {props.children}
    </Anchor>
  );
}

function Banner(props: { readonly file: PatientFile }): ReactNode {
  const { file } = props;
  const say = useMessages(fileMessages);
  const sayTraits = useMessages(messages);
  const format = useFormat();
  const mayCorrect = useMay('reconcile');
  const mayReadAudit = useMay('read audit');
  const [isCorrecting, setCorrecting] = useState(false);
  const age = ageOf(file.birth_date);
  const other = birthNameIfOther(file, format);
  const sexes: Readonly<Record<string, string>> = {
    F: sayTraits('female'),
    M: sayTraits('male'),
    I: sayTraits('undetermined'),
  };
  const born = partialDate(file.birth_date, format) || file.lunar_birth_date;
  return (
    <header className={classes['banner'] ?? ''}>
      <div>
        <Group gap="sm" align="center">
          <Title order={1} style={{ overflowWrap: 'anywhere' }}>
            {shownName(file, format) || sayTraits('noName')}
          </Title>
          <IdentityBadge patient={file} />
        </Group>
        <Text size="sm">
          {[
            other === '' ? '' : sayTraits('bornAs', { name: other }),
            born === '' ? '' : sayTraits('bornOn', { date: born }),
            age === null || file.is_deceased ? '' : sayTraits('years', { count: age }),
            sexes[file.sex] ?? file.sex,
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      {file.patient_id === '' ? null : (
        <div>
          <Text size="xs" c="dimmed">
            {say('forModalities')}
          </Text>
          <Text size="sm" fw={600} ff="monospace" style={{ overflowWrap: 'anywhere' }}>
            {file.patient_id}
          </Text>
          <Text size="xs" c="dimmed">
            {file.issuer_of_patient_id}
          </Text>
        </div>
      )}
      <Group gap="xs">
        <CallButtons open={{ registered_patient: file.id }} />
        {mayReadAudit && file.patient_id !== '' ? (
          <Anchor
            size="sm"
            renderRoot={(root) => (
              <Link
                to="/admin/audit"
                search={{ patient: file.patient_id, issuer: file.issuer_of_patient_id || undefined }}
                {...root}
              />
            )}
          >
            {say('whoSaw')}
          </Anchor>
        ) : null}
        {mayCorrect && file.merged_into === null ? (
          <Button
            variant="default"
            leftSection={<IconPencil size={15} aria-hidden />}
            onClick={() => setCorrecting(true)}
          >
            {say('correct')}
          </Button>
        ) : null}
      </Group>
      {isCorrecting ? <CorrectionDialog file={file} onClose={() => setCorrecting(false)} /> : null}
    </header>
  );
}
