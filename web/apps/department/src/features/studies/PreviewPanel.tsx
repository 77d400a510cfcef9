import { Anchor, Button, Group, ScrollArea, Skeleton, Stack, Text } from '@mantine/core';
import { call, type ListedStudy, type SeriesTile } from '@negatoscope/api-client';
import { Failure, useFormat, useMessages } from '@negatoscope/ui';
import { IconDownload, IconFileDescription, IconPhoto, IconUser } from '@tabler/icons-react';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useHasOhif } from '../connect/addresses';
import { useMay } from '../session/session';
import { ageAt, Modalities, sexOf } from './columns';
import { messages } from './messages';
import { ohifAddress, useOpening, zipAddress } from './opening';
import classes from './PreviewPanel.module.css';
import { Thumbnail } from './Thumbnail';

export function seriesQuery(study: string) {
  return queryOptions({
    queryKey: ['study', study, 'series'],
    queryFn: ({ signal }) =>
      call('GET /api/v1/studies/{study_instance_uid}/series', {
        path: { study_instance_uid: study },
        signal,
      }),
  });
}

/** The study under the keyboard: whose it is, its series, what can be done with it. */
export function PreviewPanel(props: { readonly study: ListedStudy | undefined }): ReactNode {
  const say = useMessages(messages);
  return (
    <aside className={classes['panel'] ?? ''} aria-label={say('preview')}>
      {props.study === undefined ? (
        <Text size="sm" c="dimmed" p="md" ta="center">
          {say('previewHint')}
        </Text>
      ) : (
        <Preview study={props.study} />
      )}
    </aside>
  );
}

function Preview(props: { readonly study: ListedStudy }): ReactNode {
  const { study } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const mayRetrieve = useMay('retrieve');
  const hasOhif = useHasOhif();
  const opening = useOpening();
  const series = useQuery(seriesQuery(study.study_instance_uid));
  const age = ageAt(study.patient_birth_date, study.study_date);
  const middle = series.data?.find((one) => one.middle_sop_instance_uid !== null);
  return (
    <>
      <Stack gap={6} p="sm" className={classes['head'] ?? ''}>
        <div>
          <Text fw={700} style={{ overflowWrap: 'anywhere' }} lineClamp={3}>
            {format.personName(study.patient_name) || say('noName')}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {[
              format.date(study.patient_birth_date),
              age === null ? '' : say('years', { count: age }),
              sexOf(study.patient_sex, say),
              study.patient_id,
              study.issuer_of_patient_id,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </div>
        <Group gap={6} wrap="nowrap">
          <Modalities modalities={study.modalities_in_study} />
          <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
            {study.study_description}
          </Text>
        </Group>
        <Text size="xs" c="dimmed">
          {[
            `${format.date(study.study_date)} ${format.time(study.study_time)}`.trim(),
            study.accession_number,
            say('images', { count: study.instance_count }),
            format.bytes(study.byte_count),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
        <Group gap={6}>
          {mayRetrieve ? (
            <Button
              leftSection={<IconPhoto size={14} aria-hidden />}
              onClick={() => opening.images([study.study_instance_uid])}
            >
              {say('open')}
            </Button>
          ) : null}
          <Button
            variant="default"
            leftSection={<IconUser size={14} aria-hidden />}
            onClick={() => opening.patient(study.patient_key)}
          >
            {say('openPatient')}
          </Button>
          {mayRetrieve ? (
            <Button
              variant="default"
              component="a"
              href={zipAddress(study.study_instance_uid)}
              download
              leftSection={<IconDownload size={14} aria-hidden />}
            >
              {say('download')}
            </Button>
          ) : null}
        </Group>
        {mayRetrieve ? (
          <Group gap="sm">
            {hasOhif ? (
              <Anchor size="xs" href={ohifAddress([study.study_instance_uid])}>
                {say('openOhif')}
              </Anchor>
            ) : null}
            {middle === undefined ? null : (
              <Anchor
                size="xs"
                renderRoot={(rest) => (
                  <Link
                    {...rest}
                    to="/instances/$uid/header"
                    params={{ uid: String(middle.middle_sop_instance_uid) }}
                  />
                )}
              >
                <IconFileDescription size={12} aria-hidden /> {say('header')}
              </Anchor>
            )}
          </Group>
        ) : null}
      </Stack>
      <ScrollArea className={classes['series'] ?? ''} type="auto">
        {series.isPending ? (
          <Stack gap={8} p="sm">
            <Skeleton h={64} />
            <Skeleton h={64} />
          </Stack>
        ) : null}
        {series.isError ? <Failure error={series.error} onRetry={() => void series.refetch()} /> : null}
        {series.data?.map((one) => (
          <SeriesRow key={one.series_instance_uid} series={one} hasPicture={mayRetrieve} />
        ))}
      </ScrollArea>
    </>
  );
}

/** A series with its picture. */
export function SeriesRow(props: { readonly series: SeriesTile; readonly hasPicture: boolean }): ReactNode {
  const { series } = props;
  const say = useMessages(messages);
  return (
    <div className={classes['row'] ?? ''}>
      {props.hasPicture ? (
        <Thumbnail
          study={series.study_instance_uid}
          series={series.series_instance_uid}
          instance={series.middle_sop_instance_uid}
          modality={series.modality}
          size={64}
        />
      ) : null}
      <div className={classes['about'] ?? ''}>
        <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
          {series.series_description ??
            series.protocol_name ??
            say('seriesOf', { number: series.series_number ?? '–' })}
        </Text>
        <Text size="xs" c="dimmed">
          {[series.modality, series.series_number, say('images', { count: series.instance_count })]
            .filter((one) => one !== null && one !== '')
            .join(' · ')}
        </Text>
      </div>
    </div>
  );
}
