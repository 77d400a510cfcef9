import { Badge, Text } from '@mantine/core';
import { call, type PatientEncounter, type PatientMovement, type PatientUnit } from '@negatoscope/api-client';
import { type Column, DataTable, Failure, Loading, Panel, useFormat, useMessages } from '@negatoscope/ui';
import { IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { fileMessages } from './file.messages';
import classes from './PatientFilePage.module.css';

const COLORS = {
  PREADMITTED: 'blue',
  ADMITTED: 'teal',
  'ON LEAVE': 'yellow',
  DISCHARGED: 'gray',
  CANCELLED: 'red',
  UNKNOWN: 'gray',
} as const;
const EVENTS = [
  ...['A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A09', 'A10'],
  ...['A14', 'A15', 'A16', 'A21', 'A22', 'A54'],
] as const;
type Event =
  | 'A01'
  | 'A02'
  | 'A03'
  | 'A04'
  | 'A05'
  | 'A06'
  | 'A07'
  | 'A09'
  | 'A10'
  | 'A14'
  | 'A15'
  | 'A16'
  | 'A21'
  | 'A22'
  | 'A54';

/** Stays of a patient, the latest open with its movements. */
export function Encounters(props: { readonly number: number }): ReactNode {
  const say = useMessages(fileMessages);
  const stays = useQuery({
    queryKey: ['registered-patient', props.number, 'encounters'],
    queryFn: ({ signal }) =>
      call('GET /api/v1/registered-patients/{number}/encounters', { path: { number: props.number }, signal }),
  });
  return (
    <Panel title={say('stays')} isFlush>
      {stays.isPending ? <Loading /> : null}
      {stays.isError ? <Failure error={stays.error} onRetry={() => void stays.refetch()} /> : null}
      {stays.data?.length === 0 ? (
        <Text size="sm" c="dimmed" p="sm">
          {say('noStay')}
        </Text>
      ) : null}
      <div className={classes['stays'] ?? ''}>
        {stays.data?.map((one, at) => (
          <Stay key={one.id} stay={one} isOpenAtFirst={at === 0} />
        ))}
      </div>
    </Panel>
  );
}

function Stay(props: { readonly stay: PatientEncounter; readonly isOpenAtFirst: boolean }): ReactNode {
  const { stay } = props;
  const say = useMessages(fileMessages);
  const format = useFormat();
  const [isOpen, setOpen] = useState(props.isOpenAtFirst);
  const classNames: Readonly<Record<string, string>> = {
    I: say('classI'),
    O: say('classO'),
    E: say('classE'),
    R: say('classR'),
    V: say('classV'),
    P: say('classP'),
  };
  const begun = stay.admitted_at ?? stay.expected_at;
  const where = [stay.lodging_unit, stay.medical_unit].map(nameOf).filter(Boolean);
  const columns: readonly Column<PatientMovement>[] = [
    {
      key: 'when',
      title: say('when'),
      width: 140,
      render: (row) => <Struck row={row}>{format.dateTime(row.happened_at)}</Struck>,
    },
    {
      key: 'what',
      title: say('what'),
      width: 210,
      render: (row) => (
        <>
          <Struck row={row}>{isEvent(row.event) ? say(row.event) : row.event}</Struck>{' '}
          <Text span size="xs" c="dimmed">
            {[
              row.nature,
              row.is_historic ? say('historic') : '',
              row.is_cancelled ? say('cancelledMovement') : '',
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </>
      ),
    },
    {
      key: 'lodging',
      title: say('lodging'),
      render: (row) => <Struck row={row}>{nameOf(row.lodging_unit)}</Struck>,
    },
    {
      key: 'medical',
      title: say('medical'),
      render: (row) => <Struck row={row}>{nameOf(row.medical_unit)}</Struck>,
    },
    { key: 'care', title: say('care'), render: (row) => <Struck row={row}>{nameOf(row.care_unit)}</Struck> },
    {
      key: 'place',
      title: say('place'),
      width: 100,
      render: (row) => <Struck row={row}>{[row.room, row.bed].filter(Boolean).join(', ')}</Struck>,
    },
  ];
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={classes['stay'] ?? ''}>
        <IconChevronRight size={15} className={classes['arrow'] ?? ''} aria-hidden />
        <Text size="sm" fw={600} span>
          {say('visit', { number: stay.visit_number })}
        </Text>
        <Badge size="sm" variant="light" color={COLORS[stay.state]} tt="none">
          {say(stay.state)}
        </Badge>
        <Text size="sm" c="dimmed" span>
          {[
            classNames[stay.patient_class] ?? stay.patient_class,
            [begun, stay.discharged_at]
              .map((at) => format.dateTime(at))
              .filter(Boolean)
              .join(' → '),
            ...where,
            [stay.room, stay.bed].filter(Boolean).join(', '),
            stay.attending_doctor === ''
              ? ''
              : say('attending', { name: format.personName(stay.attending_doctor) }),
            stay.account_number === '' || stay.account_number === stay.visit_number
              ? ''
              : say('account', { number: stay.account_number }),
            stay.visit_authority,
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </summary>
      {isOpen && stay.movements.length > 0 ? (
        <DataTable
          label={say('movements', { count: stay.movements.length })}
          rows={stay.movements}
          columns={columns}
          rowKey={(row) => `${row.event} ${row.number} ${row.happened_at}`}
        />
      ) : null}
    </details>
  );
}

function Struck(props: { readonly row: PatientMovement; readonly children: ReactNode }): ReactNode {
  return <span className={props.row.is_cancelled ? (classes['cancelled'] ?? '') : ''}>{props.children}</span>;
}

function nameOf(unit: PatientUnit): string {
  return unit.label === '' ? unit.code : `${unit.label} (${unit.code})`;
}

function isEvent(event: string): event is Event {
  return (EVENTS as readonly string[]).includes(event);
}
