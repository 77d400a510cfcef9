import { Anchor, Badge, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { type BoardRow, call, type ExaminationFile, type OrderFile, Problem } from '@negatoscope/api-client';
import {
  CopyText,
  Empty,
  Failure,
  Loading,
  Panel,
  useFormat,
  useLanguage,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { IconArrowLeft, IconChevronDown, IconPhoto, IconPrinter } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useRouter } from '@tanstack/react-router';
import { type ReactNode, useCallback, useState } from 'react';
import { useTime } from '../board/BoardTable';
import { Flags } from '../board/Flags';
import { messages as boardMessages } from '../board/messages';
import { nameOf, possible } from '../board/rows';
import { SafetyDialog } from '../board/SafetyDialog';
import { StateChip } from '../board/StateChip';
import { useRowActions } from '../board/useRowActions';
import { useChanges } from '../live/useChanges';
import { PatientLine } from '../patients/PatientLine';
import { useMay } from '../session/session';
import { viewerAddress } from '../studies/opening';
import { Thumbnail } from '../studies/Thumbnail';
import classes from './ExaminationPage.module.css';
import { happenings } from './happenings.messages';
import { messages } from './messages';

type Step = ExaminationFile['steps'][number];

/** Everything of one examination. */
export function ExaminationPage(): ReactNode {
  const { procedure: given } = useParams({ strict: false }) as { procedure?: string };
  const procedure = Number(given);
  const say = useMessages(messages);
  const client = useQueryClient();
  const file = useQuery({
    queryKey: ['examination', procedure],
    queryFn: ({ signal }) => call('GET /api/v1/examinations/{procedure}', { path: { procedure }, signal }),
    enabled: Number.isSafeInteger(procedure) && procedure > 0,
  });
  const request = file.data?.head.request;
  const order = useQuery({
    queryKey: ['order', request],
    queryFn: ({ signal }) =>
      call('GET /api/v1/orders/{number}', { path: { number: request as number }, signal }),
    enabled: request !== undefined,
  });
  const rows = useRows(file.data);
  const reload = useCallback(async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: ['examination', procedure] }),
      client.invalidateQueries({ queryKey: ['order', request] }),
      client.invalidateQueries({ queryKey: ['board-rows', procedure] }),
    ]);
  }, [client, procedure, request]);
  useChanges({
    onChanges: ({ changes, studies }) => {
      const uids = new Set(studies.map((one) => one.study_instance_uid));
      const head = file.data?.head;
      const isConcerned =
        changes.some((one) => one.request === request) ||
        (head !== undefined && uids.has(head.study_instance_uid)) ||
        file.data?.study_instance_uids.some((uid) => uids.has(uid)) === true;
      if (isConcerned) void reload();
    },
    onMissed: () => void reload(),
  });

  const isGone =
    !(Number.isSafeInteger(procedure) && procedure > 0) ||
    (file.error instanceof Problem && file.error.status === 404);
  if (isGone) return <Empty title={say('gone')} />;
  if (file.isError) return <Failure error={file.error} onRetry={() => void file.refetch()} />;
  if (file.data === undefined) return <Loading />;
  if (order.isError) return <Failure error={order.error} onRetry={() => void order.refetch()} />;
  if (order.data === undefined) return <Loading />;
  return <Shown file={file.data} order={order.data} rows={rows} onReload={reload} />;
}

/** The steps as the board has them: what can be done is the same there and here. */
function useRows(file: ExaminationFile | undefined): readonly BoardRow[] {
  const first = file?.steps.find((one) => one.start_at !== null)?.start_at ?? null;
  const day =
    file === undefined || first === null
      ? null
      : new Intl.DateTimeFormat('sv-SE', { timeZone: file.time_zone }).format(new Date(first));
  const rows = useQuery({
    queryKey: ['board-rows', file?.head.procedure, day],
    enabled: file !== undefined && day !== null,
    queryFn: ({ signal }) =>
      call('GET /api/v1/board', {
        query: {
          day: day as string,
          canceled: true,
          changed: true,
          changed_procedure: [file?.head.procedure ?? 0],
        },
        signal,
      }),
  });
  return rows.data?.rows ?? [];
}

function Shown(props: {
  readonly file: ExaminationFile;
  readonly order: OrderFile;
  readonly rows: readonly BoardRow[];
  readonly onReload: () => Promise<void>;
}): ReactNode {
  const { file, order } = props;
  const { head } = file;
  const say = useMessages(messages);
  const { language } = useLanguage();
  const router = useRouter();
  const actions = useRowActions({ reread: props.onReload });
  const name = (language === 'fr' ? head.label_fr : head.label_en) || head.procedure_name;
  const count = file.series.reduce((sum, one) => sum + one.instance_count, 0);
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Group gap="md" wrap="nowrap" miw={0}>
          <Anchor
            size="sm"
            renderRoot={(rest) => <Link {...rest} to="/board" />}
            className={classes['back'] ?? ''}
          >
            <IconArrowLeft size={14} aria-hidden /> {say('back')}
          </Anchor>
          <div className={classes['strip'] ?? ''}>
            <button
              type="button"
              className={classes['patient'] ?? ''}
              onClick={() => void router.navigate({ href: `/patients/registered/${head.patient}` })}
            >
              <PatientLine patient={order.patient} />
            </button>
          </div>
        </Group>
        <Group gap={6} wrap="nowrap">
          <Documents file={file} />
          <Button
            leftSection={<IconPhoto size={14} aria-hidden />}
            disabled={count === 0}
            onClick={() => void router.navigate({ href: viewerAddress(file.study_instance_uids) })}
          >
            {say('openImages')}
          </Button>
        </Group>
      </Group>
      <Group gap={10} align="baseline">
        <h1 className={classes['title'] ?? ''}>
          {head.modality} {name}
        </h1>
        <Badge variant="light" color="gray" tt="none">
          {say(head.state)}
        </Badge>
        <Text size="sm" c="dimmed">
          {say('accession')} {head.accession_number}
        </Text>
      </Group>
      <Panel title={say('progress')}>
        <Stack gap="md">
          {file.steps.map((step) => (
            <Progress
              key={step.step}
              step={step}
              row={props.rows.find((row) => row.step === step.step)}
              timeZone={file.time_zone}
              isOnly={file.steps.length === 1}
              onAction={actions.onAction}
            />
          ))}
        </Stack>
      </Panel>
      <div className={classes['columns'] ?? ''}>
        <Stack gap="sm" miw={0}>
          <Images file={file} />
          <Panel title={say('modality')}>
            <Performed file={file} />
          </Panel>
          <Others file={file} />
        </Stack>
        <Stack gap="sm" miw={0}>
          <Panel title={say('order')}>
            <Request order={order} file={file} />
          </Panel>
          <Panel title={say('safety')}>
            <Safety order={order} row={props.rows[0]} onReload={props.onReload} />
          </Panel>
          <Panel title={say('protocol')}>
            <Protocol file={file} />
          </Panel>
          <Panel title={say('history')}>
            <Happened order={order} />
          </Panel>
        </Stack>
      </div>
      {actions.dialogs}
    </Stack>
  );
}

function Progress(props: {
  readonly step: Step;
  readonly row: BoardRow | undefined;
  readonly timeZone: string;
  readonly isOnly: boolean;
  readonly onAction: ReturnType<typeof useRowActions>['onAction'];
}): ReactNode {
  const { step, row } = props;
  const say = useMessages(messages);
  const sayBoard = useMessages(boardMessages);
  const format = useFormat();
  const time = useTime(props.timeZone);
  const mayPerform = useMay('perform');
  const points: readonly (readonly [string, string | null, string])[] = [
    [say('planned'), step.start_at, ''],
    [say('arrived'), step.arrived_at, ''],
    [say('checked'), step.identity_checked_at, step.identity_checked_by],
    [say('started'), step.started_at, ''],
    [say('ended'), step.ended_at, ''],
  ];
  const place = [step.room_name, step.device_name, step.room_location].filter((part) => part !== '');
  return (
    <div>
      <Group justify="space-between" gap="sm" mb={8}>
        <Group gap={10}>
          <StateChip state={step.state} />
          {props.isOnly ? null : (
            <Text size="sm">{say('step', { id: step.scheduled_procedure_step_id })}</Text>
          )}
          <Text size="sm" fw={600}>
            {step.start_at === null ? say('notPlanned') : format.date(new Date(step.start_at))}
          </Text>
          <Text size="sm" c="dimmed">
            {place.join(' · ')}
          </Text>
          {row === undefined ? null : <Flags flags={row.flags} />}
          {step.acquired_with === null ? null : (
            <Text size="xs" c="dimmed">
              {say('together')}
            </Text>
          )}
        </Group>
        {row === undefined || !mayPerform ? null : (
          <Group gap={6}>
            {possible(row).map((action, at) => (
              <Button
                key={action}
                size="compact-sm"
                variant={at === 0 && action !== 'undo' ? 'filled' : 'default'}
                onClick={() => props.onAction(row, action)}
              >
                {sayBoard(action)}
              </Button>
            ))}
          </Group>
        )}
      </Group>
      <ol className={classes['line'] ?? ''}>
        {points.map(([label, at, by]) => (
          <li key={label} data-done={at !== null || undefined}>
            <span className={classes['when'] ?? ''}>{at === null ? '—' : time(at)}</span>
            <span>{label}</span>
            {by === '' ? null : <span className={classes['dim'] ?? ''}>{say('by', { name: by })}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Images(props: { readonly file: ExaminationFile }): ReactNode {
  const { file } = props;
  const say = useMessages(messages);
  const count = file.series.reduce((sum, one) => sum + one.instance_count, 0);
  return (
    <Panel
      title={say('images')}
      actions={
        file.series.length === 0 ? null : (
          <Text size="sm" c="dimmed">
            {say('seriesCount', { count: file.series.length })} · {say('imageCount', { count })}
          </Text>
        )
      }
    >
      {file.series.length === 0 ? (
        <Empty title={say('noImages')}>{say('noImagesHint')}</Empty>
      ) : (
        <div className={classes['tiles'] ?? ''}>
          {file.series.map((one) => (
            <a
              key={`${one.study_instance_uid} ${one.series_instance_uid}`}
              className={classes['tile'] ?? ''}
              href={viewerAddress([one.study_instance_uid])}
            >
              <Thumbnail
                study={one.study_instance_uid}
                series={one.series_instance_uid}
                instance={one.middle_sop_instance_uid}
                modality={one.modality}
                size={96}
              />
              <span className={classes['tileName'] ?? ''}>
                {one.series_number} {one.series_description ?? one.modality}
              </span>
              <span className={classes['dim'] ?? ''}>{say('imageCount', { count: one.instance_count })}</span>
            </a>
          ))}
        </div>
      )}
    </Panel>
  );
}

function Performed(props: { readonly file: ExaminationFile }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  if (props.file.performed.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {say('modalityNone')}
      </Text>
    );
  return (
    <Stack gap={6}>
      {props.file.performed.map((one) => (
        <Group key={one.id} gap={10}>
          <Badge variant="light" tt="none" color={one.state === 'COMPLETED' ? 'green' : 'blue'}>
            {say(one.state as 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED')}
          </Badge>
          <Anchor
            size="sm"
            renderRoot={(rest) => (
              <Link {...rest} to="/performed-steps" search={{ show: 'all', open: one.id }} />
            )}
          >
            {one.performed_station_ae_title || one.modality || one.sop_instance_uid}
          </Anchor>
          <Text size="sm" c="dimmed">
            {format.dateTime(one.started_at)}{' '}
            {one.ended_at === null ? '' : `→ ${format.dateTime(one.ended_at)}`}
          </Text>
          <Text size="sm">{say('imageCount', { count: one.instance_count })}</Text>
          {one.discontinuation_reason === '' ? null : <Text size="sm">{one.discontinuation_reason}</Text>}
        </Group>
      ))}
    </Stack>
  );
}

function Others(props: { readonly file: ExaminationFile }): ReactNode {
  const { file } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const { language } = useLanguage();
  const lines = [
    ...file.others.map((one) => ({
      key: `p${one.procedure}`,
      at: one.at.slice(0, 10),
      modality: one.modality,
      name: (language === 'fr' ? one.label_fr : one.label_en) || one.procedure_name,
      state: say(one.state),
      to: `/examinations/${one.procedure}`,
      count: one.instance_count,
      uids: one.study_instance_uids,
    })),
    ...file.unordered.map((one) => ({
      key: one.study_instance_uid,
      at: one.study_date ?? '',
      modality: one.modalities_in_study.join(', '),
      name: one.study_description,
      state: say('withoutOrder'),
      to: null,
      count: one.instance_count,
      uids: [one.study_instance_uid],
    })),
  ].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <Panel title={say('others')}>
      {lines.length === 0 ? (
        <Text size="sm" c="dimmed">
          {say('othersNone')}
        </Text>
      ) : (
        <ul className={classes['others'] ?? ''}>
          {lines.map((one) => (
            <li key={one.key}>
              <span>{format.date(one.at)}</span>
              <span className={classes['dim'] ?? ''}>{one.modality}</span>
              <span className={classes['otherName'] ?? ''}>
                {one.to === null ? (
                  one.name
                ) : (
                  <Anchor size="sm" renderRoot={(rest) => <Link {...rest} to={one.to as never} />}>
                    {one.name}
                  </Anchor>
                )}
              </span>
              <span className={classes['dim'] ?? ''}>{one.state}</span>
              {one.count === 0 ? (
                <span />
              ) : (
                <Anchor size="sm" href={viewerAddress(one.uids)}>
                  {say('imageCount', { count: one.count })}
                </Anchor>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Request(props: { readonly order: OrderFile; readonly file: ExaminationFile }): ReactNode {
  const { order, file } = props;
  const say = useMessages(messages);
  const sayBoard = useMessages(boardMessages);
  const format = useFormat();
  const physician = format.personName(order.requesting_physician || order.referring_physician_name);
  const size = [
    order.patient_weight_kg === null ? '' : `${format.number(Number(order.patient_weight_kg))} kg`,
    order.patient_size_m === null ? '' : `${format.number(Number(order.patient_size_m))} m`,
  ].filter((part) => part !== '');
  const lines: readonly (readonly [string, ReactNode])[] = [
    [say('question'), order.clinical_question],
    [say('justification'), order.justification],
    [say('service'), [order.requesting_service, physician].filter((part) => part !== '').join(' · ')],
    [say('priority'), sayBoard(order.priority)],
    [say('alerts'), order.medical_alerts],
    [say('allergies'), order.allergies],
    [say('weight'), size.join(', ')],
    [say('comments'), order.comments],
    [say('accession'), <CopyText key="a" text={order.accession_number} />],
    [say('study'), <CopyText key="s" text={file.head.study_instance_uid} />],
  ];
  return (
    <dl className={classes['facts'] ?? ''}>
      {lines
        .filter(([, value]) => value !== '')
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Safety(props: {
  readonly order: OrderFile;
  readonly row: BoardRow | undefined;
  readonly onReload: () => Promise<void>;
}): ReactNode {
  const { order } = props;
  const say = useMessages(messages);
  const sayBoard = useMessages(boardMessages);
  const mayPerform = useMay('perform');
  const [isOpen, setOpen] = useState(false);
  const asked = order.safety.filter((one) => one.is_asked);
  const close = (): void => {
    setOpen(false);
    void props.onReload();
  };
  if (asked.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {say('safetyNone')}
      </Text>
    );
  return (
    <Stack gap={6}>
      {asked.map((one) => (
        <div key={one.question}>
          <Text size="sm">{sayBoard(one.question)}</Text>
          <Text size="sm" fw={600} {...(one.is_blocking ? { c: 'red' } : {})}>
            {one.answer === null ? say('unanswered') : say(one.answer)}
            {one.value === null ? '' : ` (${one.value} ${sayBoard('egfr')})`}
            {one.detail === '' ? '' : ` · ${one.detail}`}
          </Text>
          {one.cleared_by === '' ? null : (
            <Text size="xs" c="dimmed">
              {say('clearedBy', { name: one.cleared_by, reason: one.cleared_reason })}
            </Text>
          )}
        </div>
      ))}
      {mayPerform ? (
        <Button size="compact-sm" variant="default" onClick={() => setOpen(true)}>
          {say('answerNow')}
        </Button>
      ) : null}
      {isOpen ? (
        <SafetyDialog
          request={order.id}
          name={props.row === undefined ? order.accession_number : nameOf(props.row)}
          onClose={close}
          onFree={close}
        />
      ) : null}
    </Stack>
  );
}

function Protocol(props: { readonly file: ExaminationFile }): ReactNode {
  const { head, steps } = props.file;
  const say = useMessages(messages);
  const format = useFormat();
  const { language } = useLanguage();
  const preparation = (language === 'en' ? head.preparation_en : '') || head.preparation_fr;
  const live = steps.filter((one) => one.state !== 'CANCELED');
  const agents = [...new Set(live.map((one) => one.requested_contrast_agent).filter((one) => one !== ''))];
  const codes = live.flatMap((one) => one.protocol_codes.map((code) => code['code_meaning'] ?? ''));
  return (
    <Stack gap={6}>
      <Group gap={8}>
        <Badge variant="light" tt="none" color={head.vetting === 'WAITING' ? 'orange' : 'gray'}>
          {say(head.vetting as 'WAITING')}
        </Badge>
        {head.vetted_by === '' ? null : (
          <Text size="xs" c="dimmed">
            {say('vettedBy', { name: head.vetted_by, when: format.dateTime(head.vetted_at) })}
          </Text>
        )}
      </Group>
      <Text size="sm" className={classes['text'] ?? ''}>
        {head.protocol === '' ? say('protocolNone') : head.protocol}
      </Text>
      {codes.length === 0 ? null : <Text size="sm">{codes.join(', ')}</Text>}
      {agents.map((agent) => (
        <Text key={agent} size="sm">
          {say('contrast', { agent })}
        </Text>
      ))}
      {preparation === '' ? null : (
        <Text size="sm" c="dimmed" className={classes['text'] ?? ''}>
          {say('preparation')}: {preparation}
        </Text>
      )}
    </Stack>
  );
}

function Happened(props: { readonly order: OrderFile }): ReactNode {
  const say = useMessages(happenings);
  const format = useFormat();
  const known = happenings.en as Readonly<Record<string, string>>;
  return (
    <ol className={classes['history'] ?? ''}>
      {[...props.order.events].reverse().map((one) => {
        const reason = one.detail['reason'] ?? one.detail['document'] ?? one.detail['question'];
        return (
          <li key={one.id}>
            <span className={classes['dim'] ?? ''}>{format.dateTime(one.at)}</span>
            <span>
              {one.kind in known ? say(one.kind as keyof (typeof happenings)['en']) : one.kind}
              {typeof reason === 'string' ? ` · ${reason}` : ''}
            </span>
            <span className={classes['dim'] ?? ''}>{one.source.replace(/^user:/, '')}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Documents(props: { readonly file: ExaminationFile }): ReactNode {
  const { head, steps } = props.file;
  const say = useMessages(messages);
  const notify = useNotify();
  const { language } = useLanguage();
  const mayPerform = useMay('perform');
  const [isOpen, setOpen] = useState(false);
  const printers = useQuery({
    queryKey: ['label-printers'],
    queryFn: ({ signal }) => call('GET /api/v1/label-printers', { signal }),
    enabled: isOpen && mayPerform,
    staleTime: 60_000,
  });
  const appointment = steps.find((one) => one.appointment !== null)?.appointment ?? null;
  const show = (address: string): void => {
    window.open(`/api/v1/${address}`, '_blank', 'noopener');
  };

  async function print(printer: string): Promise<void> {
    try {
      await call('POST /api/v1/examinations/{procedure}/label/prints', {
        path: { procedure: head.procedure },
        body: { printer },
      });
      notify.done(say('printed', { printer }));
    } catch (error) {
      notify.failed(error);
    }
  }

  return (
    <Menu opened={isOpen} onChange={setOpen} position="bottom-end" shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconPrinter size={14} aria-hidden />}
          rightSection={<IconChevronDown size={12} aria-hidden />}
        >
          {say('documents')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => show(`examinations/${head.procedure}/label.pdf`)}>{say('label')}</Menu.Item>
        <Menu.Item onClick={() => show(`examinations/${head.procedure}/label.pdf?sheet=true&copies=24`)}>
          {say('labelSheet')}
        </Menu.Item>
        {(printers.data ?? []).map((one) => (
          <Menu.Item key={one.name} onClick={() => void print(one.name)}>
            {say('print', { printer: one.name })}
          </Menu.Item>
        ))}
        {appointment === null ? null : (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => show(`appointments/${appointment}/letter.pdf?language=${language}`)}>
              {say('letter')}
            </Menu.Item>
            <Menu.Item
              onClick={() =>
                show(`appointments/${appointment}/letter.pdf?language=${language === 'fr' ? 'en' : 'fr'}`)
              }
            >
              {say('letterOther')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
