import { Alert, Anchor, Badge, Button, Checkbox, Group, Radio, Stack, Text, Tooltip } from '@mantine/core';
import {
  call,
  type DeskAction,
  type DeskSide,
  type RegisteredPatient,
  type Sign,
} from '@negatoscope/api-client';
import {
  Failure,
  type Format,
  Loading,
  Panel,
  type Say,
  useActions,
  useFormat,
  useMessages,
} from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { IdentityBadge } from '../patients/IdentityBadge';
import { orderedIdentifiers, partialDate, shownName } from '../patients/names';
import classes from './Desk.module.css';
import { differing, type Piece } from './difference';
import { messages } from './messages';
import { PreviewDialog } from './PreviewDialog';

type Key = keyof (typeof messages)['en'];
type Translate = Say<(typeof messages)['en']>;

interface Row {
  readonly key: Key;
  /** The trait of the file that the value belongs to, when it can be taken over. */
  readonly trait?: string;
  readonly value: (side: DeskSide, format: Format) => string;
}

const ROWS: readonly Row[] = [
  { key: 'birth_family', trait: 'birth_name', value: (one) => one.patient.birth_name.family ?? '' },
  { key: 'birth_given', trait: 'birth_name', value: (one) => one.patient.birth_name.given ?? '' },
  { key: 'birth_further', trait: 'birth_name', value: (one) => one.patient.birth_name.further ?? '' },
  { key: 'used_family', trait: 'used_name', value: (one) => one.patient.used_name.family ?? '' },
  { key: 'used_given', trait: 'used_name', value: (one) => one.patient.used_name.given ?? '' },
  {
    key: 'birth_date',
    trait: 'birth_date',
    value: (one, format) => partialDate(one.patient.birth_date, format),
  },
  { key: 'sex', trait: 'sex', value: (one) => one.patient.sex },
  { key: 'birth_place_code', trait: 'birth_place_code', value: (one) => one.birth_place_code },
];

/** Two files side by side: what differs is marked; one is kept, and what it takes from the other is chosen. */
export function Compare(props: {
  readonly pair: readonly [number, number];
  /** The one that goes on unless another is chosen. */
  readonly survivor?: number;
  readonly onDone: () => void;
}): ReactNode {
  const { pair, onDone } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const [first, second] = pair;
  const found = useQuery({
    queryKey: ['reconciliation', 'pair', first, second],
    queryFn: ({ signal }) =>
      call('GET /api/v1/reconciliation/pairs/{first}/{second}', { path: { first, second }, signal }),
  });
  const [kept, setKept] = useState<number>(props.survivor ?? 0);
  const [taken, setTaken] = useState<readonly string[]>([]);
  const [action, setAction] = useState<DeskAction | null>(null);
  const sides = found.data?.sides;
  const [left, right] = [sides?.[0], sides?.[1]];
  const survivor = kept === 0 ? proposedSurvivor(left, right) : kept;
  const subsumed = survivor === first ? second : first;
  const isOpen = left?.patient.merged_into === null && right?.patient.merged_into === null;
  const merge = useMemo<DeskAction>(
    () => ({ kind: 'MERGE', patient: survivor, other: subsumed, traits: [...taken] }),
    [survivor, subsumed, taken],
  );
  useActions(
    useMemo(
      () => [
        {
          id: 'reconciliation.merge',
          label: { en: 'Merge the two files', fr: 'Fusionner les deux dossiers' },
          group: { en: 'Reconciliation', fr: 'Rapprochement' },
          shortcut: 'enter',
          isEnabled: isOpen,
          perform: () => setAction(merge),
        },
      ],
      [isOpen, merge],
    ),
  );
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined || left === undefined || right === undefined) return <Loading />;

  function toggle(trait: string): void {
    setTaken((before) =>
      before.includes(trait) ? before.filter((one) => one !== trait) : [...before, trait],
    );
  }

  return (
    <Stack gap="sm">
      <Panel
        title={say('score', { score: found.data.score })}
        actions={
          <Group gap="xs">
            <Button
              variant="default"
              size="compact-sm"
              disabled={!isOpen || found.data.state === 'DISMISSED'}
              onClick={() => setAction({ kind: 'DISMISS', patient: first, other: second })}
            >
              {say('dismiss')}
            </Button>
            <Button size="compact-sm" disabled={!isOpen} onClick={() => setAction(merge)}>
              {say('merge')}
            </Button>
          </Group>
        }
      >
        <Signs reasons={found.data.reasons} say={say} />
        {found.data.state === 'DISMISSED' ? (
          <Text size="sm" c="dimmed" mt={6}>
            {say('dismissed')}
          </Text>
        ) : null}
        {isOpen ? null : (
          <Alert color="gray" py="xs" mt="xs">
            {say('merged')}
          </Alert>
        )}
      </Panel>
      <Panel isFlush>
        <table className={classes['sides'] ?? ''}>
          <thead>
            <tr>
              <th style={{ width: 150 }} aria-label={say('trait')} />
              {[left, right].map((side) => (
                <th key={side.patient.id}>
                  <Group justify="space-between" gap={6} align="flex-start">
                    <div>
                      <Text fw={700} size="sm">
                        <Anchor
                          inherit
                          renderRoot={(given) => (
                            <Link
                              {...given}
                              to="/patients/registered/$number"
                              params={{ number: String(side.patient.id) }}
                            />
                          )}
                        >
                          {shownName(side.patient, format) || say('noName')}
                        </Anchor>
                      </Text>
                      <Text size="xs" c="dimmed" fw={400}>
                        {say('file', { number: side.patient.id })}
                      </Text>
                    </div>
                    <IdentityBadge patient={side.patient} />
                  </Group>
                  {isOpen ? (
                    <Radio
                      size="xs"
                      mt={4}
                      name={`survivor-${first}-${second}`}
                      label={say(side.patient.id === survivor ? 'goesOn' : 'makeGoOn')}
                      checked={side.patient.id === survivor}
                      onChange={() => {
                        setKept(side.patient.id);
                        setTaken([]);
                      }}
                    />
                  ) : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ROWS.map((row, at) => {
              const values = [row.value(left, format), row.value(right, format)] as const;
              if (values[0] === '' && values[1] === '') return null;
              const marked = differing(values[0], values[1]);
              const differs = values[0] !== values[1];
              const isFirstOfTrait =
                row.trait !== undefined &&
                ROWS.findIndex(
                  (one) => one.trait === row.trait && one.value(left, format) !== one.value(right, format),
                ) === at;
              return (
                <tr key={row.key} className={differs ? (classes['differs'] ?? '') : ''}>
                  <th scope="row">{say(row.key as 'sex')}</th>
                  {[left, right].map((side, index) => (
                    <td key={side.patient.id}>
                      <Marked pieces={marked[index] ?? []} />
                      {isOpen &&
                      differs &&
                      ROWS.some((one) => one.trait === row.trait && one.value(side, format) !== '') &&
                      isFirstOfTrait &&
                      row.trait !== undefined &&
                      side.patient.id === subsumed ? (
                        <Checkbox
                          size="xs"
                          mt={3}
                          label={say(taken.includes(row.trait) ? 'taken' : 'take')}
                          checked={taken.includes(row.trait)}
                          onChange={() => toggle(row.trait ?? '')}
                        />
                      ) : null}
                    </td>
                  ))}
                </tr>
              );
            })}
            <tr>
              <th scope="row">{say('identifiers')}</th>
              {[left, right].map((side) => (
                <td key={side.patient.id}>
                  {orderedIdentifiers(side.patient.identifiers).map((one) => (
                    <div key={`${one.value}|${one.authority}`}>
                      {one.value}{' '}
                      <Text span size="xs" c="dimmed">
                        {`${one.authority} ${one.type_code}`}
                      </Text>
                    </div>
                  ))}
                </td>
              ))}
            </tr>
            <tr>
              <th scope="row">{say('absorbed')}</th>
              {[left, right].map((side) => (
                <td key={side.patient.id}>
                  <Absorbed patient={side.patient} onSplit={setAction} />
                </td>
              ))}
            </tr>
            <tr>
              <th scope="row">{say('theStudies')}</th>
              {[left, right].map((side) => (
                <td key={side.patient.id}>
                  <Text size="xs" c="dimmed">
                    {say('studies', { count: side.studies.length })}
                  </Text>
                  {side.studies.slice(0, 8).map((one) => (
                    <div key={one.study_instance_uid}>
                      <Anchor
                        size="sm"
                        renderRoot={(given) => (
                          <Link {...given} to="/patients/$key" params={{ key: String(one.patient_key) }} />
                        )}
                      >
                        {[
                          format.date(one.study_date),
                          one.modalities_in_study.join(' '),
                          one.study_description,
                        ]
                          .filter(Boolean)
                          .join(' · ') || one.study_instance_uid}
                      </Anchor>
                    </div>
                  ))}
                </td>
              ))}
            </tr>
            <tr>
              <th scope="row">{say('theOrders')}</th>
              {[left, right].map((side) => (
                <td key={side.patient.id}>
                  <Text size="xs" c="dimmed">
                    {say('orders', { count: side.orders.length })}
                  </Text>
                  {side.orders.slice(0, 8).map((one) => (
                    <div key={one.procedure}>
                      {[
                        one.accession_number,
                        one.code_meaning || one.description || one.modality,
                        format.dateTime(one.start_at ?? one.ordered_at),
                      ].join(' · ')}
                    </div>
                  ))}
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </Panel>
      {action === null ? null : (
        <PreviewDialog
          action={action}
          about={[left, right].map((side) => (
            <Text key={side.patient.id} size="sm">
              <Text span c="dimmed">{`${say('file', { number: side.patient.id })} : `}</Text>
              {[
                shownName(side.patient, format) || say('noName'),
                partialDate(side.patient.birth_date, format),
                side.patient.sex,
                action.kind !== 'MERGE'
                  ? ''
                  : say(side.patient.id === action.patient ? 'itGoesOn' : 'itEnds'),
              ]
                .filter(Boolean)
                .join(' · ')}
            </Text>
          ))}
          onClose={() => setAction(null)}
          onDone={() => {
            setAction(null);
            if (action.kind !== 'SPLIT') onDone();
          }}
        />
      )}
    </Stack>
  );
}

/** The checked identity goes on, else the older file. */
function proposedSurvivor(left: DeskSide | undefined, right: DeskSide | undefined): number {
  if (left === undefined || right === undefined) return 0;
  const rank = (one: DeskSide) =>
    ['PROVISIONAL', 'RETRIEVED', 'VALIDATED', 'QUALIFIED'].indexOf(one.patient.identity_status) -
    (one.patient.identity_attributes.includes('FICT') ? 10 : 0);
  if (rank(left) !== rank(right)) return rank(left) > rank(right) ? left.patient.id : right.patient.id;
  return Math.min(left.patient.id, right.patient.id);
}

function Marked(props: { readonly pieces: readonly Piece[] }): ReactNode {
  return props.pieces.map((one, at) =>
    one.isDifferent ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity
      <mark key={at} className={classes['letter'] ?? ''}>
        {one.text}
      </mark>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity
      <span key={at}>{one.text}</span>
    ),
  );
}

/** Files that ended in this one: each can be parted again. */
function Absorbed(props: {
  readonly patient: RegisteredPatient;
  readonly onSplit: (action: DeskAction) => void;
}): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const number = props.patient.id;
  const file = useQuery({
    queryKey: ['reconciliation', 'file', number],
    queryFn: ({ signal }) => call('GET /api/v1/registered-patients/{number}', { path: { number }, signal }),
  });
  const absorbed = file.data?.absorbed ?? [];
  if (absorbed.length === 0) {
    return (
      <Text size="xs" c="dimmed">
        {say('noneOfThem')}
      </Text>
    );
  }
  return absorbed.map((one) => (
    <Group key={one.id} gap={6} justify="space-between" wrap="nowrap">
      <Text size="sm">
        {shownName(one, format)} · {partialDate(one.birth_date, format)}
      </Text>
      <Button
        size="compact-xs"
        variant="default"
        onClick={() => props.onSplit({ kind: 'SPLIT', patient: one.merged_into ?? number, other: one.id })}
      >
        {say('split')}
      </Button>
    </Group>
  ));
}

/** What speaks for one person and what against, with its points. */
export function Signs(props: { readonly reasons: readonly Sign[]; readonly say: Translate }): ReactNode {
  return (
    <Group gap={4}>
      {props.reasons.map((one) => (
        <Tooltip key={one.code} label={one.points > 0 ? `+${one.points}` : String(one.points)}>
          <Badge size="sm" variant="light" tt="none" color={one.points > 0 ? 'teal' : 'red'}>
            {signText(one.code, props.say)}
          </Badge>
        </Tooltip>
      ))}
    </Group>
  );
}

export function signText(code: string, say: Translate): string {
  const key = `sign_${code}`;
  return key in messages.en ? say(key as 'sign_sex-same') : code;
}
