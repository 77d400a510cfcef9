import {
  ActionIcon,
  Anchor,
  Button,
  Checkbox,
  Group,
  Skeleton,
  Table,
  Text,
  Tooltip,
  UnstyledButton,
} from '@mantine/core';
import { call, type ListedStudy, type SeriesTile } from '@negatoscope/api-client';
import { Failure, useFormat, useMessages } from '@negatoscope/ui';
import { IconChevronDown, IconChevronRight, IconDownload, IconShare } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useHasOhif } from '../connect/addresses';
import { CallButtons } from '../context/CallButtons';
import { ShareDialog } from '../identity/ShareDialog';
import { useMay } from '../session/session';
import { Modalities } from '../studies/columns';
import { ohifAddress, useOpening, zipAddress } from '../studies/opening';
import { seriesQuery } from '../studies/PreviewPanel';
import { Thumbnail } from '../studies/Thumbnail';
import { messages } from './messages';
import classes from './PatientPage.module.css';

/** One study of a patient: its series as pictures, their instances as rows. */
export function StudyCard(props: {
  readonly study: ListedStudy;
  readonly isOpenAtFirst: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (() => void) | null;
}): ReactNode {
  const { study } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const opening = useOpening();
  const mayRetrieve = useMay('retrieve');
  const mayShare = useMay('share');
  const [isSharing, setSharing] = useState(false);
  const hasOhif = useHasOhif();
  const [isOpen, setOpen] = useState(props.isOpenAtFirst);
  const [openSeries, setOpenSeries] = useState<string | null>(null);
  const series = useQuery({ ...seriesQuery(study.study_instance_uid), enabled: isOpen });
  const shown = series.data?.find((one) => one.series_instance_uid === openSeries);
  const title = [study.modalities_in_study.join(' '), study.study_description, format.date(study.study_date)]
    .filter(Boolean)
    .join(' · ');
  return (
    <section id={`study-${study.study_instance_uid}`} className={classes['card'] ?? ''} aria-label={title}>
      <div className={classes['cardHead'] ?? ''}>
        {props.onChoose === null ? null : (
          <Checkbox
            aria-label={say('choose', { study: title })}
            checked={props.isChosen}
            onChange={props.onChoose}
          />
        )}
        <UnstyledButton onClick={() => setOpen(!isOpen)} aria-expanded={isOpen} flex="1 1 240px" miw={0}>
          <Group gap={8} wrap="nowrap">
            {isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
            <Text size="sm" fw={600} style={{ whiteSpace: 'nowrap' }}>
              {study.study_date === null ? say('noDate') : format.date(study.study_date)}{' '}
              {format.time(study.study_time)}
            </Text>
            <Modalities modalities={study.modalities_in_study} />
            <Text size="sm" lineClamp={1} style={{ overflowWrap: 'anywhere' }}>
              {study.study_description}
            </Text>
          </Group>
        </UnstyledButton>
        <Text size="xs" c="dimmed">
          {[
            study.accession_number,
            say('images', { count: study.instance_count }),
            format.bytes(study.byte_count),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
        {mayRetrieve ? (
          <Group gap={6}>
            <Button onClick={() => opening.images([study.study_instance_uid])}>{say('open')}</Button>
            {hasOhif ? (
              <Button variant="default" component="a" href={ohifAddress([study.study_instance_uid])}>
                {say('ohif')}
              </Button>
            ) : null}
            <Tooltip label={say('download')}>
              <ActionIcon
                variant="default"
                size={30}
                component="a"
                href={zipAddress(study.study_instance_uid)}
                download
                aria-label={say('download')}
              >
                <IconDownload size={16} />
              </ActionIcon>
            </Tooltip>
          </Group>
        ) : null}
        {mayShare ? (
          <Tooltip label={say('share')}>
            <ActionIcon
              variant="default"
              size={30}
              onClick={() => setSharing(true)}
              aria-label={say('share')}
            >
              <IconShare size={16} />
            </ActionIcon>
          </Tooltip>
        ) : null}
        {isSharing ? (
          <ShareDialog study={study.study_instance_uid} onClose={() => setSharing(false)} />
        ) : null}
      </div>
      {isOpen ? (
        <>
          <Group gap={6} px="sm" pt="xs">
            <CallButtons open={{ study_instance_uid: study.study_instance_uid }} />
          </Group>
          {series.isPending ? <Skeleton h={120} m="sm" /> : null}
          {series.isError ? <Failure error={series.error} onRetry={() => void series.refetch()} /> : null}
          <div className={classes['tiles'] ?? ''}>
            {series.data?.map((one) => (
              <UnstyledButton
                key={one.series_instance_uid}
                className={classes['tile'] ?? ''}
                data-open={one.series_instance_uid === openSeries || undefined}
                aria-expanded={one.series_instance_uid === openSeries}
                onClick={() =>
                  setOpenSeries(one.series_instance_uid === openSeries ? null : one.series_instance_uid)
                }
              >
                {mayRetrieve ? (
                  <Thumbnail
                    study={one.study_instance_uid}
                    series={one.series_instance_uid}
                    instance={one.middle_sop_instance_uid}
                    modality={one.modality}
                    size={118}
                  />
                ) : null}
                <Text size="xs" fw={600} lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
                  {one.series_description ??
                    one.protocol_name ??
                    say('seriesOf', { number: one.series_number ?? '–' })}
                </Text>
                <Text size="xs" c="dimmed">
                  {[one.modality, one.series_number, say('images', { count: one.instance_count })]
                    .filter((part) => part !== null && part !== '')
                    .join(' · ')}
                </Text>
              </UnstyledButton>
            ))}
          </div>
          {shown === undefined ? null : <InstanceRows series={shown} mayRetrieve={mayRetrieve} />}
        </>
      ) : null}
    </section>
  );
}

function InstanceRows(props: { readonly series: SeriesTile; readonly mayRetrieve: boolean }): ReactNode {
  const { series } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const path = {
    study_instance_uid: series.study_instance_uid,
    series_instance_uid: series.series_instance_uid,
  };
  const instances = useInfiniteQuery({
    queryKey: ['study', series.study_instance_uid, 'instances', series.series_instance_uid],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/studies/{study_instance_uid}/series/{series_instance_uid}/instances', {
        path,
        query: { limit: 100, cursor: pageParam },
        signal,
      }),
    getNextPageParam: (page) => page.next_cursor,
  });
  if (instances.isError) return <Failure error={instances.error} onRetry={() => void instances.refetch()} />;
  return (
    <div className={classes['instances'] ?? ''}>
      <Table.ScrollContainer minWidth={520} maxHeight={320}>
        <Table aria-label={say('instances')} stickyHeader>
          <Table.Tbody>
            {instances.data?.pages
              .flatMap((page) => page.instances)
              .map((one) => (
                <Table.Tr key={one.sop_instance_uid}>
                  <Table.Td w={56} ta="right">
                    {one.instance_number}
                  </Table.Td>
                  <Table.Td>{one.sop_class_name}</Table.Td>
                  <Table.Td>
                    {one.columns === null || one.rows === null ? '' : `${one.columns} × ${one.rows}`}
                    {(one.number_of_frames ?? 1) > 1
                      ? ` · ${say('frames', { count: one.number_of_frames ?? 1 })}`
                      : ''}
                  </Table.Td>
                  <Table.Td>{one.transfer_syntax_name}</Table.Td>
                  <Table.Td ta="right">{format.bytes(one.size)}</Table.Td>
                  <Table.Td>
                    {props.mayRetrieve ? (
                      <Anchor
                        size="xs"
                        renderRoot={(rest) => (
                          <Link
                            {...rest}
                            to="/instances/$uid/header"
                            params={{ uid: one.sop_instance_uid }}
                          />
                        )}
                      >
                        {say('header')}
                      </Anchor>
                    ) : null}
                  </Table.Td>
                </Table.Tr>
              ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {instances.hasNextPage ? (
        <Button
          variant="default"
          loading={instances.isFetching}
          onClick={() => void instances.fetchNextPage()}
        >
          {say('more')}
        </Button>
      ) : null}
    </div>
  );
}
