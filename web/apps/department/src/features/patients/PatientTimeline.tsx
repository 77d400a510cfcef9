import { Anchor, Badge, Button, Group, Text } from '@mantine/core';
import { call, type TimelineEntry } from '@negatoscope/api-client';
import { Failure, Loading, Panel, useFormat, useLanguage, useMessages } from '@negatoscope/ui';
import { IconPhoto } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import { StateChip, type StepState } from '../board/StateChip';
import { useMay } from '../session/session';
import { modalityColor } from '../studies/columns';
import { useOpening } from '../studies/opening';
import { fileMessages } from './file.messages';
import classes from './PatientFilePage.module.css';

/** What was asked for and what was made, the latest first, a year at a time. */
export function PatientTimeline(props: { readonly number: number }): ReactNode {
  const say = useMessages(fileMessages);
  const timeline = useQuery({
    queryKey: ['registered-patient', props.number, 'timeline'],
    queryFn: ({ signal }) =>
      call('GET /api/v1/registered-patients/{number}/timeline', { path: { number: props.number }, signal }),
  });
  const years = byYear(timeline.data ?? []);
  return (
    <Panel title={say('examinations')} isFlush actions={<ArchiveLinks entries={timeline.data ?? []} />}>
      {timeline.isPending ? <Loading /> : null}
      {timeline.isError ? <Failure error={timeline.error} onRetry={() => void timeline.refetch()} /> : null}
      {timeline.data?.length === 0 ? (
        <Text size="sm" c="dimmed" p="sm">
          {say('noExamination')}
        </Text>
      ) : null}
      {years.map(([year, entries]) => (
        <Fragment key={year}>
          <div className={classes['year'] ?? ''}>{year === '' ? say('notPlanned') : year}</div>
          {entries.map((one) => (
            <Entry key={one.procedure ?? one.studies[0]?.study_instance_uid} entry={one} />
          ))}
        </Fragment>
      ))}
    </Panel>
  );
}

function ArchiveLinks(props: { readonly entries: readonly TimelineEntry[] }): ReactNode {
  const say = useMessages(fileMessages);
  const mayQuery = useMay('query');
  const keys = [...new Set(props.entries.flatMap((one) => one.studies.map((study) => study.patient_key)))];
  if (!mayQuery) return null;
  return keys.map((key) => (
    <Anchor
      key={key}
      size="sm"
      renderRoot={(root) => <Link to="/patients/$key" params={{ key: String(key) }} {...root} />}
    >
      {say('allImages')}
    </Anchor>
  ));
}

function Entry(props: { readonly entry: TimelineEntry }): ReactNode {
  const { entry } = props;
  const say = useMessages(fileMessages);
  const format = useFormat();
  const { language } = useLanguage();
  const opening = useOpening();
  const router = useRouter();
  const mayRetrieve = useMay('retrieve');
  const count = entry.studies.reduce((sum, one) => sum + one.instance_count, 0);
  const label = (language === 'fr' ? entry.label_fr : entry.label_en) || entry.label || say('noDate');
  const modality = entry.modality || entry.studies[0]?.modalities_in_study[0] || '';
  const time = entry.at ?? null;
  return (
    <div className={classes['entry'] ?? ''}>
      <Text size="sm">
        {time === null ? format.date(entry.day) || '–' : format.date(time)}
        {time === null ? null : (
          <Text size="xs" c="dimmed">
            {format.dateTime(time).replace(format.date(time), '').trim()}
          </Text>
        )}
      </Text>
      {modality === '' ? (
        <span />
      ) : (
        <Badge size="sm" variant="light" color={modalityColor(modality)}>
          {modality}
        </Badge>
      )}
      <div style={{ minWidth: 0 }}>
        <Text size="sm" fw={600} truncate>
          {entry.procedure === null ? (
            label
          ) : (
            <Anchor
              href={`/examinations/${entry.procedure}`}
              size="sm"
              fw={600}
              c="inherit"
              onClick={(event) => {
                event.preventDefault();
                void router.navigate({ href: `/examinations/${entry.procedure}` });
              }}
            >
              {label}
            </Anchor>
          )}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {[
            entry.accession_number,
            entry.requesting_service,
            entry.asked_at === null ? '' : say('asked', { date: format.date(entry.asked_at) }),
            entry.request === null ? say('withoutOrder') : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      <span>
        {entry.request_state === 'CANCELED' || entry.procedure_state === 'CANCELED' ? (
          <StateChip state="CANCELED" />
        ) : isStepState(entry.step_state) ? (
          <StateChip state={entry.step_state} />
        ) : null}
      </span>
      <Group gap={6} justify="flex-end">
        {entry.studies.length > 0 && mayRetrieve ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPhoto size={14} aria-hidden />}
            onClick={() => opening.images(entry.studies.map((one) => one.study_instance_uid))}
          >
            {say('images', { count })}
          </Button>
        ) : null}
      </Group>
    </div>
  );
}

const STATES: readonly string[] = [
  'WAITING',
  'SCHEDULED',
  'ARRIVED',
  'READY',
  'STARTED',
  'COMPLETED',
  'DISCONTINUED',
  'CANCELED',
];

function isStepState(state: string): state is StepState {
  return STATES.includes(state);
}

/** Groups of years, the latest first; what has no day yet stands before them. */
export function byYear(
  entries: readonly TimelineEntry[],
): readonly (readonly [string, readonly TimelineEntry[]])[] {
  const key = (one: TimelineEntry) => one.at ?? one.day ?? '';
  const sorted = [...entries].sort((a, b) =>
    key(a) === '' || key(b) === ''
      ? Number(key(b) === '') - Number(key(a) === '')
      : key(b).localeCompare(key(a)),
  );
  const years = new Map<string, TimelineEntry[]>();
  for (const one of sorted) {
    const year = key(one).slice(0, 4);
    years.set(year, [...(years.get(year) ?? []), one]);
  }
  return [...years];
}
