import { Anchor, Button, Group, Stack, Table, Text } from '@mantine/core';
import { call, type PerformedStepDetail } from '@negatoscope/api-client';
import { Failure, Loading, Panel, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useMay } from '../session/session';
import { AttachDialog, StopDialog } from './dialogs';
import { messages } from './messages';
import { nameOf, PERFORMED, type PerformedStep } from './model';
import { StateBadge } from './PerformedPage';
import classes from './PerformedPage.module.css';
import { codesOf, remarksOf, seriesOf } from './said';

/** One performed step: everything the modality said, and what can be done about it. */
export function PerformedPanel(props: {
  readonly number: number;
  readonly onChanged: () => void;
}): ReactNode {
  const found = useQuery({
    queryKey: [...PERFORMED, 'one', props.number],
    queryFn: ({ signal }) =>
      call('GET /api/v1/performed-steps/{number}', { path: { number: props.number }, signal }),
  });
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Loading />;
  return <Shown detail={found.data} onChanged={props.onChanged} />;
}

function Shown(props: { readonly detail: PerformedStepDetail; readonly onChanged: () => void }): ReactNode {
  const { performed_step: one, data_set } = props.detail;
  const data = data_set as Parameters<typeof seriesOf>[0];
  const say = useMessages(messages);
  const format = useFormat();
  const isWaiting = one.flags.length > 0 && one.seen_at === null;
  const name = nameOf(one);
  const facts: readonly (readonly [string, ReactNode])[] = [
    [
      say('patient'),
      one.patient === null ? (
        ''
      ) : (
        <Anchor
          key="p"
          inherit
          renderRoot={(rest) => <Link {...rest} to={`/patients/registered/${one.patient}` as never} />}
        >
          {name}
        </Anchor>
      ),
    ],
    [say('station'), one.performed_station_ae_title],
    [say('from'), one.calling_ae_title],
    [say('began'), one.started_at === null ? '' : format.dateTime(one.started_at)],
    [say('ended'), one.ended_at === null ? '' : format.dateTime(one.ended_at)],
    [say('procedure'), codesOf(data, '00081032').join(', ')],
    [say('protocol'), codesOf(data, '00400260').join(', ')],
    [say('reason'), one.discontinuation_reason],
    ...remarksOf(data).map(([key, text]) => [say(key), text] as const),
    ['SOP Instance UID', one.sop_instance_uid],
  ];
  const series = seriesOf(data);
  return (
    <Panel title={name === '' ? say('unknownPatient') : name} actions={<StateBadge state={one.state} />}>
      <Stack gap="sm">
        {isWaiting
          ? one.flags.map((flag) => (
              <strong key={flag} className={classes['flag'] ?? ''}>
                {say(flag)}
              </strong>
            ))
          : null}
        {one.ended_by === '' ? null : (
          <Text size="sm">{say('endedBy', { name: one.ended_by.replace(/^user:/, '') })}</Text>
        )}
        {one.seen_by === '' || one.ended_by !== '' ? null : (
          <Text size="sm" c="dimmed">
            {say('seenBy', { name: one.seen_by.replace(/^user:/, '') })}
          </Text>
        )}
        <Deeds one={one} isWaiting={isWaiting} onChanged={props.onChanged} />
        <dl className={classes['facts'] ?? ''}>
          {facts
            .filter(([, value]) => value !== '')
            .map(([label, value]) => (
              <FactLine key={label} label={label} value={value} />
            ))}
        </dl>
        <Text size="sm" fw={600}>
          {say(one.scheduled.length === 0 ? 'unscheduled' : 'scheduled')}
        </Text>
        {one.scheduled.map((step) => (
          <Anchor
            key={step.step}
            size="sm"
            renderRoot={(rest) => <Link {...rest} to={`/examinations/${step.procedure}` as never} />}
          >
            {say('accession', { number: step.accession_number, step: step.scheduled_procedure_step_id })}
          </Anchor>
        ))}
        <Text size="sm" fw={600}>
          {say('series')}
        </Text>
        {series.length === 0 ? (
          <Text size="sm" c="dimmed">
            {say('noSeries')}
          </Text>
        ) : (
          <Table withTableBorder verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{say('seriesName')}</Table.Th>
                <Table.Th>{say('protocol')}</Table.Th>
                <Table.Th>{say('operators')}</Table.Th>
                <Table.Th ta="right">{say('count')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {series.map((part) => (
                <Table.Tr key={part.uid} title={part.uid}>
                  <Table.Td>{part.description || '—'}</Table.Td>
                  <Table.Td>{part.protocol}</Table.Td>
                  <Table.Td>{part.operators}</Table.Td>
                  <Table.Td ta="right">{format.number(part.images)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Panel>
  );
}

function FactLine(props: { readonly label: string; readonly value: ReactNode }): ReactNode {
  return (
    <>
      <dt>{props.label}</dt>
      <dd>{props.value}</dd>
    </>
  );
}

function Deeds(props: {
  readonly one: PerformedStep;
  readonly isWaiting: boolean;
  readonly onChanged: () => void;
}): ReactNode {
  const { one } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const mayPerform = useMay('perform');
  const [asked, setAsked] = useState<'stop' | 'attach' | null>(null);
  if (!mayPerform) return null;

  async function act(run: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await run();
      setAsked(null);
      notify.done(said);
    } catch (error) {
      notify.failed(error);
    }
    props.onChanged();
  }
  const path = { number: one.id };
  const end = (state: 'COMPLETED' | 'DISCONTINUED', reason: string): void =>
    void act(
      () =>
        call('POST /api/v1/performed-steps/{number}/end', {
          path,
          body: { version: one.version, state, reason },
        }),
      say('doneEnd'),
    );
  const isOpen = one.state === 'IN PROGRESS';
  return (
    <Group gap={6}>
      {isOpen ? <Button onClick={() => end('COMPLETED', '')}>{say('end')}</Button> : null}
      {isOpen ? (
        <Button variant="default" onClick={() => setAsked('stop')}>
          {say('discontinue')}
        </Button>
      ) : null}
      <Button variant="default" onClick={() => setAsked('attach')}>
        {say('attach')}
      </Button>
      {props.isWaiting ? (
        <Button
          variant="default"
          onClick={() =>
            void act(
              () =>
                call('POST /api/v1/performed-steps/{number}/seen', { path, body: { version: one.version } }),
              say('doneSeen'),
            )
          }
        >
          {say('seen')}
        </Button>
      ) : null}
      {asked === 'stop' ? (
        <StopDialog onClose={() => setAsked(null)} onConfirm={(reason) => end('DISCONTINUED', reason)} />
      ) : null}
      {asked === 'attach' ? (
        <AttachDialog
          one={one}
          onClose={() => setAsked(null)}
          onConfirm={(step, is_patient_confirmed) =>
            void act(
              () =>
                call('POST /api/v1/performed-steps/{number}/links', {
                  path,
                  body: { step, version: one.version, is_patient_confirmed },
                }),
              say('doneAttach'),
            )
          }
        />
      ) : null}
    </Group>
  );
}
