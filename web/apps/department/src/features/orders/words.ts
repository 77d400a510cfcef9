import type { OrderFile } from '@negatoscope/api-client';
import { shownPerson, typedPerson } from './describe';
import type { OrderPriority } from './search';

/** What somebody types about an order; empty where nothing is said. */
export interface TypedWords {
  readonly priority: OrderPriority;
  readonly clinicalQuestion: string;
  readonly justification: string;
  readonly comments: string;
  readonly requestingService: string;
  readonly requestingPhysician: string;
  readonly location: string;
  readonly transport: string;
  readonly weightKg: number | '';
  readonly heightCm: number | '';
  readonly allergies: string;
  readonly alerts: string;
  /** `YYYY-MM-DDTHH:MM` of the reader, or a day alone. */
  readonly wishedAt: string;
}

export const NOTHING: TypedWords = {
  priority: 'ROUTINE',
  clinicalQuestion: '',
  justification: '',
  comments: '',
  requestingService: '',
  requestingPhysician: '',
  location: '',
  transport: '',
  weightKg: '',
  heightCm: '',
  allergies: '',
  alerts: '',
  wishedAt: '',
};

/** As the server takes it; a name that nobody touched stays as it was written. */
export function sentWords(typed: TypedWords, of?: OrderFile) {
  const isSame = of !== undefined && typed.requestingPhysician === shownPerson(of.requesting_physician);
  return {
    priority: typed.priority,
    clinical_question: typed.clinicalQuestion,
    justification: typed.justification,
    comments: typed.comments,
    requesting_service: typed.requestingService,
    requesting_physician: isSame ? of.requesting_physician : typedPerson(typed.requestingPhysician),
    current_patient_location: typed.location,
    patient_transport: typed.transport,
    patient_weight_kg: typed.weightKg === '' ? null : typed.weightKg,
    patient_size_m: typed.heightCm === '' ? null : typed.heightCm / 100,
    allergies: typed.allergies,
    medical_alerts: typed.alerts,
    wished_at: typed.wishedAt === '' ? null : new Date(typed.wishedAt).toISOString(),
  };
}

/** An order's words, to be changed. */
export function wordsOf(order: OrderFile): TypedWords {
  const size = Number(order.patient_size_m ?? 0);
  return {
    priority: order.priority,
    clinicalQuestion: order.clinical_question,
    justification: order.justification,
    comments: order.comments,
    requestingService: order.requesting_service,
    requestingPhysician: shownPerson(order.requesting_physician),
    location: order.current_patient_location,
    transport: order.patient_transport,
    weightKg: order.patient_weight_kg === null ? '' : Number(order.patient_weight_kg),
    heightCm: order.patient_size_m === null ? '' : Math.round(size * 1000) / 10,
    allergies: order.allergies,
    alerts: order.medical_alerts,
    wishedAt: order.wished_at === null ? '' : localMinute(new Date(order.wished_at)),
  };
}

/** `2026-11-24T08:30` in the reader's zone. */
export function localMinute(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
