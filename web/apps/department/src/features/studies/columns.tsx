import { Badge, Group } from '@mantine/core';
import type { ListedStudy } from '@negatoscope/api-client';
import type { Format, Say } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import type { Order } from './criteria';
import type { messages } from './messages';

export type SayStudies = Say<(typeof messages)['en']>;

export interface StudyColumn {
  readonly key: ColumnKey;
  readonly width: number;
  readonly align?: 'right';
  readonly isHidden?: boolean;
  /** Orders of the list that this column begins: first click, second click. */
  readonly orders?: readonly [Order, Order];
  readonly render?: (study: ListedStudy, format: Format, say: SayStudies) => ReactNode;
  readonly text: (study: ListedStudy, format: Format, say: SayStudies) => string | number | null;
}

export type ColumnKey =
  | 'patient_name'
  | 'patient_id'
  | 'issuer_of_patient_id'
  | 'patient_birth_date'
  | 'patient_sex'
  | 'study_date'
  | 'modalities'
  | 'study_description'
  | 'accession_number'
  | 'referring_physician_name'
  | 'series_count'
  | 'instance_count'
  | 'byte_count'
  | 'received_at';

export const COLUMNS: readonly StudyColumn[] = [
  {
    key: 'patient_name',
    width: 220,
    orders: ['name', '-name'],
    text: (study, format, say) => format.personName(study.patient_name) || say('noName'),
  },
  {
    key: 'study_date',
    width: 146,
    orders: ['newest', 'oldest'],
    text: (study, format) => `${format.date(study.study_date)} ${format.time(study.study_time)}`.trim(),
  },
  {
    key: 'modalities',
    width: 96,
    render: (study) => <Modalities modalities={study.modalities_in_study} />,
    text: (study) => study.modalities_in_study.join(' '),
  },
  { key: 'study_description', width: 220, text: (study) => study.study_description },
  {
    key: 'patient_birth_date',
    width: 168,
    text: (study, format, say) => {
      const age = ageAt(study.patient_birth_date, study.study_date);
      const born = format.date(study.patient_birth_date);
      return age === null ? born : `${born} (${say('years', { count: age })})`;
    },
  },
  { key: 'patient_sex', width: 56, text: (study, _format, say) => sexOf(study.patient_sex, say) },
  { key: 'patient_id', width: 120, text: (study) => study.patient_id },
  { key: 'issuer_of_patient_id', width: 100, isHidden: true, text: (study) => study.issuer_of_patient_id },
  { key: 'accession_number', width: 130, text: (study) => study.accession_number },
  {
    key: 'referring_physician_name',
    width: 170,
    isHidden: true,
    text: (study, format) => format.personName(study.referring_physician_name),
  },
  { key: 'series_count', width: 64, align: 'right', text: (study) => study.series_count },
  { key: 'instance_count', width: 72, align: 'right', text: (study) => study.instance_count },
  {
    key: 'byte_count',
    width: 84,
    align: 'right',
    isHidden: true,
    text: (study, format) => format.bytes(study.byte_count),
  },
  {
    key: 'received_at',
    width: 130,
    isHidden: true,
    orders: ['received', 'received'],
    text: (study, format) => format.dateTime(study.received_at),
  },
];

/** What a person chose of the columns. */
export interface ColumnChoice {
  readonly order: readonly ColumnKey[];
  readonly hidden: readonly ColumnKey[];
  readonly widths: Readonly<Partial<Record<ColumnKey, number>>>;
}

const KEYS = COLUMNS.map((column) => column.key);
export const DEFAULT_CHOICE: ColumnChoice = {
  order: KEYS,
  hidden: COLUMNS.filter((column) => column.isHidden === true).map((column) => column.key),
  widths: {},
};
export const NARROWEST = 44;
export const WIDEST = 800;

/** A choice of what was kept, by an older version perhaps: unknown columns go, new ones come last. */
export function readChoice(kept: unknown): ColumnChoice {
  if (typeof kept !== 'object' || kept === null) return DEFAULT_CHOICE;
  const { order, hidden, widths } = kept as Record<string, unknown>;
  const known = (value: unknown): ColumnKey[] =>
    Array.isArray(value) ? value.filter((one): one is ColumnKey => KEYS.includes(one as ColumnKey)) : [];
  const first = [...new Set(known(order))];
  const chosen: Partial<Record<ColumnKey, number>> = {};
  if (typeof widths === 'object' && widths !== null)
    for (const key of KEYS) {
      const width = (widths as Record<string, unknown>)[key];
      if (typeof width === 'number' && width >= NARROWEST && width <= WIDEST) chosen[key] = width;
    }
  const old = new Set(first);
  return {
    order: [...first, ...KEYS.filter((key) => !old.has(key))],
    hidden: [
      ...known(hidden),
      ...(first.length === 0 ? [] : DEFAULT_CHOICE.hidden.filter((key) => !old.has(key))),
    ],
    widths: chosen,
  };
}

/** The columns to show, in their order. */
export function shownColumns(choice: ColumnChoice): readonly StudyColumn[] {
  const shown = choice.order
    .filter((key) => !choice.hidden.includes(key))
    .map((key) => COLUMNS.find((column) => column.key === key))
    .filter((column) => column !== undefined);
  return shown.length > 0 ? shown : COLUMNS.slice(0, 1);
}

/** Whole years between two days (`YYYY-MM-DD`). */
export function ageAt(born: string | null, at: string | null): number | null {
  if (born === null || at === null) return null;
  const years = Number(at.slice(0, 4)) - Number(born.slice(0, 4)) - (at.slice(5) < born.slice(5) ? 1 : 0);
  return years >= 0 && years < 150 ? years : null;
}

export function sexOf(sex: string | null, say: SayStudies): string {
  if (sex === 'F') return say('sexF');
  if (sex === 'M') return say('sexM');
  return sex ?? '';
}

const COLORS: Readonly<Record<string, string>> = {
  CT: 'blue',
  MR: 'violet',
  US: 'teal',
  CR: 'gray',
  DX: 'gray',
  DR: 'gray',
  MG: 'pink',
  NM: 'orange',
  PT: 'orange',
  XA: 'red',
  RF: 'red',
};

export function modalityColor(modality: string): string {
  return COLORS[modality] ?? 'gray';
}

/** Modalities as badges; the same colour for the same kind everywhere. */
export function Modalities(props: { readonly modalities: readonly string[] }): ReactNode {
  return (
    <Group gap={3} wrap="nowrap">
      {props.modalities.map((one) => (
        <Badge
          key={one}
          size="sm"
          radius="sm"
          variant="light"
          color={modalityColor(one)}
          style={{ flexShrink: 0 }}
        >
          {one}
        </Badge>
      ))}
    </Group>
  );
}
