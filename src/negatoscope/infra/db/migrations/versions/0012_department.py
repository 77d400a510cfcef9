"""The department's work: catalogue, resources, orders, steps, appointments, what was performed."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- What appointments take up: rooms, the devices in them, people.
CREATE TABLE resource (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('ROOM', 'DEVICE', 'STAFF')),
    name              text NOT NULL CHECK (name <> ''),
    location          text NOT NULL DEFAULT '',        -- site, building, floor
    room_fk           bigint REFERENCES resource,      -- of a DEVICE: where it stands
    modality          text NOT NULL DEFAULT '',        -- of a DEVICE: (0008,0060)
    ae_title          text NOT NULL DEFAULT '',        -- of a DEVICE: Scheduled Station AE Title
    station_name      text NOT NULL DEFAULT '',        -- of a DEVICE: Scheduled Station Name
    profession        text NOT NULL DEFAULT '',        -- of STAFF: RADIOLOGIST, TECHNOLOGIST, ANAESTHETIST, ...
    rpps              text NOT NULL DEFAULT '',        -- of STAFF: national identifier of professionals
    account_fk        bigint,                          -- of STAFF: its account
    is_active         boolean NOT NULL DEFAULT true,
    version           integer NOT NULL DEFAULT 1,
    UNIQUE (kind, name)
);
CREATE UNIQUE INDEX resource_ae_title ON resource (ae_title) WHERE ae_title <> '' AND is_active;

-- What can be asked for.
CREATE TABLE catalogue_procedure (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code_value        text NOT NULL CHECK (code_value <> ''),
    coding_scheme_designator text NOT NULL DEFAULT 'CCAM',
    label_fr          text NOT NULL CHECK (label_fr <> ''),
    label_en          text NOT NULL DEFAULT '',
    name_folded       text NOT NULL DEFAULT '',        -- code and labels, kit.text.fold
    modality          text NOT NULL DEFAULT '',
    body_part_examined text NOT NULL DEFAULT '',
    duration_min      integer NOT NULL DEFAULT 20 CHECK (duration_min BETWEEN 1 AND 1440),
    preparation_fr    text NOT NULL DEFAULT '',
    preparation_en    text NOT NULL DEFAULT '',
    contrast          text NOT NULL DEFAULT 'NONE' CHECK (contrast IN ('NONE', 'POSSIBLE', 'REQUIRED')),
    contrast_agent    text NOT NULL DEFAULT '',
    safety_questions  text[] NOT NULL DEFAULT '{}',    -- PREGNANCY, MR_IMPLANTS, CONTRAST_REACTION, RENAL_FUNCTION
    needs_vetting     boolean NOT NULL DEFAULT false,  -- a radiologist accepts it before it is booked
    default_room_fk   bigint REFERENCES resource,
    is_active         boolean NOT NULL DEFAULT true,
    version           integer NOT NULL DEFAULT 1,
    UNIQUE (code_value, coding_scheme_designator)
);
CREATE INDEX catalogue_procedure_name ON catalogue_procedure USING gin (name_folded gin_trgm_ops);

-- Scheduled Protocol Code Sequence: one step of a procedure for each.
CREATE TABLE catalogue_protocol (
    procedure_fk      bigint NOT NULL REFERENCES catalogue_procedure ON DELETE CASCADE,
    position          integer NOT NULL,
    code_value        text NOT NULL,
    coding_scheme_designator text NOT NULL DEFAULT '99LOCAL',
    code_meaning      text NOT NULL,
    PRIMARY KEY (procedure_fk, position)
);

-- Where a procedure can be done; none: in every active room with a device of its modality.
CREATE TABLE catalogue_room (
    procedure_fk      bigint NOT NULL REFERENCES catalogue_procedure ON DELETE CASCADE,
    room_fk           bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    PRIMARY KEY (procedure_fk, room_fk)
);

-- Weekly hours in which a resource can be booked; none: never.
CREATE TABLE opening_hours (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_fk       bigint NOT NULL REFERENCES resource ON DELETE CASCADE,
    weekday           integer NOT NULL CHECK (weekday BETWEEN 1 AND 7),    -- ISO: 1 is Monday
    opens             time NOT NULL,
    closes            time NOT NULL CHECK (closes > opens),
    valid_from        date,
    valid_until       date,
    CHECK (valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from)
);
CREATE INDEX opening_hours_resource ON opening_hours (resource_fk);

-- Maintenance, breakdown, absence, holiday: when a resource cannot be booked. No resource: the whole department.
CREATE TABLE downtime (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_fk       bigint REFERENCES resource ON DELETE CASCADE,
    during            tstzrange NOT NULL CHECK (NOT isempty(during)),
    kind              text NOT NULL CHECK (kind IN ('MAINTENANCE', 'BREAKDOWN', 'ABSENCE', 'HOLIDAY', 'OTHER')),
    reason            text NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        text NOT NULL DEFAULT ''
);
CREATE INDEX downtime_during ON downtime USING gist (during);

-- Numbers that we give: accession numbers, requested procedures, steps.
CREATE SEQUENCE accession_number_seq;
CREATE SEQUENCE requested_procedure_seq;
CREATE SEQUENCE scheduled_procedure_step_seq;

-- The order: Imaging Service Request (PS3.3 C.4.12).
CREATE TABLE imaging_service_request (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk        bigint NOT NULL REFERENCES registered_patient,
    accession_number  text NOT NULL CHECK (accession_number <> ''),
    issuer_of_accession_number text NOT NULL DEFAULT '',
    placer_order_number text NOT NULL DEFAULT '',      -- ORC-2.1
    placer_issuer     text NOT NULL DEFAULT '',        -- ORC-2.2
    filler_order_number text NOT NULL,                 -- ORC-3.1: ours
    filler_issuer     text NOT NULL DEFAULT '',
    admission_id      text NOT NULL DEFAULT '',        -- (0038,0010): the visit, else the account
    issuer_of_admission_id text NOT NULL DEFAULT '',
    current_patient_location text NOT NULL DEFAULT '',
    requesting_service text NOT NULL DEFAULT '',       -- the unit (UF) that asks
    requesting_physician text NOT NULL DEFAULT '',     -- PN
    requesting_physician_id text NOT NULL DEFAULT '',  -- RPPS
    referring_physician_name text NOT NULL DEFAULT '', -- PN
    priority          text NOT NULL DEFAULT 'ROUTINE' CHECK (priority IN ('STAT', 'HIGH', 'ROUTINE', 'MEDIUM', 'LOW')),
    clinical_question text NOT NULL DEFAULT '',
    justification     text NOT NULL DEFAULT '',
    comments          text NOT NULL DEFAULT '',
    patient_transport text NOT NULL DEFAULT '',        -- WALK, CHAIR, BED, PORTABLE
    pregnancy_status  text NOT NULL DEFAULT '',        -- (0010,21C0): 0001 .. 0004
    medical_alerts    text NOT NULL DEFAULT '',
    allergies         text NOT NULL DEFAULT '',
    patient_weight_kg numeric(6, 3),
    patient_size_m    numeric(4, 3),
    wished_at         timestamptz,                     -- when the asker wants it
    state             text NOT NULL,                   -- domain/orders/states.py
    state_reason      text NOT NULL DEFAULT '',
    source            text NOT NULL,                   -- hl7:<message>, user:<name>, fhir:<name>
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (accession_number, issuer_of_accession_number)
);
CREATE UNIQUE INDEX request_placer ON imaging_service_request (placer_order_number, placer_issuer)
    WHERE placer_order_number <> '';
CREATE UNIQUE INDEX request_filler ON imaging_service_request (filler_order_number, filler_issuer);
CREATE INDEX request_patient ON imaging_service_request (patient_fk, id);
CREATE INDEX request_state ON imaging_service_request (state, id);

-- PS3.3 C.4.11.
CREATE TABLE requested_procedure (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_fk        bigint NOT NULL REFERENCES imaging_service_request ON DELETE CASCADE,
    requested_procedure_id text NOT NULL UNIQUE,       -- (0040,1001), at most 16 characters
    study_instance_uid text NOT NULL,                  -- ours unless the order names one
    procedure_fk      bigint REFERENCES catalogue_procedure,
    code_value        text NOT NULL DEFAULT '',        -- Requested Procedure Code Sequence
    coding_scheme_designator text NOT NULL DEFAULT '',
    code_meaning      text NOT NULL DEFAULT '',
    description       text NOT NULL DEFAULT '',        -- (0032,1060)
    modality          text NOT NULL DEFAULT '',
    duration_min      integer NOT NULL DEFAULT 20,
    vetting           text NOT NULL DEFAULT 'NOT NEEDED'
                      CHECK (vetting IN ('NOT NEEDED', 'WAITING', 'ACCEPTED', 'REFUSED', 'REPLACED')),
    vetting_reason    text NOT NULL DEFAULT '',
    vetted_by         text NOT NULL DEFAULT '',
    vetted_at         timestamptz,
    protocol          text NOT NULL DEFAULT '',        -- the radiologist's instructions
    replaced_by       bigint REFERENCES requested_procedure,
    state             text NOT NULL,                   -- domain/orders/states.py
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX requested_procedure_request ON requested_procedure (request_fk);
CREATE INDEX requested_procedure_study ON requested_procedure (study_instance_uid);

-- PS3.3 C.4.10; the state is (0040,0020) and what comes after it.
CREATE TABLE scheduled_procedure_step (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    procedure_fk      bigint NOT NULL REFERENCES requested_procedure ON DELETE CASCADE,
    scheduled_procedure_step_id text NOT NULL UNIQUE,  -- (0040,0009), at most 16 characters
    modality          text NOT NULL DEFAULT '',
    description       text NOT NULL DEFAULT '',        -- (0040,0007)
    protocol_codes    jsonb NOT NULL DEFAULT '[]',     -- [{code_value, coding_scheme_designator, code_meaning}]
    device_fk         bigint REFERENCES resource,
    scheduled_station_ae_title text NOT NULL DEFAULT '',
    scheduled_station_name text NOT NULL DEFAULT '',
    location          text NOT NULL DEFAULT '',        -- (0040,0011)
    start_at          timestamptz,                     -- NULL: not on a worklist yet
    end_at            timestamptz,
    performing_physician_name text NOT NULL DEFAULT '',
    pre_medication    text NOT NULL DEFAULT '',        -- (0040,0012)
    requested_contrast_agent text NOT NULL DEFAULT '', -- (0032,1070)
    comments          text NOT NULL DEFAULT '',
    state             text NOT NULL DEFAULT 'WAITING' CHECK (state IN
                      ('WAITING', 'SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'COMPLETED', 'DISCONTINUED', 'CANCELED')),
    arrived_at        timestamptz,
    identity_checked_at timestamptz,
    identity_checked_by text NOT NULL DEFAULT '',
    started_at        timestamptz,
    ended_at          timestamptz,
    version           integer NOT NULL DEFAULT 1,
    CHECK (end_at IS NULL OR start_at IS NULL OR end_at >= start_at)
);
CREATE INDEX scheduled_step_procedure ON scheduled_procedure_step (procedure_fk);
CREATE INDEX scheduled_step_worklist ON scheduled_procedure_step (start_at, scheduled_station_ae_title)
    WHERE start_at IS NOT NULL AND state IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED');
CREATE INDEX scheduled_step_start ON scheduled_procedure_step (start_at) WHERE start_at IS NOT NULL;

-- Questions that must be answered before a step goes on.
CREATE TABLE safety_answer (
    request_fk        bigint NOT NULL REFERENCES imaging_service_request ON DELETE CASCADE,
    question          text NOT NULL,
    answer            text NOT NULL CHECK (answer IN ('YES', 'NO', 'UNKNOWN')),
    detail            text NOT NULL DEFAULT '',
    answered_by       text NOT NULL,
    answered_at       timestamptz NOT NULL DEFAULT now(),
    cleared_by        text NOT NULL DEFAULT '',        -- who let it go on in spite of the answer
    cleared_reason    text NOT NULL DEFAULT '',
    cleared_at        timestamptz,
    PRIMARY KEY (request_fk, question)
);

CREATE TABLE appointment (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk        bigint NOT NULL REFERENCES registered_patient,
    during            tstzrange,                       -- NULL: on the waiting list
    state             text NOT NULL CHECK (state IN ('WAITING', 'BOOKED', 'ARRIVED', 'FULFILLED', 'CANCELLED', 'NOSHOW')),
    state_reason      text NOT NULL DEFAULT '',
    overbooking_reason text NOT NULL DEFAULT '',
    wished_from       date,                            -- on the waiting list: not before, not after
    wished_until      date,
    note              text NOT NULL DEFAULT '',
    placer_appointment_id text NOT NULL DEFAULT '',
    source            text NOT NULL,
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'WAITING') = (during IS NULL) OR state = 'CANCELLED')
);
CREATE INDEX appointment_patient ON appointment (patient_fk, id);
CREATE INDEX appointment_during ON appointment USING gist (during) WHERE during IS NOT NULL;
CREATE INDEX appointment_waiting ON appointment (created_at) WHERE state = 'WAITING';

-- The steps that are done in one appointment.
CREATE TABLE appointment_step (
    appointment_fk    bigint NOT NULL REFERENCES appointment ON DELETE CASCADE,
    step_fk           bigint NOT NULL REFERENCES scheduled_procedure_step ON DELETE CASCADE,
    PRIMARY KEY (appointment_fk, step_fk)
);
CREATE INDEX appointment_step_step ON appointment_step (step_fk);

-- A resource taken up. The database refuses two at once, unless one was overbooked with a reason.
CREATE TABLE booking (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_fk    bigint NOT NULL REFERENCES appointment ON DELETE CASCADE,
    resource_fk       bigint NOT NULL REFERENCES resource,
    during            tstzrange NOT NULL CHECK (NOT isempty(during)),
    is_overbooked     boolean NOT NULL DEFAULT false,
    CONSTRAINT booking_once EXCLUDE USING gist (resource_fk WITH =, during WITH &&) WHERE (NOT is_overbooked)
);
CREATE INDEX booking_appointment ON booking (appointment_fk);
CREATE INDEX booking_during ON booking USING gist (during);

-- What a modality says that it does: MPPS (PS3.4 Annex F).
CREATE TABLE performed_procedure_step (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sop_instance_uid  text NOT NULL UNIQUE,
    performed_procedure_step_id text NOT NULL DEFAULT '',
    state             text NOT NULL CHECK (state IN ('IN PROGRESS', 'COMPLETED', 'DISCONTINUED')),
    performed_station_ae_title text NOT NULL DEFAULT '',
    calling_ae_title  text NOT NULL DEFAULT '',
    modality          text NOT NULL DEFAULT '',
    started_at        timestamptz,
    ended_at          timestamptz,
    discontinuation_reason text NOT NULL DEFAULT '',
    patient_fk        bigint REFERENCES registered_patient,
    data_set          jsonb NOT NULL,                  -- DICOM JSON Model, as created and set since
    series_count      integer NOT NULL DEFAULT 0,
    instance_count    integer NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX performed_step_open ON performed_procedure_step (created_at) WHERE state = 'IN PROGRESS';

-- Which scheduled step it fulfils; none: unscheduled, for a person.
CREATE TABLE performed_for (
    performed_fk      bigint NOT NULL REFERENCES performed_procedure_step ON DELETE CASCADE,
    step_fk           bigint NOT NULL REFERENCES scheduled_procedure_step ON DELETE CASCADE,
    PRIMARY KEY (performed_fk, step_fk)
);
CREATE INDEX performed_for_step ON performed_for (step_fk);

-- Which requested procedure a study of the archive belongs to. Never on a guess.
CREATE TABLE study_binding (
    study_instance_uid text PRIMARY KEY,
    procedure_fk      bigint REFERENCES requested_procedure ON DELETE SET NULL,
    patient_fk        bigint REFERENCES registered_patient,
    state             text NOT NULL CHECK (state IN ('BOUND', 'UNBOUND', 'PUT ASIDE')),
    reason            text NOT NULL DEFAULT '',        -- why it is so: study-instance-uid, accession-number, by-hand, no-order, ...
    decided_by        text NOT NULL DEFAULT '',
    first_arrival_at  timestamptz NOT NULL DEFAULT now(),
    decided_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX study_binding_procedure ON study_binding (procedure_fk) WHERE procedure_fk IS NOT NULL;
CREATE INDEX study_binding_unbound ON study_binding (first_arrival_at) WHERE state = 'UNBOUND';

-- Everything that happened to an order, its procedures, steps and appointments.
CREATE TABLE workflow_event (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    request_fk        bigint REFERENCES imaging_service_request ON DELETE CASCADE,
    procedure_fk      bigint REFERENCES requested_procedure ON DELETE CASCADE,
    step_fk           bigint REFERENCES scheduled_procedure_step ON DELETE CASCADE,
    appointment_fk    bigint REFERENCES appointment ON DELETE CASCADE,
    kind              text NOT NULL,                   -- domain/orders/events.py
    detail            jsonb NOT NULL DEFAULT '{}',
    source            text NOT NULL                    -- hl7:<message>, user:<name>, dicom:<AE title>, ...
);
CREATE INDEX workflow_event_request ON workflow_event (request_fk, id) WHERE request_fk IS NOT NULL;
CREATE INDEX workflow_event_appointment ON workflow_event (appointment_fk, id) WHERE appointment_fk IS NOT NULL;
"""

DOWNGRADE = """
DROP TABLE workflow_event, study_binding, performed_for, performed_procedure_step, booking, appointment_step,
    appointment, safety_answer, scheduled_procedure_step, requested_procedure, imaging_service_request, downtime,
    opening_hours, catalogue_room, catalogue_protocol, catalogue_procedure, resource;
DROP SEQUENCE accession_number_seq, requested_procedure_seq, scheduled_procedure_step_seq;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
