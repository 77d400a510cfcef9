// Written by tools/generate_api_client.py from the routes' OpenAPI; never edited.

/** What a registered application entity may ask of us. */
export type AERole = 'store' | 'query' | 'retrieve' | 'worklist' | 'mpps' | 'commitment' | 'print' | 'ups';

/** A radiologist accepts. */
export interface Accepted {
  protocol?: string;
  protocol_codes?: CodeSchema[] | null;
  contrast_agent?: string | null;
  wished_room?: number | null;
  version: number;
  modality?: string | null;
}

/** What can be asked for. */
export type Action = 'verify' | 'store' | 'query' | 'retrieve' | 'commit' | 'worklist' | 'mpps' | 'print' | 'ups' | 'administer' | 'read audit' | 'metrics' | 'break glass' | 'share' | 'read the department\'s work' | 'order' | 'vet' | 'schedule' | 'perform' | 'catalogue' | 'reconcile';

/** What can be done. */
export type ActionKind = 'MERGE' | 'SPLIT' | 'DISMISS' | 'MOVE' | 'BIND' | 'UNBIND' | 'PUT ASIDE';

/** Where a peer is called, what it may ask of us, and how it must prove who it is. */
export interface Address {
  host: string;
  port: number;
  roles?: AERole[];
  tls?: boolean;
  description?: string;
  is_enabled?: boolean;
  tls_required?: boolean;
  certificates?: string[];
  check_host?: boolean;
  max_associations?: number | null;
}

/** An appointment that has to be moved, and where to. */
export interface AffectedAppointment {
  appointment: Appointment;
  proposals: Slot[];
}

/** To a safety question: YES forbids. */
export type Answer = 'YES' | 'NO' | 'UNKNOWN';

/** A peer we know. */
export interface ApplicationEntity {
  host: string;
  port: number;
  roles?: AERole[];
  tls?: boolean;
  description?: string;
  is_enabled?: boolean;
  tls_required?: boolean;
  certificates?: string[];
  check_host?: boolean;
  max_associations?: number | null;
  ae_title: string;
}

/** A visit: booked, missed, cancelled, or waiting for a time. */
export interface Appointment {
  id: number;
  version: number;
  state: AppointmentState;
  state_reason: string;
  start_at: string | null;
  end_at: string | null;
  patient: AppointmentPatient | null;
  steps: AppointmentStep[];
  resources: number[];
  overbooked: number[];
  overbooking_reason: string;
  wished_from: string | null;
  wished_until: string | null;
  note: string;
  placer_appointment_id: string;
  source: string;
  created_at: string;
  updated_at: string;
}

/** What changes; what is absent stays. ``steps`` stands alone: the whole plan anew. */
export interface AppointmentChange {
  version: number;
  start_at?: string | null;
  end_at?: string | null;
  put?: Put | null;
  steps?: StepPlace[] | null;
  note?: string | null;
  reason?: string;
}

/** An appointment with its history, oldest first. */
export interface AppointmentDetails {
  appointment: Appointment;
  history: AppointmentEvent[];
}

/** Something that happened to an appointment. */
export interface AppointmentEvent {
  id: number;
  at: string;
  kind: string;
  source: string;
  detail: Record<string, unknown>;
}

/** Appointments of a range, by time. */
export interface AppointmentList {
  appointments: Appointment[];
  is_cut: boolean;
}

/** Whose appointment it is, in the words of a calendar. */
export interface AppointmentPatient {
  id: number;
  family: string;
  given: string;
  birth_name: string;
  birth_date: string;
  sex: string;
  patient_id: string;
  patient_id_authority: string;
  identity_status: string;
}

/** How far a visit is; ARRIVED and FULFILLED follow from its steps. */
export type AppointmentState = 'WAITING' | 'BOOKED' | 'ARRIVED' | 'FULFILLED' | 'CANCELLED' | 'NOSHOW';

/** A step that is done in an appointment. */
export interface AppointmentStep {
  step: number;
  scheduled_procedure_step_id: string;
  state: string;
  start_at: string | null;
  end_at: string | null;
  room: number | null;
  device: number | null;
  staff: number[];
  request: number;
  accession_number: string;
  priority: string;
  requested_procedure: number;
  description: string;
  modality: string;
  duration_min: number;
}

/** A safety question with what was answered. */
export interface AskedQuestion {
  question: Question;
  is_asked: boolean;
  is_blocking: boolean;
  answer: Answer | null;
  value: string | null;
  detail: string;
  answered_by: string;
  answered_at: string | null;
  cleared_by: string;
  cleared_reason: string;
  cleared_at: string | null;
}

/** A DICOM association that is open now. */
export interface Association {
  node: string;
  pid: number;
  calling_ae_title: string;
  peer_host: string;
  tls: string;
  seconds: number;
  idle_s: number;
  requests: number;
  last: string;
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

/** A device that is not told of, of which studies with a bare number wait; empty: not known which. */
export interface BareNumberSender {
  calling_ae_title: string;
  waiting: number;
}

/** What a board shows. */
export interface BoardDay {
  day: string;
  time_zone: string;
  now: string;
  rows: BoardRow[];
  unordered: UnorderedStudy[];
  is_cut: boolean;
}

/** A room, or a device in one. */
export interface BoardPlace {
  id: number;
  kind: 'ROOM' | 'DEVICE';
  name: string;
  location: string;
  modality: string;
  room: number | null;
  ae_title: string;
}

/** A scheduled procedure step; numbers named after a thing are ours of it. */
export interface BoardRow {
  step: number;
  scheduled_procedure_step_id: string;
  version: number;
  state: StepState;
  modality: string;
  description: string;
  start_at: string;
  end_at: string | null;
  arrived_at: string | null;
  identity_checked_at: string | null;
  identity_checked_by: string;
  started_at: string | null;
  ended_at: string | null;
  scheduled_station_ae_title: string;
  requested_contrast_agent: string;
  procedure: number;
  requested_procedure_id: string;
  study_instance_uid: string;
  procedure_state: ProcedureState;
  vetting: string;
  has_protocol: boolean;
  procedure_name: string;
  label_fr: string;
  label_en: string;
  request: number;
  accession_number: string;
  priority: string;
  request_state: RequestState;
  requesting_service: string;
  current_patient_location: string;
  patient_transport: string;
  has_clinical_question: boolean;
  patient: number;
  birth_name: Name;
  used_name: Name;
  birth_date: string;
  sex: string;
  identity_status: string;
  identity_attributes: string[];
  is_deceased: boolean;
  patient_id: string;
  patient_id_authority: string;
  appointment: number | null;
  appointment_state: string | null;
  is_overbooked: boolean;
  room: number | null;
  room_name: string;
  room_location: string;
  device: number | null;
  device_name: string;
  series_count: number;
  instance_count: number;
  study_instance_uids: string[];
  mpps_state: string | null;
  mpps_started_at: string | null;
  mpps_ended_at: string | null;
  mpps_instance_count: number;
  mpps_is_overdue: boolean;
  notes: StepNote[];
  safety_waiting: string[];
  safety_blocking: string[];
  delay_min: number | null;
  flags: Flag[];
}

/** An emergency access. */
export interface Break {
  id: number;
  user_name: string;
  user_display_name: string;
  patient_id: string | null;
  issuer_of_patient_id: string;
  study_instance_uid: string | null;
  reason: string;
  peer: string;
  started_at: string;
  expires_at: string;
  ended_at: string | null;
  reviewed_at: string | null;
  reviewed_by: string | null;
  review: string | null;
}

/** An emergency access with what was seen. */
export interface BreakDetail {
  access: Break;
  seen: Seen[];
}

/** Hours, holidays and downtime of a range. */
export interface CalendarBackground {
  time_zone: string;
  holidays: PublicHoliday[];
  resources: CalendarResource[];
}

/** The background of a resource's column. */
export interface CalendarResource {
  resource: number;
  kind: string;
  name: string;
  open: OpenSpan[];
  closed: CalendarSpan[];
}

/** A span of time in which a resource cannot be booked. */
export interface CalendarSpan {
  start_at: string;
  end_at: string;
  kind: string;
  reason: string;
  downtime: number | null;
}

/** The same with the version that was read. */
export interface CallChange {
  label: string;
  place: 'PATIENT' | 'STUDY';
  template: string;
  is_active?: boolean;
  version: number;
}

/** An address with places in braces. */
export interface CallSettings {
  label: string;
  place: 'PATIENT' | 'STUDY';
  template: string;
  is_active?: boolean;
}

/** A study of the call. */
export interface CalledStudy {
  study_instance_uid: string;
  study_date: string | null;
  study_description: string | null;
  accession_number: string | null;
  modalities_in_study: string[];
  patient_key: number;
  patient_id: string | null;
  issuer_of_patient_id: string;
  patient_name: string | null;
  patient_birth_date: string | null;
}

/** A calling AE title at a host, as counted by the DICOM listener. */
export interface Caller {
  ae_title: string;
  peer_host: string;
  accepted_count: number;
  refused_count: number;
  first_at: string;
  last_accepted_at: string | null;
  last_refused_at: string | null;
  last_refusal: string | null;
  implementation_class_uid: string | null;
  implementation_version_name: string | null;
  is_registered: boolean;
}

/** A file to take in, or to look at. */
export interface CatalogueFile {
  kind: FileKind;
  content: string;
  apply?: boolean;
}

/** An entry of the catalogue. */
export interface CatalogueProcedure {
  code_value: string;
  coding_scheme_designator?: string;
  label_fr: string;
  label_en?: string;
  modality?: string;
  body_part_examined?: string;
  duration_min?: number;
  preparation_fr?: string;
  preparation_en?: string;
  contrast?: Contrast;
  contrast_agent?: string;
  safety_questions?: SafetyQuestion[];
  needs_vetting?: boolean;
  protocols?: ProtocolSchema[];
  rooms?: number[];
  default_room?: number | null;
  is_active?: boolean;
  version: number;
  id: number;
}

/** What happened to a patient's file. */
export type ChangeKind = 'CREATED' | 'UPDATED' | 'IDENTIFIERS CHANGED' | 'MERGED' | 'ABSORBED' | 'SPLIT';

/** Other words. */
export interface ChangedOrder {
  priority?: Priority | null;
  clinical_question?: string | null;
  justification?: string | null;
  comments?: string | null;
  requesting_service?: string | null;
  requesting_physician?: string | null;
  requesting_physician_id?: string | null;
  referring_physician_name?: string | null;
  admission_id?: string | null;
  current_patient_location?: string | null;
  patient_transport?: string | null;
  medical_alerts?: string | null;
  allergies?: string | null;
  patient_weight_kg?: number | string | null;
  patient_size_m?: number | string | null;
  wished_at?: string | null;
  version: number;
}

/** One thing looked at. */
export interface Check {
  name: string;
  kind: string;
  state: 'ok' | 'warning' | 'failed';
  detail: string;
  hint: string;
}

/** What the worker does at intervals. */
export interface Chore {
  name: string;
  runs: number;
  started_at: string | null;
  seconds: number;
  is_running: boolean;
  error: string;
}

/** A code of the authenticator. */
export interface Code {
  code: string;
}

/** An item of a code sequence. */
export interface CodeSchema {
  code_value: string;
  coding_scheme_designator?: string;
  code_meaning?: string;
}

/** Commands for one purpose, in the order in which they are useful. */
export interface CommandGroup {
  purpose: 'register' | 'send' | 'find' | 'fetch';
  commands: string[];
}

/** An object set aside beside the current one. */
export interface Comparison {
  id: number;
  reason: string;
  state: string;
  sop_instance_uid: string;
  study_instance_uid: string;
  current_study_instance_uid: string;
  calling_ae_title: string | null;
  received_at: string;
  resolved_at: string | null;
  resolved_by: string | null;
  current: Version | null;
  aside: Version;
  differences: Difference[];
  equal_count: number;
  problem: string;
}

/** A package that is part of this program. */
export interface Component {
  name: string;
  version: string;
  ecosystem: string;
  licence: string;
  homepage: string;
}

/** As it is kept. */
export interface ConfiguredCall {
  label: string;
  place: 'PATIENT' | 'STUDY';
  template: string;
  is_active?: boolean;
  version: number;
  id: number;
}

/** Who is connected now, as of some seconds ago. */
export interface Connections {
  processes: Process[];
  associations: Association[];
  half_open: number;
  http_requests: number;
  web_sockets: number;
  sessions: number;
}

/** Whether a contrast agent is given. */
export type Contrast = 'NONE' | 'POSSIBLE' | 'REQUIRED';

/** A name, a password, and a code where one is asked for. */
export interface Credentials {
  name: string;
  password: string;
  totp?: string | null;
}

/** In force, or until when it was. */
export interface DatedIdentifier {
  value: string;
  authority: string;
  universal_id: string;
  universal_id_type: string;
  type_code: string;
  warning: string;
  since: string;
  until: string | null;
}

/** An object set aside about which somebody decided. */
export interface Decided {
  id: number;
  reason: string;
  state: string;
  sop_instance_uid: string;
  study_instance_uid: string;
  series_instance_uid: string;
  calling_ae_title: string | null;
  received_at: string;
  resolved_at: string | null;
  resolved_by: string | null;
  sha256: string;
  size: number;
}

/** ``accept``: it takes the place of the first version; ``dismiss``: the first one stays. */
export interface Decision {
  decision: 'accept' | 'dismiss';
}

/** What an empty issuer means in what one device sends; with an empty title, in what all others send. */
export interface DefaultIssuerEntry {
  calling_ae_title: string;
  issuer: string;
}

/** The same, with how many studies from there wait without a patient and say a bare number. */
export interface DefaultIssuerInForce {
  calling_ae_title: string;
  issuer: string;
  waiting: number;
}

/** What an empty issuer means, and what helps to say it. */
export interface DefaultIssuers {
  entries: DefaultIssuerInForce[];
  senders: BareNumberSender[];
  authorities: string[];
}

/** A room, a device or a person. */
export interface DepartmentResource {
  kind: ResourceKind;
  name: string;
  location?: string;
  room?: number | null;
  modality?: string;
  ae_title?: string;
  station_name?: string;
  profession?: string;
  rpps?: string;
  worklist_filter?: WorklistFilterSchema;
  is_active?: boolean;
  version: number;
  id: number;
  hours: OpeningHours[];
}

/** Something to be done. */
export interface DeskAction {
  kind: ActionKind;
  patient?: number | null;
  other?: number | null;
  traits?: string[];
  studies?: string[];
  procedure?: number | null;
  is_patient_confirmed?: boolean;
  reason?: string;
}

/** The same, as it was previewed. */
export interface DeskActionAsPreviewed {
  kind: ActionKind;
  patient?: number | null;
  other?: number | null;
  traits?: string[];
  studies?: string[];
  procedure?: number | null;
  is_patient_confirmed?: boolean;
  reason?: string;
  token: string;
}

/** How much waits in each list; 501 means more than 500. */
export interface DeskCounts {
  duplicates: number;
  without_patient: number;
  without_order: number;
  unidentified: number;
}

/** A line of the journal. */
export interface DeskDone {
  id: number;
  kind: ActionKind;
  done_at: string;
  done_by: string;
  reason: string;
  asked: Record<string, unknown>;
  effect: Record<string, unknown>;
  undone_at: string | null;
  undone_by: string;
}

/** A requested procedure. */
export interface DeskOrder {
  procedure: number;
  request: number;
  accession_number: string;
  code_meaning: string;
  description: string;
  modality: string;
  state: string;
  ordered_at: string;
  start_at: string | null;
  bound_study_instance_uid: string | null;
  patient: number;
  signs: string[];
}

/** Two patients side by side. */
export interface DeskPair {
  score: number;
  reasons: Sign[];
  state: string | null;
  sides: DeskSide[];
}

/** What the action would touch. */
export interface DeskPreview {
  token: string;
  studies: string[];
  orders: string[];
  appointments: number[];
  worklist_entries: string[];
  performed_steps: number;
  other_rows: Record<string, number>;
  message_destinations: string[];
  changes: string[];
  warnings: string[];
}

/** A patient with what belongs to them, the newest 100 of each. */
export interface DeskSide {
  patient: RegisteredPatient;
  birth_place_code: string;
  version: number;
  studies: DeskStudy[];
  orders: DeskOrder[];
}

/** A study with what is known of whose and what for it is. */
export interface DeskStudy {
  key: number;
  study_instance_uid: string;
  study_date: string | null;
  study_time: string | null;
  study_description: string | null;
  accession_number: string;
  modalities_in_study: string[];
  instance_count: number;
  received_at: string;
  patient_key: number;
  patient_id: string;
  issuer_of_patient_id: string;
  patient_name: string;
  patient_birth_date: string | null;
  patient_sex: string;
  binding_state: string | null;
  binding_reason: string | null;
  procedure: number | null;
  registered: number | null;
  is_moved: boolean;
  calling_ae_title: string;
}

/** A study, and what it may belong to; nothing follows from it by itself. */
export interface DeskStudyProposals {
  study: DeskStudy;
  orders: DeskOrder[];
  patients: RegisteredPatient[];
  known: RegisteredPatient | null;
}

/** Another device for a step. */
export interface DeviceChoice {
  device: number;
  version?: number | null;
}

/** What was found; stable, the page has a text for each. */
export type Diagnosis = 'answers' | 'name-unknown' | 'address-refused' | 'unreachable' | 'connection-refused' | 'connect-timeout' | 'our-certificate' | 'tls-not-spoken' | 'tls-expected' | 'tls-certificate-expired' | 'tls-certificate-name' | 'tls-certificate-unknown' | 'tls-certificate-refused' | 'tls-failed' | 'not-dicom' | 'closed' | 'no-answer' | 'calling-ae-title-not-recognized' | 'called-ae-title-not-recognized' | 'rejected-busy' | 'rejected' | 'aborted' | 'verification-refused' | 'status' | 'failed';

/** An attribute that is not the same in both; null where it is absent. */
export interface Difference {
  tag: string;
  keyword: string;
  vr: string;
  current: string | null;
  aside: string | null;
}

/** When a resource cannot be booked. */
export interface Downtime {
  id: number;
  resource: number | null;
  start_at: string;
  end_at: string;
  kind: string;
  reason: string;
  created_at: string;
  created_by: string;
}

/** A downtime, and how many appointments it touches. */
export interface DowntimeDone {
  downtime: Downtime;
  affected_count: number;
}

/** What is said of a downtime. */
export interface DowntimeGiven {
  resource?: number | null;
  start_at: string;
  end_at: string;
  kind: 'MAINTENANCE' | 'BREAKDOWN' | 'ABSENCE' | 'HOLIDAY' | 'OTHER';
  reason?: string;
}

/** Two files that may be one person's; the older first. */
export interface DuplicatePair {
  score: number;
  reasons: Sign[];
  found_at: string;
  first: RegisteredPatient;
  second: RegisteredPatient;
}

/** What a peer answered to C-ECHO; ``code`` says what was found. */
export interface Echo {
  answers: boolean;
  milliseconds: number;
  code: Diagnosis;
  reason: string;
  hint: string;
  address: string;
  tls: string;
  implementation: string;
  our_ae_title: string;
}

/** What a line does. */
export type Effect = 'NEW' | 'CHANGED' | 'SAME' | 'ERROR';

/** One line of a header; ``depth`` says how far it stands in. */
export interface Element {
  kind: string;
  depth: number;
  tag: string;
  vr: string;
  length: number | null;
  keyword: string | null;
  name: string | null;
  creator: string | null;
  number: number;
  value: string;
  is_cut: boolean;
}

/** Where a stay is. */
export type EncounterState = 'PREADMITTED' | 'ADMITTED' | 'ON LEAVE' | 'DISCHARGED' | 'CANCELLED' | 'UNKNOWN';

/** Of which version, and why. */
export interface Ending {
  version: number;
  reason?: string;
}

/** What kind of thing happened; every action belongs to one. */
export type EventClass = 'sign in' | 'sign out' | 'connection' | 'query' | 'view' | 'retrieve' | 'store' | 'change' | 'delete' | 'export' | 'break glass' | 'configuration' | 'audit' | 'system';

/** Everything of one examination; the order's words, safety answers and history are at its order. */
export interface ExaminationFile {
  time_zone: string;
  head: ExaminationHead;
  steps: ExaminationStep[];
  performed: NegatoscopeEntrypointsApiExaminationsPerformedStep[];
  study_instance_uids: string[];
  series: ExaminationSeries[];
  others: OtherExamination[];
  unordered: OtherStudy[];
}

/** The procedure and its order. */
export interface ExaminationHead {
  procedure: number;
  version: number;
  requested_procedure_id: string;
  study_instance_uid: string;
  state: ProcedureState;
  vetting: string;
  vetting_reason: string;
  vetted_by: string;
  vetted_at: string | null;
  protocol: string;
  procedure_name: string;
  label_fr: string;
  label_en: string;
  code_value: string;
  coding_scheme_designator: string;
  modality: string;
  duration_min: number;
  preparation_fr: string;
  preparation_en: string;
  request: number;
  accession_number: string;
  request_state: RequestState;
  priority: string;
  patient: number;
}

/** A series that belongs to it, as a tile. */
export interface ExaminationSeries {
  study_instance_uid: string;
  series_instance_uid: string;
  modality: string | null;
  series_number: number | null;
  series_description: string | null;
  instance_count: number;
  middle_sop_instance_uid: string | null;
}

/** A scheduled procedure step, with its appointment. */
export interface ExaminationStep {
  step: number;
  version: number;
  scheduled_procedure_step_id: string;
  state: StepState;
  modality: string;
  description: string;
  protocol_codes: (Record<string, string>)[];
  start_at: string | null;
  end_at: string | null;
  arrived_at: string | null;
  identity_checked_at: string | null;
  identity_checked_by: string;
  started_at: string | null;
  ended_at: string | null;
  scheduled_station_ae_title: string;
  device_name: string;
  room_name: string;
  room_location: string;
  requested_contrast_agent: string;
  acquired_with: number | null;
  appointment: number | null;
  appointment_state: string | null;
  appointment_note: string;
}

/** The secret of a link, and its PIN where it has one. */
export interface Exchange {
  secret: string;
  pin?: string | null;
}

/** What a file holds. */
export type FileKind = 'PROCEDURES' | 'RESOURCES' | 'OPENING_HOURS' | 'CCAM';

/** What somebody should look at. */
export type Flag = 'URGENT' | 'LATE' | 'SAFETY' | 'UNVETTED' | 'NO IMAGES' | 'NOT STARTED' | 'NOT ENDED' | 'IDENTITY' | 'OVERBOOKED' | 'ON HOLD';

/** An answer to a safety question. */
export interface GivenAnswer {
  answer?: Answer | null;
  value?: number | string | null;
  detail?: string;
}

/** A password somebody else chose: it must be changed at the next sign-in. */
export interface GivenPassword {
  password: string;
}

/** Studies that may be seen. */
export interface Grant {
  kind: GrantKind;
  value?: string;
  issuer?: string;
  expires_at?: string | null;
}

/** By what studies are granted. */
export type GrantKind = 'everything' | 'institution' | 'issuer' | 'department' | 'physician' | 'patient' | 'unit' | 'study';

/** The union of what is listed; without any, what the roles see. */
export interface Grants {
  grants: Grant[];
}

/** Steps that one acquisition fulfils. */
export interface Grouped {
  steps: number[];
}

/** A destination and how it is doing. */
export interface HL7Destination {
  name: string;
  host: string;
  port: number;
  tls?: boolean;
  check_host?: boolean;
  sending_application?: string;
  sending_facility?: string;
  receiving_application?: string;
  receiving_facility?: string;
  character_set?: 'UNICODE UTF-8' | '8859/15' | '8859/1' | 'ASCII';
  order_profile?: 'OMI^O23' | 'ORM^O01';
  adt_profile?: 'PAM-FR' | 'INTERNATIONAL';
  kinds: ('ORDERS' | 'ORDER STATUS' | 'ORDER NUMBERS' | 'APPOINTMENTS' | 'PATIENTS' | 'ADT FORWARD')[];
  modalities?: string[];
  requesting_services?: string[];
  authorities?: string[];
  patient_classes?: string[];
  actions?: string[];
  acknowledgment_mode?: 'ORIGINAL' | 'ENHANCED';
  connect_timeout_s?: number;
  answer_timeout_s?: number;
  holds_after_refusal?: boolean;
  is_active?: boolean;
  version: number;
  id: number;
  is_paused: boolean;
  state: HL7DestinationState;
}

/** The same with the version that was read. */
export interface HL7DestinationChange {
  name: string;
  host: string;
  port: number;
  tls?: boolean;
  check_host?: boolean;
  sending_application?: string;
  sending_facility?: string;
  receiving_application?: string;
  receiving_facility?: string;
  character_set?: 'UNICODE UTF-8' | '8859/15' | '8859/1' | 'ASCII';
  order_profile?: 'OMI^O23' | 'ORM^O01';
  adt_profile?: 'PAM-FR' | 'INTERNATIONAL';
  kinds: ('ORDERS' | 'ORDER STATUS' | 'ORDER NUMBERS' | 'APPOINTMENTS' | 'PATIENTS' | 'ADT FORWARD')[];
  modalities?: string[];
  requesting_services?: string[];
  authorities?: string[];
  patient_classes?: string[];
  actions?: string[];
  acknowledgment_mode?: 'ORIGINAL' | 'ENHANCED';
  connect_timeout_s?: number;
  answer_timeout_s?: number;
  holds_after_refusal?: boolean;
  is_active?: boolean;
  version: number;
}

/** A system that messages go to. */
export interface HL7DestinationSettings {
  name: string;
  host: string;
  port: number;
  tls?: boolean;
  check_host?: boolean;
  sending_application?: string;
  sending_facility?: string;
  receiving_application?: string;
  receiving_facility?: string;
  character_set?: 'UNICODE UTF-8' | '8859/15' | '8859/1' | 'ASCII';
  order_profile?: 'OMI^O23' | 'ORM^O01';
  adt_profile?: 'PAM-FR' | 'INTERNATIONAL';
  kinds: ('ORDERS' | 'ORDER STATUS' | 'ORDER NUMBERS' | 'APPOINTMENTS' | 'PATIENTS' | 'ADT FORWARD')[];
  modalities?: string[];
  requesting_services?: string[];
  authorities?: string[];
  patient_classes?: string[];
  actions?: string[];
  acknowledgment_mode?: 'ORIGINAL' | 'ENHANCED';
  connect_timeout_s?: number;
  answer_timeout_s?: number;
  holds_after_refusal?: boolean;
  is_active?: boolean;
}

/** How a connection is doing. */
export interface HL7DestinationState {
  is_served: boolean;
  connected_at: string | null;
  waiting_count: number;
  oldest_waiting_at: string | null;
  held_count: number;
  refused_count: number;
  acknowledged_count: number;
  last_acknowledged_at: string | null;
  last_error: string;
  last_error_at: string | null;
  next_attempt_at: string | null;
}

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
  name_fr: string;
  value: string;
  is_cut: boolean;
}

/** A message of either direction. */
export interface HL7Line {
  place: string;
  direction: 'in' | 'out';
  id: number;
  at: string;
  message_code: string;
  trigger_event: string;
  control_id: string;
  version_id: string;
  partner: string;
  partner_facility: string;
  peer: string;
  destination: number | null;
  kind: string;
  action: string;
  patient_identifiers: string[];
  acknowledgment_code: string;
  error_code: string;
  state: State | OutboundState;
  reason: string;
  effect: Record<string, unknown>;
  attempt_count: number;
  finished_at: string | null;
  byte_count: number;
  patient: number | null;
  request: number | null;
  appointment: number | null;
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

/** The same with its segments, and those of the answer. */
export interface HL7OutboundExplained {
  message: HL7OutboundMessage;
  segments: HL7Segment[];
  answer: HL7Segment[];
  text: string;
}

/** A message that went or is to go. */
export interface HL7OutboundMessage {
  id: number;
  created_at: string;
  destination: number;
  destination_name: string;
  origin: string;
  kind: string;
  action: string;
  subject: string;
  patient: number | null;
  request: number | null;
  appointment: number | null;
  message_code: string;
  trigger_event: string;
  control_id: string;
  version_id: string;
  patient_identifiers: string[];
  state: OutboundState;
  attempt_count: number;
  last_sent_at: string | null;
  last_error: string;
  acknowledgment_code: string;
  error_code: string;
  reason: string;
  finished_at: string | null;
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
  name_fr: string;
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

/** The number of the test message among the outbound ones. */
export interface HL7TestQueued {
  message: number;
}

/** What the sender was told. */
export interface HL7Verdict {
  code: 'AA' | 'AE' | 'AR';
  error_code: string;
  segment: string;
  field: number;
  reason: string;
}

/** Before or after noon, by the department's clocks. */
export type HalfDay = 'AM' | 'PM';

/** The header of an instance, its file meta information included. */
export interface Header {
  sop_instance_uid: string;
  series_instance_uid: string;
  study_instance_uid: string;
  sop_class_uid: string;
  sop_class_name: string;
  transfer_syntax_uid: string;
  transfer_syntax_name: string;
  size: number;
  elements: Element[];
  is_cut: boolean;
  problem: string | null;
}

/** The state of this node. */
export interface Health {
  version: string;
  ae_title: string;
  ready: boolean;
  causes: string[];
  volumes: Volume[];
}

/** Whether everything is as it must be. */
export interface HealthReport {
  version: string;
  ae_title: string;
  state: 'ok' | 'warning' | 'failed';
  checks: Check[];
}

/** One thing that happened. */
export interface HistoryLine {
  id: number;
  at: string;
  kind: string;
  procedure: number | null;
  step: number | null;
  appointment: number | null;
  detail: Record<string, unknown>;
  source: string;
}

/** A unit for a time. */
export interface HospitalUnit {
  id: number;
  code: string;
  label: string;
  kind: string;
  parent_code: string;
  valid_from: string | null;
  valid_until: string | null;
  source: string;
  changed_at: string;
}

/** Another identifier of the same person. */
export interface Identifier {
  identifier: string;
  issuer: string;
}

/** What a person's identity was compared with (RNIV, level of trust falls downwards). */
export type IdentityDocument = 'IDENTITY_CARD' | 'PASSPORT' | 'RESIDENCE_PERMIT' | 'BIRTH_CERTIFICATE' | 'WRISTBAND' | 'RELATIVE' | 'SPOKEN';

/** Of RNIV: what two facts make, the INS was got (I) and the identity was checked (C). */
export type IdentityStatus = 'PROVISIONAL' | 'RETRIEVED' | 'VALIDATED' | 'QUALIFIED';

/** A cell that becomes another. */
export interface ImportChange {
  column: string;
  before: string;
  after: string;
}

/** What becomes of a line that changes something or cannot be taken. */
export interface ImportLine {
  line: number;
  key: string;
  effect: Effect;
  changes: ImportChange[];
  error: string;
}

/** What becomes of a file: nothing when a line has an error. */
export interface ImportPlan {
  is_applied: boolean;
  new_count: number;
  changed_count: number;
  same_count: number;
  error_count: number;
  lines: ImportLine[];
}

/** An instance as a row. */
export interface Instance {
  sop_instance_uid: string;
  sop_class_uid: string;
  sop_class_name: string;
  transfer_syntax_uid: string;
  transfer_syntax_name: string;
  instance_number: number | null;
  number_of_frames: number | null;
  rows: number | null;
  columns: number | null;
  size: number;
  received_at: string;
  has_pixels: boolean;
}

/** A page of instances, in the order of their numbers. */
export interface Instances {
  instances: Instance[];
  next_cursor: string | null;
}

/** A job of the queue; ``reason`` is why it failed. */
export interface Job {
  id: number;
  queue: string;
  task: string;
  status: string;
  priority: number;
  lock: string | null;
  attempts: number;
  scheduled_at: string | null;
  is_cancelling: boolean;
  arguments: Record<string, unknown>;
  reason: string | null;
  failed_at: string | null;
  changed_at: string | null;
}

/** Queues, their jobs, the outbox and the worker's chores. */
export interface Jobs {
  counts: QueueCount[];
  jobs: Job[];
  outbox: Outbox;
  parked: ParkedEvent[];
  chores: Chore[];
}

/** A protocol code of the catalogue. */
export interface KnownProtocol {
  code_value: string;
  coding_scheme_designator?: string;
  code_meaning: string;
  modalities: string[];
}

/** A link; its secret is not kept. */
export interface Link {
  id: number;
  study_instance_uid: string;
  description: string;
  has_pin: boolean;
  max_uses: number | null;
  use_count: number;
  created_by: string;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
}

/** An order in a list. */
export interface ListedOrder {
  id: number;
  version: number;
  accession_number: string;
  issuer_of_accession_number: string;
  placer_order_number: string;
  placer_issuer: string;
  filler_order_number: string;
  state: RequestState;
  state_reason: string;
  priority: Priority;
  patient: RegisteredPatient;
  patient_id: string;
  requesting_service: string;
  requesting_physician: string;
  clinical_question: string;
  wished_at: string | null;
  starts_at: string | null;
  created_at: string;
  updated_at: string;
  source: string;
  procedures: OrderedProcedure[];
}

/** A study as a row of the list. */
export interface ListedStudy {
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
  referring_physician_name: string | null;
  received_at: string;
  patient_key: number;
  issuer_of_patient_id: string;
}

/** One event of a log. */
export interface LogEvent {
  at: string;
  level: string;
  role: string;
  pid: number;
  event: string;
  values: Record<string, unknown>;
}

/** A link, and where it leads; that cannot be had again. */
export interface MadeLink {
  url: string;
  link: Link;
}

/** Who is asking. */
export interface Me {
  kind: string;
  name: string;
  roles: string[];
}

/** What the call means. */
export interface Meaning {
  state: 'study' | 'patient' | 'several-patients' | 'several-studies' | 'outside-scope' | 'registered-patient' | 'unknown';
  viewer: string;
  studies: CalledStudy[];
  registered_patient: number | null;
  outside_scope: string | null;
}

/** One more procedure. */
export interface MoreProcedure {
  catalogue?: number | null;
  description?: string;
  modality?: string;
  version: number;
}

/** Of a person. */
export interface Name {
  family: string;
  given: string;
}

/** A visit to be booked. */
export interface NewAppointment {
  steps: StepPlace[];
  reason?: string;
  note?: string;
}

/** Whose file, and why: a study's patient, or an identifier that is one person's only. */
export interface NewBreak {
  reason: string;
  study_instance_uid?: string | null;
  patient_id?: string | null;
  issuer_of_patient_id?: string | null;
}

/** A link to be made. */
export interface NewLink {
  study_instance_uid: string;
  expires_in_hours?: number;
  description?: string;
  pin?: string | null;
  max_uses?: number | null;
}

/** What the others should know about a step. */
export interface NewNote {
  text: string;
}

/** The password known now, and the new one. */
export interface NewPassword {
  current: string;
  new: string;
}

/** A patient typed in: provisional, with a number of our own. */
export interface NewPatient {
  birth_name?: PatientNames | null;
  used_name?: PatientNames | null;
  birth_date?: string | null;
  lunar_birth_date?: string | null;
  sex?: '' | 'F' | 'M' | 'I' | 'O' | 'U' | 'A' | 'N' | null;
  birth_place_code?: string | null;
  birth_place_name?: string | null;
  address?: string | null;
  telephone?: string | null;
  is_deceased?: boolean | null;
  even_if_similar?: boolean;
}

/** A token to be made; it may do and see no more than its account, whatever is given here. */
export interface NewToken {
  expires_in_days?: number;
  description?: string;
  kind?: 'personal' | 'service';
  actions?: Action[] | null;
  grants?: Grant[];
}

/** An account to be made; without a password it signs in with tokens only. */
export interface NewUser {
  name: string;
  roles: Role[];
  display_name?: string;
  password?: string | null;
  must_change_password?: boolean;
}

/** What it shall be from now on. */
export interface NewValue {
  /** As JSON: a number, a text, a list of texts. */
  value: unknown;
}

/** Steps of one patient that wait for a time. */
export interface NewWaiting {
  steps: number[];
  wished_from?: string | null;
  wished_until?: string | null;
  note?: string;
}

/** The note. */
export interface NoteMade {
  id: number;
}

/** A button; it leads to ``/api/v1/calls/{id}/open`` with the same parameters. */
export interface OfferedCall {
  id: number;
  label: string;
}

/** An emergency access that lasts. */
export interface OpenGlass {
  id: number;
  study_instance_uid: string | null;
  patient_id: string | null;
  reason: string;
  expires_at: string;
}

/** A span of weekly hours. */
export interface OpenSpan {
  start_at: string;
  end_at: string;
}

/** Hours of a weekday, in the department's zone; 23:59 stands for midnight. */
export interface OpeningHours {
  weekday: number;
  opens: string;
  closes: string;
  valid_from?: string | null;
  valid_until?: string | null;
}

/** All hours of a resource, and the version of it that was read. */
export interface OpeningHoursChange {
  version: number;
  hours: OpeningHours[];
}

/** In which order studies are listed; the second key is always our own, so that pages meet. */
export type Order = 'newest' | 'oldest' | 'name' | '-name' | 'received';

/** An order with all that is known of it. */
export interface OrderFile {
  id: number;
  version: number;
  accession_number: string;
  issuer_of_accession_number: string;
  placer_order_number: string;
  placer_issuer: string;
  filler_order_number: string;
  state: RequestState;
  state_reason: string;
  priority: Priority;
  patient: RegisteredPatient;
  patient_id: string;
  requesting_service: string;
  requesting_physician: string;
  clinical_question: string;
  wished_at: string | null;
  starts_at: string | null;
  created_at: string;
  updated_at: string;
  source: string;
  procedures: OrderedProcedure[];
  admission_id: string;
  issuer_of_admission_id: string;
  current_patient_location: string;
  requesting_physician_id: string;
  referring_physician_name: string;
  justification: string;
  comments: string;
  patient_transport: string;
  pregnancy_status: string;
  medical_alerts: string;
  allergies: string;
  patient_weight_kg: string | null;
  patient_size_m: string | null;
  safety: AskedQuestion[];
  events: HistoryLine[];
  studies: Record<string, string[]>;
}

/** Orders, newest first. */
export interface OrderPage {
  orders: ListedOrder[];
  next_before: number | null;
  counts: Record<string, number>;
  waiting_for_vetting: number;
}

/** A requested procedure. */
export interface OrderedProcedure {
  id: number;
  requested_procedure_id: string;
  study_instance_uid: string;
  catalogue: number | null;
  code_value: string;
  coding_scheme_designator: string;
  code_meaning: string;
  description: string;
  modality: string;
  duration_min: number;
  vetting: Vetting;
  vetting_reason: string;
  vetted_by: string;
  vetted_at: string | null;
  protocol: string;
  wished_room: number | null;
  wished_room_name: string;
  replaced_by: number | null;
  state: ProcedureState;
  version: number;
  steps: OrderedStep[];
}

/** A scheduled procedure step. */
export interface OrderedStep {
  id: number;
  scheduled_procedure_step_id: string;
  modality: string;
  description: string;
  protocol_codes: (Record<string, string>)[];
  scheduled_station_ae_title: string;
  scheduled_station_name: string;
  location: string;
  start_at: string | null;
  end_at: string | null;
  performing_physician_name: string;
  requested_contrast_agent: string;
  state: StepState;
  arrived_at: string | null;
  identity_checked_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  acquired_with: number | null;
  version: number;
}

/** Another procedure of the same patient. */
export interface OtherExamination {
  procedure: number;
  procedure_name: string;
  label_fr: string;
  label_en: string;
  modality: string;
  state: ProcedureState;
  accession_number: string;
  at: string;
  instance_count: number;
  study_instance_uids: string[];
}

/** A study of the same patient that belongs to no procedure. */
export interface OtherStudy {
  study_instance_uid: string;
  study_description: string;
  modalities_in_study: string[];
  accession_number: string | null;
  study_date: string | null;
  instance_count: number;
}

/** What came of a message to another system. */
export type OutboundState = 'WAITING' | 'ACKNOWLEDGED' | 'REFUSED' | 'GIVEN UP';

/** Events between a change and what reacts to it. */
export interface Outbox {
  waiting: number;
  oldest_at: string | null;
  retrying: number;
  parked: number;
}

/** How it ended. */
export type Outcome = 'SUCCESS' | 'REFUSED' | 'FAILED';

/** An event set aside after repeated failure. */
export interface ParkedEvent {
  id: number;
  kind: string;
  created_at: string;
  parked_at: string;
  attempts: number;
  reason: string;
}

/** A patient as the archive knows them. */
export interface Patient {
  patient_key: number;
  patient_id: string | null;
  issuer_of_patient_id: string;
  patient_name: string | null;
  patient_birth_date: string | null;
  patient_sex: string | null;
  other_identifiers: Identifier[];
  same_identifier_count: number;
  studies: ListedStudy[];
}

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

/** Other traits; and whether the identity was checked. */
export interface PatientCorrection {
  birth_name?: PatientNames | null;
  used_name?: PatientNames | null;
  birth_date?: string | null;
  lunar_birth_date?: string | null;
  sex?: '' | 'F' | 'M' | 'I' | 'O' | 'U' | 'A' | 'N' | null;
  birth_place_code?: string | null;
  birth_place_name?: string | null;
  address?: string | null;
  telephone?: string | null;
  is_deceased?: boolean | null;
  version: number;
  identity_code?: 'PROV' | 'VALI' | null;
  identity_attributes?: ('HOMA' | 'DOUT' | 'FICT')[] | null;
}

/** A stay or a visit. */
export interface PatientEncounter {
  id: number;
  visit_number: string;
  visit_authority: string;
  account_number: string;
  account_authority: string;
  patient_class: string;
  state: EncounterState;
  admitted_at: string | null;
  discharged_at: string | null;
  expected_at: string | null;
  lodging_unit: PatientUnit;
  medical_unit: PatientUnit;
  care_unit: PatientUnit;
  room: string;
  bed: string;
  attending_doctor: string;
  movements: PatientMovement[];
}

/** A patient's file. */
export interface PatientFile {
  id: number;
  family_name: string;
  given_name: string;
  birth_name: PatientNames;
  used_name: PatientNames;
  birth_date: string;
  lunar_birth_date: string;
  sex: string;
  identity_status: IdentityStatus;
  identity_attributes: string[];
  identifiers: PatientIdentifier[];
  is_deceased: boolean;
  merged_into: number | null;
  identity_code: string;
  birth_place_code: string;
  birth_place_name: string;
  address: string;
  telephone: string;
  died_at: string;
  version: number;
  created_at: string;
  updated_at: string;
  every_identifier: DatedIdentifier[];
  traits_since: Record<string, string>;
  changes: TraitChange[];
  absorbed: RegisteredPatient[];
  goes_on_as: number;
  patient_id: string;
  issuer_of_patient_id: string;
}

/** An identifier with who gave it. */
export interface PatientIdentifier {
  value: string;
  authority: string;
  universal_id: string;
  universal_id_type: string;
  type_code: string;
  warning: string;
}

/** A movement of a stay. */
export interface PatientMovement {
  number: string;
  event: string;
  nature: string;
  happened_at: string;
  lodging_unit: PatientUnit;
  medical_unit: PatientUnit;
  care_unit: PatientUnit;
  room: string;
  bed: string;
  is_historic: boolean;
  is_cancelled: boolean;
}

/** Names of one kind. */
export interface PatientNames {
  family?: string;
  given?: string;
  further?: string;
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

/** A unit of the hospital as it was called then. */
export interface PatientUnit {
  code: string;
  label: string;
}

/** A scheduled step that a performed one is for. */
export interface PerformedFor {
  step: number;
  scheduled_procedure_step_id: string;
  state: string;
  procedure: number;
  request: number;
  study_instance_uid: string;
  accession_number: string;
}

/** With everything the modality said. */
export interface PerformedStepDetail {
  performed_step: NegatoscopeEntrypointsApiPerformedStepsPerformedStep;
  data_set: Record<string, unknown>;
}

/** It ended, though the modality does not say so. */
export interface PerformedStepEnd {
  version: number;
  state: 'COMPLETED' | 'DISCONTINUED';
  reason?: string;
}

/** Which scheduled step it was for. */
export interface PerformedStepLink {
  step: number;
  version: number;
  is_patient_confirmed?: boolean;
}

/** Newest first. */
export interface PerformedStepPage {
  items: NegatoscopeEntrypointsApiPerformedStepsPerformedStep[];
  next_before: number | null;
}

/** Nothing is left to do about it. */
export interface PerformedStepSeen {
  version: number;
}

/** Which printer, and how often. */
export interface PrintOrder {
  printer: string;
  copies?: number;
}

/** A label printer that an administrator configured. */
export interface Printer {
  name: string;
  dots_per_mm: number;
}

/** Requested Procedure Priority (0040,1003). */
export type Priority = 'STAT' | 'HIGH' | 'ROUTINE' | 'MEDIUM' | 'LOW';

/** The same, and the version that was read. */
export interface ProcedureChange {
  code_value: string;
  coding_scheme_designator?: string;
  label_fr: string;
  label_en?: string;
  modality?: string;
  body_part_examined?: string;
  duration_min?: number;
  preparation_fr?: string;
  preparation_en?: string;
  contrast?: Contrast;
  contrast_agent?: string;
  safety_questions?: SafetyQuestion[];
  needs_vetting?: boolean;
  protocols?: ProtocolSchema[];
  rooms?: number[];
  default_room?: number | null;
  is_active?: boolean;
  version: number;
}

/** Of a requested procedure. */
export type ProcedureState = 'REQUESTED' | 'SCHEDULED' | 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED' | 'CANCELED' | 'REPLACED';

/** What the catalogue says of a procedure. */
export interface ProcedureValues {
  code_value: string;
  coding_scheme_designator?: string;
  label_fr: string;
  label_en?: string;
  modality?: string;
  body_part_examined?: string;
  duration_min?: number;
  preparation_fr?: string;
  preparation_en?: string;
  contrast?: Contrast;
  contrast_agent?: string;
  safety_questions?: SafetyQuestion[];
  needs_vetting?: boolean;
  protocols?: ProtocolSchema[];
  rooms?: number[];
  default_room?: number | null;
  is_active?: boolean;
}

/** A running process. */
export interface Process {
  node: string;
  pid: number;
  role: string;
  started_at: string;
  reported_at: string;
  age_s: number;
  figures: Record<string, number>;
}

/** The password, before something that weakens the account. */
export interface Proof {
  password: string;
}

/** A protocol code: one step of the procedure. */
export interface ProtocolSchema {
  code_value: string;
  coding_scheme_designator?: string;
  code_meaning: string;
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

/** A day of the calendar. */
export interface PublicHoliday {
  day: string;
  name_fr: string;
  name_en: string;
}

/** A resource that takes the place of another one. */
export interface Put {
  from_resource: number;
  to_resource: number;
}

/** A safety question of the catalogue. */
export type Question = 'PREGNANCY' | 'MR_IMPLANTS' | 'CONTRAST_REACTION' | 'RENAL_FUNCTION';

/** How many jobs of a queue are in a state. */
export interface QueueCount {
  queue: string;
  status: string;
  count: number;
}

/** Where this server is reached by whom asked. */
export interface Reached {
  ae_title: string;
  dicom_host: string;
  dicom_port: number;
  http: string;
  dicomweb: string;
  has_ohif: boolean;
  commands: CommandGroup[];
}

/** Shown once; each signs in once without the authenticator. */
export interface RecoveryCodes {
  recovery_codes: string[];
}

/** The same and when it called. */
export interface RegisteredEntity {
  host: string;
  port: number;
  roles?: AERole[];
  tls?: boolean;
  description?: string;
  is_enabled?: boolean;
  tls_required?: boolean;
  certificates?: string[];
  check_host?: boolean;
  max_associations?: number | null;
  ae_title: string;
  last_seen_at?: string | null;
  accepted_count?: number;
  refused_count?: number;
}

/** A patient in a list. */
export interface RegisteredPatient {
  id: number;
  family_name: string;
  given_name: string;
  birth_name: PatientNames;
  used_name: PatientNames;
  birth_date: string;
  lunar_birth_date: string;
  sex: string;
  identity_status: IdentityStatus;
  identity_attributes: string[];
  identifiers: PatientIdentifier[];
  is_deceased: boolean;
  merged_into: number | null;
}

/** A radiologist asks for another procedure instead. */
export interface Replaced {
  protocol?: string;
  protocol_codes?: CodeSchema[] | null;
  contrast_agent?: string | null;
  wished_room?: number | null;
  catalogue?: number | null;
  description?: string;
  modality?: string;
  version: number;
  reason?: string;
}

/** Of an imaging service request: what its procedures amount to, or that it is held. */
export type RequestState = 'REQUESTED' | 'ON HOLD' | 'SCHEDULED' | 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED' | 'CANCELED';

/** The same, and the version that was read. */
export interface ResourceChange {
  kind: ResourceKind;
  name: string;
  location?: string;
  room?: number | null;
  modality?: string;
  ae_title?: string;
  station_name?: string;
  profession?: string;
  rpps?: string;
  worklist_filter?: WorklistFilterSchema;
  is_active?: boolean;
  version: number;
}

/** What it is. */
export type ResourceKind = 'ROOM' | 'DEVICE' | 'STAFF';

/** What is known of a resource. */
export interface ResourceValues {
  kind: ResourceKind;
  name: string;
  location?: string;
  room?: number | null;
  modality?: string;
  ae_title?: string;
  station_name?: string;
  profession?: string;
  rpps?: string;
  worklist_filter?: WorklistFilterSchema;
  is_active?: boolean;
}

/** What the reviewer says. */
export interface Review {
  comment: string;
}

/** The policy's tables. */
export interface Rights {
  actions: string[];
  users: RoleRights[];
  application_entities: RoleRights[];
}

/** What a user is; one account may have several. */
export type Role = 'administrator' | 'radiologist' | 'technologist' | 'secretary' | 'identity-manager' | 'clinician' | 'physicist' | 'partner' | 'patient';

/** What a role may do. */
export interface RoleRights {
  role: string;
  actions: string[];
  sees_granted_only: boolean;
}

/** A radiologist lets it go on in spite of an answer; without a reason that is taken back. */
export interface SafetyClearance {
  question: Question;
  reason?: string;
}

/** What must be answered before the examination. */
export type SafetyQuestion = 'PREGNANCY' | 'MR_IMPLANTS' | 'CONTRAST_REACTION' | 'RENAL_FUNCTION';

/** Several at once. */
export interface SafetyReplies {
  replies: SafetyReply[];
}

/** The answer to a safety question. */
export interface SafetyReply {
  question: Question;
  answer?: Answer | null;
  value?: number | string | null;
  detail?: string;
}

/** One question as it stands. */
export interface SafetyState {
  question: Question;
  answer: Answer | null;
  value: string | null;
  detail: string;
  answered_by: string;
  answered_at: string | null;
  cleared_by: string;
  cleared_reason: string;
  is_blocking: boolean;
}

/** What was done with a study of that patient. */
export interface Seen {
  study_instance_uid: string;
  action: string;
  first_at: string;
  last_at: string;
  count: number;
}

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

/** A series as a tile. */
export interface SeriesTile {
  study_instance_uid: string;
  series_instance_uid: string;
  modality: string | null;
  series_number: number | null;
  series_description: string | null;
  body_part_examined: string | null;
  station_name: string | null;
  institution_name: string | null;
  protocol_name: string | null;
  series_date: string | null;
  series_time: string | null;
  instance_count: number;
  byte_count: number;
  middle_sop_instance_uid: string | null;
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

/** A setting; values are JSON, secrets are withheld. */
export interface Setting {
  name: string;
  value: unknown;
  default: unknown;
  source: string;
  kind: string;
  choices: string[];
  minimum: number | null;
  maximum: number | null;
  is_changeable: boolean;
  is_overridden: boolean;
  english: string;
  french: string;
}

/** One change; null stands for the value of the file, the environment or the default. */
export interface SettingChange {
  id: number;
  name: string;
  old_value: unknown;
  new_value: unknown;
  changed_at: string;
  changed_by: string;
}

/** Whether a set-up link would be taken. */
export interface SetupState {
  valid: boolean;
}

/** Which steps the worklist of a device shows. */
export type Shows = 'STATION' | 'ROOM' | 'MODALITY' | 'EVERYTHING';

/** What speaks for one person, or against it. */
export interface Sign {
  code: string;
  points: number;
}

/** The session has ended. */
export interface SignedOut {
  provider_url: string | null;
}

/** A visit that could be booked; its steps follow one another. */
export interface Slot {
  start_at: string;
  end_at: string;
  is_preferred: boolean;
  steps: SlotStep[];
}

/** Where and when one step could be done. */
export interface SlotStep {
  step: number | null;
  procedure: number | null;
  start_at: string;
  end_at: string;
  room: number;
  device: number | null;
}

/** What came of a message. */
export type State = 'PENDING' | 'PROCESSED' | 'IGNORED' | 'FAILED';

/** What is said of a step. */
export interface StepAction {
  action: 'arrive' | 'identity' | 'ready' | 'start' | 'end' | 'discontinue' | 'undo';
  version?: number | null;
  document?: IdentityDocument | null;
  reason?: string;
}

/** What came of it. */
export interface StepDone {
  is_changed: boolean;
  safety_blocking: Question[];
}

/** What somebody tells the others about a step. */
export interface StepNote {
  id: number;
  text: string;
  noted_at: string;
  noted_by: string;
}

/** Where and when a step is to be done. */
export interface StepPlace {
  step: number;
  start_at: string;
  end_at: string;
  room: number;
  device?: number | null;
  staff?: number[];
}

/** Of a scheduled procedure step: (0040,0020) and what comes before and after it. */
export type StepState = 'WAITING' | 'SCHEDULED' | 'ARRIVED' | 'READY' | 'STARTED' | 'COMPLETED' | 'DISCONTINUED' | 'CANCELED';

/** A page of studies. */
export interface Studies {
  studies: ListedStudy[];
  next_cursor: string | null;
  total: number | null;
  total_is: TotalIs | null;
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

/** A requested procedure with its studies, or a study that no order asked for. */
export interface TimelineEntry {
  at: string | null;
  day: string | null;
  asked_at: string | null;
  procedure: number | null;
  request: number | null;
  accession_number: string;
  priority: string;
  request_state: string;
  procedure_state: string;
  step_state: string;
  label: string;
  label_fr: string;
  label_en: string;
  modality: string;
  requesting_service: string;
  ended_at: string | null;
  studies: TimelineStudy[];
}

/** A study of the archive. */
export interface TimelineStudy {
  study_instance_uid: string;
  study_date: string | null;
  study_time: string | null;
  study_description: string;
  modalities_in_study: string[];
  accession_number: string;
  series_count: number;
  instance_count: number;
  patient_key: number;
}

/** A bearer token; it cannot be had again. */
export interface Token {
  token: string;
  expires_in_days: number;
}

/** A token as a row of a list. */
export interface TokenEntry {
  id: number;
  user_name: string;
  description: string;
  kind: string;
  actions: string[] | null;
  created_at: string;
  created_by: string;
  expires_at: string;
  last_used_at: string | null;
  grants: Grant[];
}

/** Something said of an order as it was read. */
export interface Told {
  version: number;
  reason?: string;
}

/** An answer to a question of an order as it was read. */
export interface ToldAnswer {
  answer?: Answer | null;
  value?: number | string | null;
  detail?: string;
  version?: number | null;
}

/** What the total is. */
export type TotalIs = 'exact' | 'about' | 'at least';

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

/** One line of the history. */
export interface TraitChange {
  id: number;
  at: string;
  kind: ChangeKind;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
  source: string;
  other_patient: number | null;
}

/** A CSV file: code, label (libellé), kind, parent, valid_from, valid_until. */
export interface UnitsFile {
  content: string;
}

/** What a file changed. */
export interface UnitsTaken {
  unit_count: number;
}

/** Images that belong to no order. */
export interface UnorderedStudy {
  study_instance_uid: string;
  reason: string;
  first_arrival_at: string;
  accession_number: string | null;
  study_description: string | null;
  modalities_in_study: string[];
  series_count: number;
  instance_count: number;
  patient_key: number;
  patient_name: string | null;
  patient_birth_date: string | null;
  patient_sex: string | null;
}

/** Somebody who comes without appointment. */
export interface UrgentExamination {
  patient: number;
  procedure: number;
  device?: number | null;
  priority?: Priority;
  clinical_question?: string;
  requesting_service?: string;
  current_patient_location?: string;
  patient_transport?: '' | 'WALK' | 'CHAIR' | 'BED' | 'PORTABLE';
}

/** The order and its steps. */
export interface UrgentMade {
  request: number;
  steps: number[];
}

/** An account. */
export interface User {
  name: string;
  display_name: string;
  roles: string[];
  is_active: boolean;
  has_password: boolean;
  must_change_password: boolean;
  is_emergency: boolean;
  has_totp: boolean;
  created_at: string;
  last_sign_in_at: string | null;
}

/** What is given changes. */
export interface UserChange {
  display_name?: string | null;
  roles?: Role[] | null;
  is_active?: boolean | null;
  is_emergency?: boolean | null;
}

/** One of two versions of an object. */
export interface Version {
  transfer_syntax_uid: string;
  size: number;
  sha256: string;
  pixels_sha256: string | null;
}

/** A radiologist's word about a procedure. */
export type Vetting = 'NOT NEEDED' | 'WAITING' | 'ACCEPTED' | 'REFUSED' | 'REPLACED';

/** The radiologist's list, the most urgent first. */
export interface VettingPage {
  waiting: WaitingProcedure[];
  next_after: string | null;
  counts: Record<string, number>;
}

/** A place where segments are kept. */
export interface Volume {
  name: string;
  free_bytes: number | null;
  low_watermark_bytes: number;
  takes_objects: boolean;
}

/** A volume, how fast it fills, and when it will refuse objects. */
export interface VolumeSpace {
  name: string;
  path: string;
  total_bytes: number | null;
  free_bytes: number | null;
  low_watermark_bytes: number;
  takes_objects: boolean;
  stored_bytes: number;
  dead_bytes: number;
  segment_count: number;
  object_count: number;
  growth_bytes_per_day: number | null;
  full_at: string | null;
}

/** When somebody wishes to come, and a note. */
export interface WaitingChange {
  version: number;
  wished_from?: string | null;
  wished_until?: string | null;
  note?: string;
}

/** A procedure that waits for a radiologist. */
export interface WaitingProcedure {
  procedure: number;
  order: OrderFile;
}

/** A step that nobody has booked or put on the waiting list. */
export interface WaitingStep {
  step: number;
  scheduled_procedure_step_id: string;
  modality: string;
  description: string;
  duration_min: number;
  vetting: string;
  requested_procedure: number;
  catalogue_procedure: number | null;
  request: number;
  accession_number: string;
  priority: string;
  request_state: string;
  patient: AppointmentPatient | null;
  wished_at: string | null;
  ordered_at: string;
}

/** An order to be made. */
export interface WantedOrder {
  priority?: Priority | null;
  clinical_question?: string | null;
  justification?: string | null;
  comments?: string | null;
  requesting_service?: string | null;
  requesting_physician?: string | null;
  requesting_physician_id?: string | null;
  referring_physician_name?: string | null;
  admission_id?: string | null;
  current_patient_location?: string | null;
  patient_transport?: string | null;
  medical_alerts?: string | null;
  allergies?: string | null;
  patient_weight_kg?: number | string | null;
  patient_size_m?: number | string | null;
  wished_at?: string | null;
  patient: number;
  procedures: WantedProcedure[];
  placer_order_number?: string;
  answers?: Record<string, GivenAnswer>;
}

/** A procedure that is asked for: of the catalogue, or in words. */
export interface WantedProcedure {
  catalogue?: number | null;
  description?: string;
  modality?: string;
}

/** What the worklist of a device shows, whatever it asks for. */
export interface WorklistFilterSchema {
  shows?: Shows;
  modalities?: string[];
  days_before?: number;
  days_after?: number | null;
}

/** What a modality said that it did (MPPS). */
export interface NegatoscopeEntrypointsApiExaminationsPerformedStep {
  id: number;
  sop_instance_uid: string;
  performed_procedure_step_id: string;
  state: string;
  performed_station_ae_title: string;
  modality: string;
  started_at: string | null;
  ended_at: string | null;
  discontinuation_reason: string;
  series_count: number;
  instance_count: number;
}

/** One performed step. */
export interface NegatoscopeEntrypointsApiPerformedStepsPerformedStep {
  id: number;
  sop_instance_uid: string;
  performed_procedure_step_id: string;
  state: 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';
  performed_station_ae_title: string;
  calling_ae_title: string;
  modality: string;
  started_at: string | null;
  ended_at: string | null;
  discontinuation_reason: string;
  patient: number | null;
  flags: ('UNSCHEDULED' | 'STEP UNKNOWN' | 'STEP DIFFERS' | 'PATIENT DIFFERS' | 'PATIENT UNKNOWN' | 'STEP CANCELED' | 'NOT ENDED' | 'WRONG ENTRY')[];
  series_count: number;
  instance_count: number;
  created_at: string;
  updated_at: string;
  seen_at: string | null;
  seen_by: string;
  ended_by: string;
  version: number;
  patient_family_name: string;
  patient_given_name: string;
  scheduled: PerformedFor[];
}

/** Every operation: what it takes and what it answers. */
export interface Operations {
  'DELETE /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/board/steps/{step}/notes/{note}': { path: { step: number; note: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/break-glass/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/call-templates/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/callers/{ae_title}/{peer_host}': { path: { ae_title: string; peer_host: string }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/catalogue/{number}': { path: { number: number }; query: { version: number }; body: undefined; answer: undefined };
  'DELETE /api/v1/downtime/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/hl7/destinations/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/links/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/me/preferences/{key}': { path: { key: string }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/me/sessions': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/me/sessions/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/me/tokens/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/resources/{number}': { path: { number: number }; query: { version: number }; body: undefined; answer: undefined };
  'DELETE /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SignedOut };
  'DELETE /api/v1/sessions/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/settings/{name}': { path: { name: string }; query: Record<never, never>; body: undefined; answer: Setting };
  'DELETE /api/v1/step-groups/{step}': { path: { step: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/tokens/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'DELETE /api/v1/users/{name}/totp': { path: { name: string }; query: Record<never, never>; body: undefined; answer: undefined };
  'GET /api/v1/addresses': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Reached };
  'GET /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: RegisteredEntity[] };
  'GET /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: RegisteredEntity };
  'GET /api/v1/application-entities/{ae_title}/grants': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: Grants };
  'GET /api/v1/appointments': { path: Record<never, never>; query: { start_at: string; end_at: string; resource?: number[] | null }; body: undefined; answer: AppointmentList };
  'GET /api/v1/appointments/{appointment}/letter.pdf': { path: { appointment: number }; query: { language?: 'fr' | 'en' | null }; body: undefined; answer: Blob };
  'GET /api/v1/appointments/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: AppointmentDetails };
  'GET /api/v1/audit/days': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'link' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string }; body: undefined; answer: AuditDays };
  'GET /api/v1/audit/events': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'link' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string; cursor?: string | null; limit?: number }; body: undefined; answer: AuditPage };
  'GET /api/v1/audit/export': { path: Record<never, never>; query: { patient_id?: string | null; issuer_of_patient_id?: string | null; actor?: string | null; after?: string | null; before?: string | null; event_class?: EventClass[]; outcome?: Outcome[]; actor_kind?: ('user' | 'ae' | 'link' | 'system' | 'anonymous')[]; study_instance_uid?: string | null; accession_number?: string | null; door?: string | null; action?: string | null; peer?: string | null; text?: string; format?: 'csv' | 'json' }; body: undefined; answer: undefined };
  'GET /api/v1/audit/patient': { path: Record<never, never>; query: { patient_id: string; issuer_of_patient_id?: string | null; after?: string | null; before?: string | null; every_class?: boolean }; body: undefined; answer: PatientReport };
  'GET /api/v1/audit/patient/export': { path: Record<never, never>; query: { patient_id: string; issuer_of_patient_id?: string | null; after?: string | null; before?: string | null; every_class?: boolean; format?: 'html' | 'csv'; language?: 'fr' | 'en'; names?: boolean }; body: undefined; answer: undefined };
  'GET /api/v1/audit/state': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: AuditState };
  'GET /api/v1/board': { path: Record<never, never>; query: { day?: string | null; modality?: string[] | null; state?: StepState[] | null; priority?: ('STAT' | 'HIGH' | 'ROUTINE' | 'MEDIUM' | 'LOW')[] | null; room?: number[] | null; device?: number[] | null; unit?: string; text?: string; canceled?: boolean; changed?: boolean; changed_step?: number[] | null; changed_procedure?: number[] | null; changed_request?: number[] | null; changed_appointment?: number[] | null }; body: undefined; answer: BoardDay };
  'GET /api/v1/board/events': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Blob };
  'GET /api/v1/board/places': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: BoardPlace[] };
  'GET /api/v1/board/requests/{request}/safety': { path: { request: number }; query: Record<never, never>; body: undefined; answer: SafetyState[] };
  'GET /api/v1/break-glass': { path: Record<never, never>; query: { pending?: boolean }; body: undefined; answer: Break[] };
  'GET /api/v1/break-glass/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: BreakDetail };
  'GET /api/v1/calendar': { path: Record<never, never>; query: { start_at: string; end_at: string; resource?: number[] | null }; body: undefined; answer: CalendarBackground };
  'GET /api/v1/call-templates': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: ConfiguredCall[] };
  'GET /api/v1/callers': { path: Record<never, never>; query: { ae_title?: string | null; is_registered?: boolean | null }; body: undefined; answer: Caller[] };
  'GET /api/v1/calls': { path: Record<never, never>; query: { study_instance_uid?: string | null; patient_key?: number | null; registered_patient?: number | null }; body: undefined; answer: OfferedCall[] };
  'GET /api/v1/calls/{number}/open': { path: { number: number }; query: { study_instance_uid?: string | null; patient_key?: number | null; registered_patient?: number | null }; body: undefined; answer: undefined };
  'GET /api/v1/catalogue': { path: Record<never, never>; query: { text?: string; modality?: string; is_active?: boolean | null; after?: number | null; limit?: number }; body: undefined; answer: CatalogueProcedure[] };
  'GET /api/v1/catalogue-files/{kind}': { path: { kind: FileKind }; query: Record<never, never>; body: undefined; answer: Blob };
  'GET /api/v1/catalogue/protocols': { path: Record<never, never>; query: { text?: string; modality?: string; limit?: number }; body: undefined; answer: KnownProtocol[] };
  'GET /api/v1/catalogue/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: CatalogueProcedure };
  'GET /api/v1/context': { path: Record<never, never>; query: { requestType: string; studyUID?: string; accessionNumber?: string; patientID?: string; viewerType?: string; mostRecentResults?: number | null; modalitiesInStudy?: string; lowerDateTime?: string; upperDateTime?: string }; body: undefined; answer: Meaning };
  'GET /api/v1/downtime': { path: Record<never, never>; query: { start_at: string; end_at: string; resource?: number[] | null }; body: undefined; answer: Downtime[] };
  'GET /api/v1/downtime/{number}/affected': { path: { number: number }; query: { proposals?: number }; body: undefined; answer: AffectedAppointment[] };
  'GET /api/v1/events': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Blob };
  'GET /api/v1/examinations/{procedure}': { path: { procedure: number }; query: Record<never, never>; body: undefined; answer: ExaminationFile };
  'GET /api/v1/examinations/{procedure}/label.pdf': { path: { procedure: number }; query: { copies?: number; sheet?: boolean; skip?: number }; body: undefined; answer: Blob };
  'GET /api/v1/examinations/{procedure}/label.zpl': { path: { procedure: number }; query: { copies?: number; dots_per_mm?: number }; body: undefined; answer: Blob };
  'GET /api/v1/hl7/destinations': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: HL7Destination[] };
  'GET /api/v1/hl7/messages': { path: Record<never, never>; query: { direction?: 'in' | 'out' | null; patient_identifier?: string; message_type?: string; state?: State | null; partner?: string; destination?: number | null; control_id?: string; request?: number | null; stored_from?: string | null; stored_until?: string | null; before?: string; limit?: number }; body: undefined; answer: HL7Line[] };
  'GET /api/v1/hl7/messages/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Explained };
  'GET /api/v1/hl7/outbound/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7OutboundExplained };
  'GET /api/v1/hl7/overview': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: HL7Overview };
  'GET /api/v1/hospital-units': { path: Record<never, never>; query: { text?: string; day?: string | null; after_code?: string; after_id?: number; limit?: number }; body: undefined; answer: HospitalUnit[] };
  'GET /api/v1/instances/{sop_instance_uid}/header': { path: { sop_instance_uid: string }; query: { study?: string | null }; body: undefined; answer: Header };
  'GET /api/v1/label-printers': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Printer[] };
  'GET /api/v1/links': { path: Record<never, never>; query: { study_instance_uid?: string | null }; body: undefined; answer: Link[] };
  'GET /api/v1/me': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Me };
  'GET /api/v1/me/preferences': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Record<string, unknown> };
  'GET /api/v1/me/preferences/{key}': { path: { key: string }; query: Record<never, never>; body: undefined; answer: unknown | undefined };
  'GET /api/v1/me/sessions': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SessionEntry[] };
  'GET /api/v1/me/tokens': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TokenEntry[] };
  'GET /api/v1/me/totp': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TotpState };
  'GET /api/v1/operations/connections': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Connections };
  'GET /api/v1/operations/health': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: HealthReport };
  'GET /api/v1/operations/jobs': { path: Record<never, never>; query: { status?: 'todo' | 'doing' | 'failed' | 'cancelled' | 'aborted' | null; limit?: number }; body: undefined; answer: Jobs };
  'GET /api/v1/operations/licences': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Component[] };
  'GET /api/v1/operations/licences.txt': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: undefined };
  'GET /api/v1/operations/logs': { path: Record<never, never>; query: { level?: 'debug' | 'info' | 'warning' | 'error' | 'critical'; role?: string | null; text?: string; before?: string | null; limit?: number }; body: undefined; answer: LogEvent[] };
  'GET /api/v1/operations/volumes': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: VolumeSpace[] };
  'GET /api/v1/orders': { path: Record<never, never>; query: { state?: RequestState[]; priority?: Priority[]; modality?: string[]; vetting?: Vetting[]; text?: string; patient?: number | null; created_from?: string | null; created_until?: string | null; not_in_catalogue?: boolean; before?: number | null; limit?: number }; body: undefined; answer: OrderPage };
  'GET /api/v1/orders/vetting': { path: Record<never, never>; query: { modality?: string[]; after?: string; limit?: number }; body: undefined; answer: VettingPage };
  'GET /api/v1/orders/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: OrderFile };
  'GET /api/v1/patients/{patient_key}': { path: { patient_key: number }; query: Record<never, never>; body: undefined; answer: Patient };
  'GET /api/v1/performed-steps': { path: Record<never, never>; query: { state?: 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED' | null; station?: string | null; step?: number | null; flagged?: boolean; before?: number | null; limit?: number }; body: undefined; answer: PerformedStepPage };
  'GET /api/v1/performed-steps/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: PerformedStepDetail };
  'GET /api/v1/reconciliation/actions': { path: Record<never, never>; query: { before?: number | null; limit?: number }; body: undefined; answer: DeskDone[] };
  'GET /api/v1/reconciliation/counts': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: DeskCounts };
  'GET /api/v1/reconciliation/default-issuers': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: DefaultIssuers };
  'GET /api/v1/reconciliation/duplicates': { path: Record<never, never>; query: { is_dismissed?: boolean; after_score?: number | null; after_first?: number | null; after_second?: number | null; limit?: number }; body: undefined; answer: DuplicatePair[] };
  'GET /api/v1/reconciliation/pairs/{first}/{second}': { path: { first: number; second: number }; query: Record<never, never>; body: undefined; answer: DeskPair };
  'GET /api/v1/reconciliation/patients/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: DeskSide };
  'GET /api/v1/reconciliation/studies-without-order': { path: Record<never, never>; query: { after?: number | null; limit?: number }; body: undefined; answer: DeskStudy[] };
  'GET /api/v1/reconciliation/studies-without-patient': { path: Record<never, never>; query: { after?: number | null; limit?: number }; body: undefined; answer: DeskStudy[] };
  'GET /api/v1/reconciliation/studies/{study}': { path: { study: string }; query: Record<never, never>; body: undefined; answer: DeskStudyProposals };
  'GET /api/v1/reconciliation/unidentified-patients': { path: Record<never, never>; query: { after?: number | null; limit?: number }; body: undefined; answer: RegisteredPatient[] };
  'GET /api/v1/registered-patients': { path: Record<never, never>; query: { text?: string; identifier?: string; birth_date?: string; before_id?: number | null; limit?: number }; body: undefined; answer: RegisteredPatient[] };
  'GET /api/v1/registered-patients/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: PatientFile };
  'GET /api/v1/registered-patients/{number}/appointments': { path: { number: number }; query: Record<never, never>; body: undefined; answer: Appointment[] };
  'GET /api/v1/registered-patients/{number}/encounters': { path: { number: number }; query: Record<never, never>; body: undefined; answer: PatientEncounter[] };
  'GET /api/v1/registered-patients/{number}/timeline': { path: { number: number }; query: Record<never, never>; body: undefined; answer: TimelineEntry[] };
  'GET /api/v1/resources': { path: Record<never, never>; query: { kind?: ResourceKind | null; is_active?: boolean | null }; body: undefined; answer: DepartmentResource[] };
  'GET /api/v1/resources/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: DepartmentResource };
  'GET /api/v1/roles': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Rights };
  'GET /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Session };
  'GET /api/v1/session/oidc/{name}': { path: { name: string }; query: { next?: string }; body: undefined; answer: undefined };
  'GET /api/v1/session/oidc/{name}/callback': { path: { name: string }; query: { state?: string; code?: string; iss?: string | null; error?: string | null }; body: undefined; answer: undefined };
  'GET /api/v1/session/providers': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Providers };
  'GET /api/v1/session/setup/{secret}': { path: { secret: string }; query: Record<never, never>; body: undefined; answer: SetupState };
  'GET /api/v1/sessions': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SessionEntry[] };
  'GET /api/v1/set-aside': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: SetAside[] };
  'GET /api/v1/set-aside/decided': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Decided[] };
  'GET /api/v1/set-aside/{number}': { path: { number: number }; query: Record<never, never>; body: undefined; answer: Comparison };
  'GET /api/v1/settings': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Setting[] };
  'GET /api/v1/settings/history': { path: Record<never, never>; query: { name?: string | null }; body: undefined; answer: SettingChange[] };
  'GET /api/v1/slots': { path: Record<never, never>; query: { step?: number[] | null; procedure?: number[] | null; earliest?: string | null; days?: number; weekday?: number[] | null; half_day?: HalfDay | null; room?: number[] | null; max_wait_min?: number; ignore_appointment?: number | null; limit?: number }; body: undefined; answer: Slot[] };
  'GET /api/v1/studies': { path: Record<never, never>; query: { text?: string; patient_name?: string; patient_id?: string; issuer_of_patient_id?: string; accession_number?: string; study_description?: string; referring_physician_name?: string; institution_name?: string; station_name?: string; first?: string | null; last?: string | null; modality?: string[]; order?: Order; limit?: number; cursor?: string | null }; body: undefined; answer: Studies };
  'GET /api/v1/studies/{study_instance_uid}': { path: { study_instance_uid: string }; query: Record<never, never>; body: undefined; answer: StudyDetail };
  'GET /api/v1/studies/{study_instance_uid}/series': { path: { study_instance_uid: string }; query: Record<never, never>; body: undefined; answer: SeriesTile[] };
  'GET /api/v1/studies/{study_instance_uid}/series/{series_instance_uid}/instances': { path: { study_instance_uid: string; series_instance_uid: string }; query: { limit?: number; cursor?: string | null }; body: undefined; answer: Instances };
  'GET /api/v1/system/health': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Health };
  'GET /api/v1/tasks': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Task[] };
  'GET /api/v1/tokens': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TokenEntry[] };
  'GET /api/v1/totals': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: Totals };
  'GET /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: User[] };
  'GET /api/v1/users/{name}': { path: { name: string }; query: Record<never, never>; body: undefined; answer: User };
  'GET /api/v1/users/{name}/grants': { path: { name: string }; query: Record<never, never>; body: undefined; answer: Grants };
  'GET /api/v1/waiting-list': { path: Record<never, never>; query: { day?: string | null; modality?: string; after?: number; limit?: number }; body: undefined; answer: Appointment[] };
  'GET /api/v1/waiting-steps': { path: Record<never, never>; query: { patient?: number | null; request?: number | null; modality?: string; after?: number; limit?: number }; body: undefined; answer: WaitingStep[] };
  'PATCH /api/v1/appointments/{number}': { path: { number: number }; query: Record<never, never>; body: AppointmentChange; answer: Appointment };
  'PATCH /api/v1/orders/{number}': { path: { number: number }; query: Record<never, never>; body: ChangedOrder; answer: OrderFile };
  'PATCH /api/v1/registered-patients/{number}': { path: { number: number }; query: Record<never, never>; body: PatientCorrection; answer: PatientFile };
  'PATCH /api/v1/users/{name}': { path: { name: string }; query: Record<never, never>; body: UserChange; answer: User };
  'PATCH /api/v1/waiting-list/{number}': { path: { number: number }; query: Record<never, never>; body: WaitingChange; answer: Appointment };
  'POST /api/v1/application-entities': { path: Record<never, never>; query: Record<never, never>; body: ApplicationEntity; answer: RegisteredEntity };
  'POST /api/v1/application-entities/{ae_title}/echo': { path: { ae_title: string }; query: Record<never, never>; body: undefined; answer: Echo };
  'POST /api/v1/appointments': { path: Record<never, never>; query: Record<never, never>; body: NewAppointment; answer: Appointment };
  'POST /api/v1/appointments/{number}/cancel': { path: { number: number }; query: Record<never, never>; body: Ending; answer: Appointment };
  'POST /api/v1/appointments/{number}/no-show': { path: { number: number }; query: Record<never, never>; body: Ending; answer: Appointment };
  'POST /api/v1/appointments/{number}/undo': { path: { number: number }; query: Record<never, never>; body: Ending; answer: Appointment };
  'POST /api/v1/audit/verifications': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: AuditVerification };
  'POST /api/v1/board/requests/{request}/safety/clearances': { path: { request: number }; query: Record<never, never>; body: SafetyClearance; answer: SafetyState[] };
  'POST /api/v1/board/steps/{step}/actions': { path: { step: number }; query: Record<never, never>; body: StepAction; answer: StepDone };
  'POST /api/v1/board/steps/{step}/notes': { path: { step: number }; query: Record<never, never>; body: NewNote; answer: NoteMade };
  'POST /api/v1/board/urgent': { path: Record<never, never>; query: Record<never, never>; body: UrgentExamination; answer: UrgentMade };
  'POST /api/v1/break-glass': { path: Record<never, never>; query: Record<never, never>; body: NewBreak; answer: Break };
  'POST /api/v1/break-glass/{number}/review': { path: { number: number }; query: Record<never, never>; body: Review; answer: undefined };
  'POST /api/v1/call-templates': { path: Record<never, never>; query: Record<never, never>; body: CallSettings; answer: ConfiguredCall };
  'POST /api/v1/catalogue': { path: Record<never, never>; query: Record<never, never>; body: ProcedureValues; answer: CatalogueProcedure };
  'POST /api/v1/catalogue-files': { path: Record<never, never>; query: Record<never, never>; body: CatalogueFile; answer: ImportPlan };
  'POST /api/v1/downtime': { path: Record<never, never>; query: Record<never, never>; body: DowntimeGiven; answer: DowntimeDone };
  'POST /api/v1/examinations/{procedure}/label/prints': { path: { procedure: number }; query: Record<never, never>; body: PrintOrder; answer: unknown };
  'POST /api/v1/hl7/destinations': { path: Record<never, never>; query: Record<never, never>; body: HL7DestinationSettings; answer: HL7Destination };
  'POST /api/v1/hl7/destinations/{number}/pause': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Destination };
  'POST /api/v1/hl7/destinations/{number}/resume': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Destination };
  'POST /api/v1/hl7/destinations/{number}/test': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7TestQueued };
  'POST /api/v1/hl7/messages/{number}/replay': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7Message };
  'POST /api/v1/hl7/outbound/{number}/give-up': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7OutboundMessage };
  'POST /api/v1/hl7/outbound/{number}/replay': { path: { number: number }; query: Record<never, never>; body: undefined; answer: HL7OutboundMessage };
  'POST /api/v1/hospital-units/import': { path: Record<never, never>; query: Record<never, never>; body: UnitsFile; answer: UnitsTaken };
  'POST /api/v1/links': { path: Record<never, never>; query: Record<never, never>; body: NewLink; answer: MadeLink };
  'POST /api/v1/me/password': { path: Record<never, never>; query: Record<never, never>; body: NewPassword; answer: Session };
  'POST /api/v1/me/tokens': { path: Record<never, never>; query: Record<never, never>; body: NewToken; answer: Token };
  'POST /api/v1/me/totp': { path: Record<never, never>; query: Record<never, never>; body: undefined; answer: TotpEnrolment };
  'POST /api/v1/me/totp/confirm': { path: Record<never, never>; query: Record<never, never>; body: Code; answer: RecoveryCodes };
  'POST /api/v1/me/totp/remove': { path: Record<never, never>; query: Record<never, never>; body: Proof; answer: undefined };
  'POST /api/v1/operations/events/{number}/retry': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/operations/jobs/{number}/cancel': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/operations/jobs/{number}/retry': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/orders': { path: Record<never, never>; query: Record<never, never>; body: WantedOrder; answer: OrderFile };
  'POST /api/v1/orders/{number}/answers/{question}/clear': { path: { number: number; question: Question }; query: Record<never, never>; body: Told; answer: OrderFile };
  'POST /api/v1/orders/{number}/procedures': { path: { number: number }; query: Record<never, never>; body: MoreProcedure; answer: OrderFile };
  'POST /api/v1/orders/{number}/{deed}': { path: { number: number; deed: 'hold' | 'release' | 'cancel' | 'discontinue' | 'reopen' }; query: Record<never, never>; body: Told; answer: OrderFile };
  'POST /api/v1/performed-steps/{number}/end': { path: { number: number }; query: Record<never, never>; body: PerformedStepEnd; answer: NegatoscopeEntrypointsApiPerformedStepsPerformedStep };
  'POST /api/v1/performed-steps/{number}/links': { path: { number: number }; query: Record<never, never>; body: PerformedStepLink; answer: NegatoscopeEntrypointsApiPerformedStepsPerformedStep };
  'POST /api/v1/performed-steps/{number}/seen': { path: { number: number }; query: Record<never, never>; body: PerformedStepSeen; answer: NegatoscopeEntrypointsApiPerformedStepsPerformedStep };
  'POST /api/v1/reconciliation/actions': { path: Record<never, never>; query: Record<never, never>; body: DeskActionAsPreviewed; answer: DeskDone };
  'POST /api/v1/reconciliation/actions/{number}/undo': { path: { number: number }; query: Record<never, never>; body: undefined; answer: DeskDone };
  'POST /api/v1/reconciliation/preview': { path: Record<never, never>; query: Record<never, never>; body: DeskAction; answer: DeskPreview };
  'POST /api/v1/registered-patients': { path: Record<never, never>; query: Record<never, never>; body: NewPatient; answer: PatientFile };
  'POST /api/v1/requested-procedures/{number}/accept': { path: { number: number }; query: Record<never, never>; body: Accepted; answer: OrderFile };
  'POST /api/v1/requested-procedures/{number}/cancel': { path: { number: number }; query: Record<never, never>; body: Told; answer: OrderFile };
  'POST /api/v1/requested-procedures/{number}/reconsider': { path: { number: number }; query: Record<never, never>; body: Told; answer: OrderFile };
  'POST /api/v1/requested-procedures/{number}/refuse': { path: { number: number }; query: Record<never, never>; body: Told; answer: OrderFile };
  'POST /api/v1/requested-procedures/{number}/replace': { path: { number: number }; query: Record<never, never>; body: Replaced; answer: OrderFile };
  'POST /api/v1/resources': { path: Record<never, never>; query: Record<never, never>; body: ResourceValues; answer: DepartmentResource };
  'POST /api/v1/session': { path: Record<never, never>; query: Record<never, never>; body: Credentials; answer: Session };
  'POST /api/v1/session/link': { path: Record<never, never>; query: Record<never, never>; body: Exchange; answer: Session };
  'POST /api/v1/session/oidc/{name}/backchannel-logout': { path: { name: string }; query: Record<never, never>; body: undefined; answer: unknown };
  'POST /api/v1/session/setup': { path: Record<never, never>; query: Record<never, never>; body: SetUp; answer: Session };
  'POST /api/v1/set-aside/{number}/decision': { path: { number: number }; query: Record<never, never>; body: Decision; answer: undefined };
  'POST /api/v1/set-aside/{number}/reopen': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/step-groups': { path: Record<never, never>; query: Record<never, never>; body: Grouped; answer: number[] };
  'POST /api/v1/tasks/{number}/done': { path: { number: number }; query: Record<never, never>; body: undefined; answer: undefined };
  'POST /api/v1/users': { path: Record<never, never>; query: Record<never, never>; body: NewUser; answer: User };
  'POST /api/v1/users/{name}/password': { path: { name: string }; query: Record<never, never>; body: GivenPassword; answer: undefined };
  'POST /api/v1/users/{name}/tokens': { path: { name: string }; query: Record<never, never>; body: NewToken; answer: Token };
  'POST /api/v1/waiting-list': { path: Record<never, never>; query: Record<never, never>; body: NewWaiting; answer: Appointment };
  'PUT /api/v1/application-entities/{ae_title}': { path: { ae_title: string }; query: Record<never, never>; body: Address; answer: RegisteredEntity };
  'PUT /api/v1/application-entities/{ae_title}/grants': { path: { ae_title: string }; query: Record<never, never>; body: Grants; answer: Grants };
  'PUT /api/v1/board/requests/{request}/safety': { path: { request: number }; query: Record<never, never>; body: SafetyReplies; answer: SafetyState[] };
  'PUT /api/v1/board/steps/{step}/device': { path: { step: number }; query: Record<never, never>; body: DeviceChoice; answer: undefined };
  'PUT /api/v1/call-templates/{number}': { path: { number: number }; query: Record<never, never>; body: CallChange; answer: ConfiguredCall };
  'PUT /api/v1/catalogue/{number}': { path: { number: number }; query: Record<never, never>; body: ProcedureChange; answer: CatalogueProcedure };
  'PUT /api/v1/downtime/{number}': { path: { number: number }; query: Record<never, never>; body: DowntimeGiven; answer: DowntimeDone };
  'PUT /api/v1/hl7/destinations/{number}': { path: { number: number }; query: Record<never, never>; body: HL7DestinationChange; answer: HL7Destination };
  'PUT /api/v1/me/preferences/{key}': { path: { key: string }; query: Record<never, never>; body: Record<string, unknown> | unknown[] | string | boolean | number; answer: undefined };
  'PUT /api/v1/orders/{number}/answers/{question}': { path: { number: number; question: Question }; query: Record<never, never>; body: ToldAnswer; answer: OrderFile };
  'PUT /api/v1/reconciliation/default-issuers': { path: Record<never, never>; query: Record<never, never>; body: DefaultIssuerEntry[]; answer: DefaultIssuers };
  'PUT /api/v1/resources/{number}': { path: { number: number }; query: Record<never, never>; body: ResourceChange; answer: DepartmentResource };
  'PUT /api/v1/resources/{number}/opening-hours': { path: { number: number }; query: Record<never, never>; body: OpeningHoursChange; answer: DepartmentResource };
  'PUT /api/v1/settings/{name}': { path: { name: string }; query: Record<never, never>; body: NewValue; answer: Setting };
  'PUT /api/v1/users/{name}/grants': { path: { name: string }; query: Record<never, never>; body: Grants; answer: Grants };
}
