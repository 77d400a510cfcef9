import { Alert, Button, Checkbox, Group, Menu, Text, TextInput } from '@mantine/core';
import { addressOf, call, type PatientAccess, type PatientReport } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  Panel,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { messages } from './messages';
import { type AuditSearch, instantOf } from './search';
import { useWord } from './useWord';

/** Who had a patient's data: by day, actor, kind and study; and the same for the patient. */
export function WhoSaw(props: {
  readonly search: AuditSearch;
  readonly onChange: (next: AuditSearch) => void;
}): ReactNode {
  const { search } = props;
  const say = useMessages(messages);
  const [everyClass, setEveryClass] = useState(false);
  const query = {
    patient_id: search.patient ?? '',
    issuer_of_patient_id: search.issuer ?? null,
    after: instantOf(search.from, 'start'),
    before: instantOf(search.to, 'end'),
    every_class: everyClass,
  };
  const report = useQuery({
    queryKey: ['audit', 'patient', query],
    enabled: search.patient !== undefined,
    queryFn: ({ signal }) => call('GET /api/v1/audit/patient', { query, signal }),
  });
  return (
    <>
      <Asked {...props} everyClass={everyClass} onEveryClass={setEveryClass} />
      {search.patient === undefined ? <Empty title={say('ask')}>{say('askHint')}</Empty> : null}
      {report.isError ? <Failure error={report.error} onRetry={() => void report.refetch()} /> : null}
      {report.isLoading ? <Loading /> : null}
      {report.data === undefined ? null : <Told report={report.data} query={query} />}
    </>
  );
}

function Asked(props: {
  readonly search: AuditSearch;
  readonly onChange: (next: AuditSearch) => void;
  readonly everyClass: boolean;
  readonly onEveryClass: (value: boolean) => void;
}): ReactNode {
  const { search, onChange } = props;
  const say = useMessages(messages);
  const [draft, setDraft] = useState(search);
  useEffect(() => setDraft(search), [search]);
  function submit(event: FormEvent): void {
    event.preventDefault();
    onChange({ ...draft, tab: 'patient' });
  }
  const field = (key: 'patient' | 'issuer' | 'from' | 'to', type: 'text' | 'date' = 'text') => (
    <TextInput
      type={type}
      label={say(key)}
      w={type === 'date' ? 140 : 200}
      value={draft[key] ?? ''}
      onChange={(event) => setDraft({ ...draft, [key]: event.currentTarget.value || undefined })}
    />
  );
  return (
    <form onSubmit={submit} aria-label={say('tabPatient')}>
      <Group align="flex-end" gap="xs" mb="sm">
        {field('patient')}
        {field('issuer')}
        {field('from', 'date')}
        {field('to', 'date')}
        <Button type="submit">{say('search')}</Button>
        <Checkbox
          pb={7}
          label={say('everyClass')}
          checked={props.everyClass}
          onChange={(event) => props.onEveryClass(event.currentTarget.checked)}
        />
      </Group>
    </form>
  );
}

function Told(props: {
  readonly report: PatientReport;
  readonly query: Readonly<Record<string, unknown>>;
}): ReactNode {
  const { report } = props;
  const say = useMessages(messages);
  const word = useWord();
  const format = useFormat();
  const people = new Set(report.accesses.map((one) => `${one.actor_kind} ${one.actor_name}`)).size;
  const columns: readonly Column<PatientAccess>[] = [
    {
      key: 'day',
      title: say('day'),
      render: (row) => format.date(row.first_at),
      sortBy: (row) => row.first_at,
    },
    { key: 'hours', title: say('hours'), render: (row) => hours(row, format.locale) },
    {
      key: 'who',
      title: say('who'),
      render: (row) => (
        <>
          {row.display_name ?? (row.actor_name || word(row.actor_kind))}
          <Text span size="xs" c="dimmed" ml={6}>
            {row.roles.length === 0 ? word(row.actor_kind) : row.roles.join(', ')}
          </Text>
        </>
      ),
      sortBy: (row) => row.actor_name,
    },
    {
      key: 'what',
      title: say('what'),
      render: (row) => word(row.event_class) + (row.outcome === 'SUCCESS' ? '' : ` · ${word(row.outcome)}`),
      sortBy: (row) => row.event_class,
    },
    {
      key: 'study',
      title: say('examination'),
      render: (row) => (
        <span title={row.study_instance_uid ?? ''}>
          {[row.study_description ?? '', format.date(row.study_date), row.accession_number ?? '']
            .filter((one) => one !== '')
            .join(' · ') || row.study_instance_uid}
        </span>
      ),
      sortBy: (row) => row.study_date,
    },
    { key: 'why', title: say('why'), render: (row) => [...row.reasons, ...row.destinations].join(', ') },
    {
      key: 'count',
      title: say('count'),
      align: 'right',
      render: (row) => format.number(row.event_count),
      sortBy: (row) => row.event_count,
    },
  ];
  const exportAs = (more: Readonly<Record<string, unknown>>) =>
    addressOf('/api/v1/audit/patient/export', {}, { ...props.query, ...more });
  return (
    <Panel
      title={[
        report.patient_name === null ? report.patient_id : format.personName(report.patient_name),
        report.patient_birth_date === null
          ? ''
          : say('born', { date: format.date(report.patient_birth_date) }),
      ]
        .filter((one) => one !== '')
        .join(' · ')}
      isFlush
      actions={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" size="compact-sm" leftSection={<IconDownload size={14} aria-hidden />}>
              {say('forPatient')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{say('exportHint')}</Menu.Label>
            {(['fr', 'en'] as const).flatMap((language) =>
              [
                ['withoutNames', { format: 'html', names: false }] as const,
                ['withNames', { format: 'html', names: true }] as const,
                ['asTable', { format: 'csv', names: false }] as const,
              ].map(([label, more]) => (
                <Menu.Item
                  key={language + label}
                  component="a"
                  href={exportAs({ ...more, language })}
                  download
                >
                  {say(label)}, {say(language === 'fr' ? 'inFrench' : 'inEnglish')}
                </Menu.Item>
              )),
            )}
          </Menu.Dropdown>
        </Menu>
      }
    >
      {report.is_complete ? null : (
        <Alert color="yellow" variant="light">
          {say('incomplete')}
        </Alert>
      )}
      {report.accesses.length === 0 ? (
        <Empty title={say('noAccess')}>{say('noAccessHint')}</Empty>
      ) : (
        <>
          <Text size="sm" c="dimmed" px="sm" py={6}>
            {say('accesses', { count: report.accesses.length })} · {say('people', { count: people })}
          </Text>
          <DataTable
            label={say('tabPatient')}
            rows={report.accesses}
            columns={columns}
            rowKey={(row) =>
              [
                row.day,
                row.actor_kind,
                row.actor_name,
                row.event_class,
                row.outcome,
                row.study_instance_uid,
              ].join('|')
            }
            maxHeight="calc(100dvh - 330px)"
          />
        </>
      )}
    </Panel>
  );
}

function hours(row: PatientAccess, locale: string): string {
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
  const first = clock.format(new Date(row.first_at));
  const last = clock.format(new Date(row.last_at));
  return first === last ? first : `${first} – ${last}`;
}
