// Written by tools/generate_api_client.py from the routes' OpenAPI; never edited.

/** What a registered application entity may ask of us. */
export type AERole = 'store' | 'query' | 'retrieve' | 'worklist' | 'mpps' | 'commitment' | 'print' | 'ups';

/** Where a peer is called, and what it may ask of us. */
export interface Address {
  host: string;
  port: number;
  roles?: AERole[];
  tls?: boolean;
  description?: string;
}

/** A peer we know. */
export interface ApplicationEntity {
  host: string;
  port: number;
  roles?: AERole[];
  tls?: boolean;
  description?: string;
  ae_title: string;
}

/** ``accept``: it takes the place of the first version; ``dismiss``: the first one stays. */
export interface Decision {
  decision: 'accept' | 'dismiss';
}

/** What a peer answered to C-ECHO. */
export interface Echo {
  answers: boolean;
  milliseconds: number;
  reason: string;
}

/** The state of this node. */
export interface Health {
  version: string;
  ae_title: string;
  ready: boolean;
  causes: string[];
  volumes: Volume[];
}

/** Who is asking. */
export interface Me {
  kind: string;
  name: string;
  roles: string[];
}

/** A token to be made. */
export interface NewToken {
  expires_in_days?: number;
  description?: string;
}

/** An account to be made; without a password it signs in with tokens only. */
export interface NewUser {
  name: string;
  roles: Role[];
  display_name?: string;
  password?: string | null;
}

/** What a user is; one account may have several. */
export type Role = 'administrator' | 'radiologist' | 'technologist' | 'secretary' | 'clinician' | 'physicist' | 'partner' | 'patient';

/** A series with its counts. */
export interface Series {
  series_instance_uid: string;
  modality: string | null;
  series_number: number | null;
  series_description: string | null;
  body_part_examined: string | null;
  station_name: string | null;
  instance_count: number;
  byte_count: number;
}

/** An object kept beside the archive until somebody decides. */
export interface SetAside {
  id: number;
  reason: string;
  sop_instance_uid: string;
  study_instance_uid: string;
  series_instance_uid: string;
  calling_ae_title: string | null;
  received_at: string;
  sha256: string;
  size: number;
}

/** A page of studies, newest first. */
export interface Studies {
  studies: Study[];
  has_more: boolean;
}

/** A study with its counts. */
export interface Study {
  study_instance_uid: string;
  study_date: string | null;
  study_time: string | null;
  study_description: string | null;
  accession_number: string | null;
  modalities_in_study: string[];
  series_count: number;
  instance_count: number;
  byte_count: number;
  patient_name: string | null;
  patient_id: string | null;
  patient_birth_date: string | null;
  patient_sex: string | null;
}

/** A study with its series. */
export interface StudyDetail {
  summary: Study;
  referring_physician_name: string | null;
  received_at: string | null;
  series: Series[];
}

/** Something an administrator must look at. */
export interface Task {
  id: number;
  kind: string;
  subject: string;
  detail: Record<string, unknown>;
  created_at: string;
}

/** A bearer token; it cannot be had again. */
export interface Token {
  token: string;
  expires_in_days: number;
}

/** What the archive holds in all; counted some moments ago. */
export interface Totals {
  study_count: number;
  series_count: number;
  instance_count: number;
  byte_count: number;
  modalities: string[];
}

/** An account. */
export interface User {
  name: string;
  display_name: string;
  roles: string[];
  is_active: boolean;
  has_password: boolean;
  created_at: string;
  last_sign_in_at: string | null;
}

/** A place where segments are kept. */
export interface Volume {
  name: string;
  free_bytes: number | null;
  low_watermark_bytes: number;
  takes_objects: boolean;
}

/** Every operation: what it takes and what it answers. */
export interface Operations {
  'DELETE /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: undefined };
  'GET /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: ApplicationEntity[] };
  'GET /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: ApplicationEntity };
  'GET /api/v1/me': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Me };
  'GET /api/v1/set-aside': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SetAside[] };
  'GET /api/v1/studies': { path: Record<never, never>; query: { text?: string; first?: string | null; last?: string | null; modality?: string | null; limit?: number; offset?: number }; body: undefined; answer: Studies };
  'GET /api/v1/studies/{study_instance_uid}': { path: { study_instance_uid: string }; query: Record<never, never>; body: undefined; answer: StudyDetail };
  'GET /api/v1/system/health': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Health };
  'GET /api/v1/tasks': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Task[] };
  'GET /api/v1/totals': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Totals };
  'GET /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: User[] };
  'POST /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: ApplicationEntity; answer: ApplicationEntity };
  'POST /api/v1/application-entities/{ae_title}/echo': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: Echo };
  'POST /api/v1/set-aside/{number}/decision': { path: { number: number }; query: Record<never, never>; body: Decision; answer: undefined };
  'POST /api/v1/tasks/{number}/done': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: NewUser; answer: User };
  'POST /api/v1/users/{name}/tokens': { path: { name: string }; query: Record<never, never>; body: NewToken; answer: Token };
  'PUT /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: Address; answer: ApplicationEntity };
}
