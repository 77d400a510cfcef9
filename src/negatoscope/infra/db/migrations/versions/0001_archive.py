"""The archive's index: patient, study, series, instance, segment, and what was set aside."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Interned UIDs of SOP classes and transfer syntaxes: two bytes per instance instead of thirty.
CREATE TABLE uid_code (
    id  smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid text NOT NULL UNIQUE
);

CREATE TABLE patient (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id             text,                       -- (0010,0020); NULL when absent: the patient is then known by one study only
    issuer_of_patient_id   text NOT NULL DEFAULT '',   -- (0010,0021)
    discriminator          integer NOT NULL DEFAULT 0, -- > 0: same identifier, traits that cannot be the same person
    patient_name           text,                       -- (0010,0010), all component groups, Unicode
    patient_name_folded    text NOT NULL DEFAULT '',   -- kit.text.fold
    patient_birth_date     date,
    patient_birth_time     text,
    patient_sex            text,
    attributes             jsonb NOT NULL DEFAULT '{}', -- other patient-level attributes, DICOM JSON (PS3.18 Annex F), original strings of unusable dates too
    study_count            integer NOT NULL DEFAULT 0,
    created_at             timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX patient_identity ON patient (patient_id, issuer_of_patient_id, discriminator);
CREATE INDEX patient_name_prefix ON patient (patient_name_folded text_pattern_ops);
CREATE INDEX patient_name_trgm ON patient USING gin (patient_name_folded gin_trgm_ops);
CREATE INDEX patient_birth_date ON patient (patient_birth_date);

CREATE TABLE patient_identifier (                       -- Other Patient IDs Sequence (0010,1002) and later the hospital's
    patient_fk            bigint NOT NULL REFERENCES patient ON DELETE CASCADE,
    identifier            text NOT NULL,
    issuer                text NOT NULL DEFAULT '',
    PRIMARY KEY (patient_fk, identifier, issuer)
);
CREATE INDEX patient_identifier_value ON patient_identifier (identifier, issuer);

CREATE TABLE study (
    id                            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk                    bigint NOT NULL REFERENCES patient,
    study_instance_uid            text NOT NULL UNIQUE,
    study_date                    date,
    study_time                    text,   -- HHMMSS[.FFFFFF] when valid, colons removed
    accession_number              text,
    study_id                      text,
    study_description             text,
    study_description_folded      text NOT NULL DEFAULT '',
    referring_physician_name      text,
    referring_physician_name_folded text NOT NULL DEFAULT '',
    modalities_in_study           text[] NOT NULL DEFAULT '{}',
    sop_classes_in_study          text[] NOT NULL DEFAULT '{}',
    attributes                    jsonb NOT NULL DEFAULT '{}',
    series_count                  integer NOT NULL DEFAULT 0,
    instance_count                integer NOT NULL DEFAULT 0,
    byte_count                    bigint NOT NULL DEFAULT 0,
    created_at                    timestamptz NOT NULL DEFAULT now(),
    changed_at                    timestamptz NOT NULL DEFAULT now(),
    settled_at                    timestamptz                         -- NULL: changed since it was last settled
);
CREATE INDEX study_patient ON study (patient_fk);
CREATE INDEX study_date_id ON study (study_date DESC NULLS LAST, id DESC);
CREATE INDEX study_accession ON study (accession_number) WHERE accession_number IS NOT NULL;
CREATE INDEX study_accession_prefix ON study (accession_number text_pattern_ops) WHERE accession_number IS NOT NULL;
CREATE INDEX study_study_id ON study (study_id) WHERE study_id IS NOT NULL;
CREATE INDEX study_description_trgm ON study USING gin (study_description_folded gin_trgm_ops);
CREATE INDEX study_referring_trgm ON study USING gin (referring_physician_name_folded gin_trgm_ops);
CREATE INDEX study_modalities ON study USING gin (modalities_in_study);
CREATE INDEX study_unsettled ON study (changed_at) WHERE settled_at IS NULL;

CREATE TABLE series (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_fk              bigint NOT NULL REFERENCES study,
    series_instance_uid   text NOT NULL,
    modality              text,
    series_number         integer,
    series_date           date,
    series_time           text,
    series_description    text,
    body_part_examined    text,
    protocol_name         text,
    station_name          text,
    institution_name      text,
    performing_physician_name text,
    performed_procedure_step_start_date date,
    performed_procedure_step_start_time text,
    attributes            jsonb NOT NULL DEFAULT '{}',  -- other series-level attributes incl. Request Attributes Sequence, DICOM JSON
    instance_count        integer NOT NULL DEFAULT 0,
    byte_count            bigint NOT NULL DEFAULT 0,
    changed_at            timestamptz NOT NULL DEFAULT now(),
    metadata_segment      integer,    -- where the series metadata member lies; NULL: not written since the last change
    metadata_offset       bigint,     -- of the gzip bytes
    metadata_length       bigint,
    UNIQUE (study_fk, series_instance_uid)
);
CREATE INDEX series_uid ON series (series_instance_uid);

CREATE TABLE segment (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,           -- ULID; the file is <volume>/segments/<name[6:8]>/<name>.tar
    volume        text NOT NULL,                  -- VolumeSettings.name
    state         text NOT NULL CHECK (state IN ('OPEN', 'SEALED', 'DELETED')),
    length        bigint NOT NULL DEFAULT 0,      -- bytes, known when sealed
    member_count  integer NOT NULL DEFAULT 0,
    dead_bytes    bigint NOT NULL DEFAULT 0,      -- of members no row points at any more
    created_at    timestamptz NOT NULL DEFAULT now(),
    sealed_at     timestamptz
);
CREATE INDEX segment_open ON segment (id) WHERE state = 'OPEN';

CREATE TABLE instance (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series_fk          bigint NOT NULL REFERENCES series,
    segment_fk         integer NOT NULL REFERENCES segment,
    segment_offset     bigint NOT NULL,   -- of the Part 10 file inside the segment
    size               bigint NOT NULL,   -- of the Part 10 file, bytes
    pixel_offset       bigint,            -- of the first pixel byte / first fragment item, from the start of the Part 10 file
    data_set_offset    smallint NOT NULL, -- of the data set, from the start of the Part 10 file
    sop_class          smallint NOT NULL REFERENCES uid_code,
    transfer_syntax    smallint NOT NULL REFERENCES uid_code,
    instance_number    integer,
    number_of_frames   integer,           -- NULL: no pixel data; 1 when (0028,0008) is absent
    frame_length       integer,           -- native pixel data: bytes per frame; NULL when encapsulated
    "rows"             integer,
    "columns"          integer,
    bits_allocated     smallint,
    received_at        timestamptz NOT NULL DEFAULT now(),
    verified_at        timestamptz,       -- digest last re-read
    sop_instance_uid   text NOT NULL,
    sha256             bytea NOT NULL,    -- of the data set bytes
    frame_index        bytea              -- encapsulated only: zlib of little-endian u64 pairs (offset from file start, length), one per frame
);
CREATE UNIQUE INDEX instance_sop_instance_uid ON instance (sop_instance_uid);
CREATE INDEX instance_series ON instance (series_fk, instance_number);
CREATE INDEX instance_segment ON instance (segment_fk, segment_offset);

-- What arrived and could not simply take its place: nothing is lost, a person decides.
CREATE TABLE set_aside (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason              text NOT NULL CHECK (reason IN ('CONTENT DIFFERS', 'OTHER PATIENT', 'OTHER STUDY')),
    state               text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'ACCEPTED', 'DISMISSED')),
    sop_instance_uid    text NOT NULL,
    study_instance_uid  text NOT NULL,
    series_instance_uid text NOT NULL,
    patient_id          text,
    calling_ae_title    text,
    received_at         timestamptz NOT NULL DEFAULT now(),
    resolved_at         timestamptz,
    resolved_by         text,
    sha256              bytea NOT NULL,
    segment_fk          integer NOT NULL REFERENCES segment,
    segment_offset      bigint NOT NULL,
    size                bigint NOT NULL,
    record              jsonb NOT NULL,      -- the whole index record, to index it if accepted
    UNIQUE (sop_instance_uid, sha256, reason)
);
CREATE INDEX set_aside_pending ON set_aside (received_at) WHERE state = 'PENDING';

-- What administrators must look at (conflicts, quarantines, verification failures).
CREATE TABLE task (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    subject     text NOT NULL,        -- UIDs and our own ids, never names
    detail      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    done_at     timestamptz,
    done_by     text
);
CREATE UNIQUE INDEX task_open ON task (kind, subject) WHERE done_at IS NULL;

-- Events committed with the change they tell of; the worker hands them to subscribers and deletes them.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
"""

DOWNGRADE = """
DROP TABLE outbox, task, set_aside, instance, series, study, patient_identifier, patient, segment, uid_code;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; the segments keep everything, ``negatoscope reindex`` rebuilds."""
    op.execute(DOWNGRADE)
