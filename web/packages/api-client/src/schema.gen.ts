// Written by tools/generate_api_client.py from the routes' OpenAPI; never edited.

/** What a registered application entity may ask of us. */
export type AERole = 'store' | 'query' | 'retrieve' | 'worklist' | 'mpps' | 'commitment' | 'print' | 'ups';

/** What can be asked for. */
export type Action = 'verify' | 'store' | 'query' | 'retrieve' | 'commit' | 'worklist' | 'mpps' | 'print' | 'ups' | 'administer' | 'read audit' | 'metrics' | 'break glass' | 'share';

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

/** A chain: its last number and hash, and up to where it was purged. */
export interface AuditChain {
  chain: string;
  seq: number;
  hash: string;
  purged_seq: number;
}

/** Events of a day (UTC), class and outcome. */
export interface AuditDay {
  day: string;
  event_class: string;
  outcome: string;
  event_count: number;
}

/** Figures by day. */
export interface AuditDays {
  days: AuditDay[];
}

/** An event, or ``event_count`` like ones. */
export interface AuditEvent {
  id: number;
  occurred_at: string;
  last_at: string;
  event_count: number;
  event_class: string;
  actor_kind: string;
  actor_name: string;
  actor_roles: string[];
  credential: string | null;
  peer: string | null;
  door: string | null;
  action: string;
  outcome: string;
  reason: string | null;
  study_instance_uid: string | null;
  patient_id: string | null;
  issuer_of_patient_id: string | null;
  accession_number: string | null;
  destination: string | null;
  detail: Record<string, unknown>;
  chain: string | null;
  seq: number | null;
}

/** Events, newest first; ``next_cursor`` leads to older ones. */
export interface AuditPage {
  events: AuditEvent[];
  next_cursor: string | null;
}

/** A repository: what it was told, what waits, what went wrong. */
export interface AuditSink {
  name: string;
  sent_count: number;
  last_sent_at: string | null;
  waiting_count: number;
  oldest_waiting_at: string | null;
  attempt_count: number;
  failed_since: string | null;
  next_attempt_at: string;
  last_error: string | null;
}

/** How the trail is. */
export interface AuditState {
  chains: AuditChain[];
  waiting_count: number;
  oldest_waiting_at: string | null;
  anchor_number: number | null;
  anchored_at: string | null;
  sinks: AuditSink[];
  verifications: AuditVerification[];
}

/** A verification: ``findings`` empty is sound, null is not done yet. */
export interface AuditVerification {
  id: number;
  requested_at: string;
  requested_by: string;
  started_at: string | null;
  ended_at: string | null;
  record_count: number | null;
  findings: (Record<string, unknown>)[] | null;
}

/** A code of the authenticator. */
export interface Code {
  code: string;
}

/** A name, a password, and a code where one is asked for. */
export interface Credentials {
  name: string;
  password: string;
  totp?: string | null;
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

/** What kind of thing happened; every action belongs to one. */
export type EventClass = 'sign in' | 'sign out' | 'connection' | 'query' | 'view' | 'retrieve' | 'store' | 'change' | 'delete' | 'export' | 'break glass' | 'configuration' | 'audit' | 'system';

/** A message with its segments; of an unreadable one the text alone. */
export interface HL7Explained {
  message: HL7Message;
  segments: HL7Segment[];
  text: string;
}

/** A field that has a value, as written. */
export interface HL7Field {
  number: number;
  name: string;
  value: string;
  is_cut: boolean;
}

/** A kept message. */
export interface HL7Message {
  id: number;
  stored_at: string;
  peer: string;
  sending_application: string;
  sending_facility: string;
  message_code: string;
  trigger_event: string;
  control_id: string;
  version_id: string;
  patient_identifiers: string[];
  notes: string[];
  verdict: HL7Verdict;
  state: State;
  state_reason: string;
  effect: Record<string, unknown>;
  attempt_count: number;
  processed_at: string | null;
  byte_count: number;
}

/** Who sends, and what waits. */
export interface HL7Overview {
  senders: HL7Sender[];
  pending_count: number;
  oldest_pending_at: string | null;
}

/** A segment, explained. */
export interface HL7Segment {
  id: string;
  name: string;
  fields: HL7Field[];
}

/** Who sent messages in the last 30 days. */
export interface HL7Sender {
  sending_application: string;
  sending_facility: string;
  message_count: number;
  pending_count: number;
  failed_count: number;
  last_at: string;
  last_peer: string;
}

/** What the sender was told. */
export interface HL7Verdict {
  code: 'AA' | 'AE' | 'AR';
  error_code: string;
  segment: string;
  field: number;
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

/** The password known now, and the new one. */
export interface NewPassword {
  current: string;
  new: string;
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

/** An emergency access that lasts. */
export interface OpenGlass {
  id: number;
  study_instance_uid: string | null;
  patient_id: string | null;
  reason: string;
  expires_at: string;
}

/** How it ended. */
export type Outcome = 'SUCCESS' | 'REFUSED' | 'FAILED';

/** One actor's accesses of a kind to a study on a day. */
export interface PatientAccess {
  day: string;
  actor_kind: string;
  actor_name: string;
  display_name: string | null;
  roles: string[];
  event_class: string;
  outcome: string;
  study_instance_uid: string | null;
  accession_number: string | null;
  first_at: string;
  last_at: string;
  event_count: number;
  reasons: string[];
  destinations: string[];
  study_description: string | null;
  study_date: string | null;
}

/** Who had a patient's data, newest first. */
export interface PatientReport {
  patient_id: string;
  issuer_of_patient_id: string | null;
  patient_name: string | null;
  patient_birth_date: string | null;
  accesses: PatientAccess[];
  is_complete: boolean;
}

/** The password, before something that weakens the account. */
export interface Proof {
  password: string;
}

/** Somewhere else to sign in. */
export interface Provider {
  name: string;
  display_name: string;
  start: string;
  available: boolean;
}

/** The ways to sign in. */
export interface Providers {
  local: boolean;
  local_is_for_emergencies: boolean;
  oidc: Provider[];
  needs_setup: boolean;
  min_password_length: number;
}

/** Shown once; each signs in once without the authenticator. */
export interface RecoveryCodes {
  recovery_codes: string[];
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

/** A session; what it may do is decided again at each door. */
export interface Session {
  user: SessionUser;
  functions: Action[];
  required: string[];
  study_instance_uid: string | null;
  break_glass: OpenGlass[];
  csrf: string | null;
  method: string | null;
  expires_at: string | null;
  idle_s: number;
  sees_everything: boolean;
}

/** A session as a row of a list. */
export interface SessionEntry {
  id: number;
  user_name: string;
  method: string;
  peer: string;
  agent: string;
  created_at: string;
  seen_at: string;
  expires_at: string;
  is_this_one: boolean;
}

/** Who is signed in. */
export interface SessionUser {
  kind: string;
  name: string;
  display_name: string;
  roles: string[];
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

/** The first account. */
export interface SetUp {
  secret: string;
  name: string;
  password: string;
}

/** Whether a set-up link would be taken. */
export interface SetupState {
  valid: boolean;
}

/** The session has ended. */
export interface SignedOut {
  provider_url: string | null;
}

/** What came of a message. */
export type State = 'PENDING' | 'PROCESSED' | 'IGNORED' | 'FAILED';

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

/** Told once, to an authenticator application. */
export interface TotpEnrolment {
  secret: string;
  otpauth_uri: string;
}

/** Whether codes are asked for. */
export interface TotpState {
  enabled: boolean;
  required: boolean;
  recovery_codes_left: number;
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
  'DELETE /api/v1/me/sessions': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/me/sessions/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SignedOut };
  'GET /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: ApplicationEntity[] };
  'GET /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: ApplicationEntity };
  'GET /api/v1/audit/days': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string }; body: undefined; answer: AuditDays };
  'GET /api/v1/audit/events': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string; cursor?: string | null; limit?: number }; body: undefined; answer: AuditPage };
  'GET /api/v1/audit/export': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string; format?: 'csv' | 'json' }; body: undefined; answer: undefined };
  'GET /api/v1/audit/patient': { path: Record<never, never>; query: { patient_id: string; issuer_of_patient_id?: string | null; after?: string | null; before?: string | null; every_class?: boolean }; body: undefined; answer: PatientReport };
  'GET /api/v1/audit/patient/export': { path: Record<never, never>; query: { patient_id: string; issuer_of_patient_id?: string | null; after?: string | null; before?: string | null; every_class?: boolean; format?: 'html' | 'csv'; language?: 'fr' | 'en'; names?: boolean }; body: undefined; answer: undefined };
  'GET /api/v1/audit/state': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: AuditState };
  'GET /api/v1/hl7/messages': { path: Record<never, never>; query: { patient_identifier?: string; message_type?: string; state?: State | null; sending_application?: string; control_id?: string; stored_from?: string | null; stored_until?: string | null; before_id?: number | null; limit?: number }; body: undefined; answer: HL7Message[] };
  'GET /api/v1/hl7/messages/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Explained };
  'GET /api/v1/hl7/overview': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: HL7Overview };
  'GET /api/v1/me': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Me };
  'GET /api/v1/me/sessions': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SessionEntry[] };
  'GET /api/v1/me/totp': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TotpState };
  'GET /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Session };
  'GET /api/v1/session/providers': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Providers };
  'GET /api/v1/session/setup/{secret}': { path: { secret: string }; query: Record<never, never>; body: undefined; answer: SetupState };
  'GET /api/v1/set-aside': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SetAside[] };
  'GET /api/v1/studies': { path: Record<never, never>; query: { text?: string; first?: string | null; last?: string | null; modality?: string | null; limit?: number; offset?: number }; body: undefined; answer: Studies };
  'GET /api/v1/studies/{study_instance_uid}': { path: { study_instance_uid: string }; query: Record<never, never>; body: undefined; answer: StudyDetail };
  'GET /api/v1/system/health': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Health };
  'GET /api/v1/tasks': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Task[] };
  'GET /api/v1/totals': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Totals };
  'GET /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: User[] };
  'POST /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: ApplicationEntity; answer: ApplicationEntity };
  'POST /api/v1/application-entities/{ae_title}/echo': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: Echo };
  'POST /api/v1/audit/verifications': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: AuditVerification };
  'POST /api/v1/hl7/messages/{number}/replay': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Message };
  'POST /api/v1/me/password': { path: Record<never, never>; query: Record<never, never>; body: NewPassword; answer: Session };
  'POST /api/v1/me/totp': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TotpEnrolment };
  'POST /api/v1/me/totp/confirm': { path: Record<never, never>; query: Record<never, never>; body: Code; answer: RecoveryCodes };
  'POST /api/v1/me/totp/remove': { path: Record<never, never>; query: Record<never, never>; body: Proof; answer: undefined };
  'POST /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: Credentials; answer: Session };
  'POST /api/v1/session/setup': { path: Record<never, never>; query: Record<never, never>; body: SetUp; answer: Session };
  'POST /api/v1/set-aside/{number}/decision': { path: { number: number }; query: Record<never, never>; body: Decision; answer: undefined };
  'POST /api/v1/tasks/{number}/done': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: NewUser; answer: User };
  'POST /api/v1/users/{name}/tokens': { path: { name: string }; query: Record<never, never>; body: NewToken; answer: Token };
  'PUT /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: Address; answer: ApplicationEntity };
}
