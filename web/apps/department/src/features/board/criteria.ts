import type { Input } from '@negatoscope/api-client';

type Query = NonNullable<Input<'GET /api/v1/board'>['query']>;

export const STATES = [
  'SCHEDULED',
  'ARRIVED',
  'READY',
  'STARTED',
  'COMPLETED',
  'DISCONTINUED',
  'CANCELED',
] as const;
export const PRIORITIES = ['STAT', 'HIGH', 'ROUTINE', 'MEDIUM', 'LOW'] as const;
export const VIEWS = ['table', 'waiting'] as const;
export type View = (typeof VIEWS)[number];
export type BoardState = (typeof STATES)[number];
export type Priority = (typeof PRIORITIES)[number];

/** What a board shows, as the address of the page says it. */
export interface Criteria {
  /** `YYYY-MM-DD`; empty: today, whenever that is. */
  readonly day: string;
  readonly text: string;
  readonly modality: readonly string[];
  readonly room: readonly number[];
  readonly state: readonly BoardState[];
  readonly priority: readonly Priority[];
  readonly unit: string;
  readonly isGrouped: boolean;
  readonly view: View;
}

export const NOTHING: Criteria = {
  day: '',
  text: '',
  modality: [],
  room: [],
  state: [],
  priority: [],
  unit: '',
  isGrouped: true,
  view: 'table',
};
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOST = 30;

/** The criteria of an address; what it has besides is left aside. */
export function readCriteria(query: string): Criteria {
  const found = new URLSearchParams(query);
  const one = (name: string): string => (found.get(name) ?? '').slice(0, 100);
  const some = (name: string): readonly string[] => [...new Set(found.getAll(name))].slice(0, MOST);
  return {
    day: DAY.test(one('day')) ? one('day') : '',
    text: one('text'),
    modality: some('modality').filter((value) => /^\w{1,16}$/.test(value)),
    room: some('room')
      .filter((value) => /^[1-9]\d{0,14}$/.test(value))
      .map(Number),
    state: STATES.filter((state) => some('state').includes(state)),
    priority: PRIORITIES.filter((priority) => some('priority').includes(priority)),
    unit: one('unit'),
    isGrouped: one('group') !== 'none',
    view: VIEWS.find((view) => view === one('view')) ?? 'table',
  };
}

/** The address of some criteria, without `?`; empty when nothing is special about them. */
export function writeCriteria(criteria: Criteria): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string): void => {
    if (value !== '') query.append(name, value);
  };
  put('day', criteria.day);
  put('text', criteria.text.trim());
  for (const value of criteria.modality) put('modality', value);
  for (const value of criteria.room) put('room', String(value));
  for (const value of criteria.state) put('state', value);
  for (const value of criteria.priority) put('priority', value);
  put('unit', criteria.unit.trim());
  if (!criteria.isGrouped) put('group', 'none');
  if (criteria.view !== 'table') put('view', criteria.view);
  return query.toString();
}

/** Whether rows are left out. */
export function isFiltered(criteria: Criteria): boolean {
  const { day: _day, isGrouped: _grouped, view: _view, ...filters } = criteria;
  return writeCriteria({ ...NOTHING, ...filters }) !== '';
}

/** What the server is asked; states are chosen among the rows that it gives, so that all are counted. */
export function queryOf(criteria: Criteria): Query {
  return {
    ...(criteria.day === '' ? {} : { day: criteria.day }),
    ...(criteria.text.trim() === '' ? {} : { text: criteria.text.trim() }),
    ...(criteria.modality.length === 0 ? {} : { modality: [...criteria.modality] }),
    ...(criteria.room.length === 0 ? {} : { room: [...criteria.room] }),
    ...(criteria.state.includes('CANCELED') ? { canceled: true } : {}),
    ...(criteria.priority.length === 0 ? {} : { priority: [...criteria.priority] }),
    ...(criteria.unit.trim() === '' ? {} : { unit: criteria.unit.trim() }),
  };
}
