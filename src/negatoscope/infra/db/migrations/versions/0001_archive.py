"""The archive's index: patient, study, series, instance, segment, and what was set aside."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = r"""
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
    settled_at                    timestamptz                         -- last settling; see unsettled_study
) WITH (fillfactor = 75);   -- counts change with every batch: keep those updates HOT
CREATE INDEX study_patient ON study (patient_fk);
CREATE INDEX study_date_id ON study (study_date DESC NULLS LAST, id DESC);
CREATE INDEX study_accession ON study (accession_number) WHERE accession_number IS NOT NULL;
CREATE INDEX study_accession_prefix ON study (accession_number text_pattern_ops) WHERE accession_number IS NOT NULL;
CREATE INDEX study_study_id ON study (study_id) WHERE study_id IS NOT NULL;
CREATE INDEX study_description_trgm ON study USING gin (study_description_folded gin_trgm_ops);
CREATE INDEX study_referring_trgm ON study USING gin (referring_physician_name_folded gin_trgm_ops);
CREATE INDEX study_modalities ON study USING gin (modalities_in_study);

-- Studies that changed since they last settled. Apart from study, so that an arriving image touches no index of it.
CREATE TABLE unsettled_study (
    study_fk    bigint PRIMARY KEY,
    changed_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- What arrived and was not announced yet: one row per study and sender instead of one event per image.
CREATE TABLE arrival (
    study_fk          bigint NOT NULL,
    calling_ae_title  text NOT NULL DEFAULT '',
    actor_name        text NOT NULL DEFAULT '',
    instance_count    integer NOT NULL,
    first_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (study_fk, calling_ae_title, actor_name)
) WITH (fillfactor = 50);

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
    metadata_segment      integer,    -- where the series metadata member lies; NULL: not written since the last change
    metadata_offset       bigint,     -- of the gzip bytes
    metadata_length       bigint,
    UNIQUE (study_fk, series_instance_uid)
) WITH (fillfactor = 75);
CREATE INDEX series_uid ON series (series_instance_uid);

CREATE TABLE segment (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,           -- ULID; the file is <volume>/segments/<name[:4]>/<name>.tar
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
    segment_fk         integer NOT NULL,  -- segment; its rows are never deleted
    segment_offset     bigint NOT NULL,   -- of the Part 10 file inside the segment
    size               bigint NOT NULL,   -- of the Part 10 file, bytes
    pixel_offset       bigint,            -- of the first pixel byte / first fragment item, from the start of the Part 10 file
    data_set_offset    smallint NOT NULL, -- of the data set, from the start of the Part 10 file
    sop_class          smallint NOT NULL, -- uid_code; never deleted there, so no constraint is paid for per image
    transfer_syntax    smallint NOT NULL, -- uid_code
    instance_number    integer,
    number_of_frames   integer,           -- NULL: no pixel data; 1 when (0028,0008) is absent
    frame_length       integer,           -- native pixel data: bytes per frame; NULL when encapsulated
    "rows"             integer,
    "columns"          integer,
    bits_allocated     smallint,
    crc32              integer,           -- of the data set, as a signed number: the quick look at each reading
    received_at        timestamptz NOT NULL DEFAULT now(),
    verified_at        timestamptz,       -- digest last re-read
    sop_instance_uid   text NOT NULL,
    sha256             bytea NOT NULL,    -- of the data set bytes (the file meta group has a CRC in the member's comment)
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

-- Same identifier: can these traits be one person? Equal birth dates decide; without both, names that are known must agree.
CREATE FUNCTION archive_same_person(name_a text, birth_a date, name_b text, birth_b date) RETURNS boolean
IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN birth_a IS NOT NULL AND birth_b IS NOT NULL THEN birth_a = birth_b
        ELSE name_a = '' OR name_b = '' OR name_a = name_b
    END
$$;

-- The patient row of one identity, made when absent. Two people under one identifier get two rows and a task.
CREATE FUNCTION archive_patient(p jsonb) RETURNS bigint
VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    candidate record;
    found_id bigint;
    next_discriminator integer := 0;
BEGIN
    IF p->>'patient_id' IS NOT NULL THEN
        LOOP
            next_discriminator := 0;
            FOR candidate IN
                SELECT id, discriminator, patient_name_folded, patient_birth_date FROM patient
                WHERE patient_id = p->>'patient_id' AND issuer_of_patient_id = p->>'issuer_of_patient_id'
                ORDER BY discriminator
            LOOP
                IF archive_same_person(candidate.patient_name_folded, candidate.patient_birth_date,
                                       p->>'patient_name_folded', (p->>'patient_birth_date')::date) THEN
                    RETURN candidate.id;
                END IF;
                next_discriminator := candidate.discriminator + 1;
            END LOOP;
            INSERT INTO patient (patient_id, issuer_of_patient_id, discriminator, patient_name, patient_name_folded,
                                 patient_birth_date, patient_birth_time, patient_sex, attributes)
            VALUES (p->>'patient_id', p->>'issuer_of_patient_id', next_discriminator, p->>'patient_name',
                    p->>'patient_name_folded', (p->>'patient_birth_date')::date, p->>'patient_birth_time',
                    p->>'patient_sex', p->'attributes')
            ON CONFLICT DO NOTHING RETURNING id INTO found_id;
            EXIT WHEN found_id IS NOT NULL;  -- otherwise another writer was quicker: look again
        END LOOP;
        IF next_discriminator > 0 THEN
            INSERT INTO task (kind, subject, detail)
            VALUES ('patient-traits-differ', found_id::text, jsonb_build_object('patient_fk', found_id))
            ON CONFLICT DO NOTHING;
        END IF;
    ELSE
        INSERT INTO patient (patient_id, issuer_of_patient_id, patient_name, patient_name_folded,
                             patient_birth_date, patient_birth_time, patient_sex, attributes)
        VALUES (NULL, p->>'issuer_of_patient_id', p->>'patient_name', p->>'patient_name_folded',
                (p->>'patient_birth_date')::date, p->>'patient_birth_time', p->>'patient_sex', p->'attributes')
        RETURNING id INTO found_id;
    END IF;
    INSERT INTO patient_identifier (patient_fk, identifier, issuer)
    SELECT found_id, o->>'identifier', coalesce(o->>'issuer', '')
    FROM jsonb_array_elements(coalesce(p->'other_identifiers', '[]')) AS o
    ON CONFLICT DO NOTHING;
    RETURN found_id;
END
$$;

-- Indexes a batch of received objects in one transaction; the answer has one row per record, in their order.
-- outcome: STORED, DUPLICATE (same content is there), CONTENT DIFFERS, OTHER PATIENT, OTHER STUDY (kept aside; a trailing
-- ' AGAIN' says that the very same object was aside already).
CREATE FUNCTION archive_ingest(records jsonb)
RETURNS TABLE (ordinal bigint, outcome text, study_id bigint, series_id bigint)
VOLATILE LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    r record;
    there record;
    owner record;
    v_patient bigint;
    v_study bigint;
    v_series bigint;
    v_instance bigint;
    v_outcome text;
    v_aside bigint;
    n integer;
    v_new boolean;
    stored_study bigint[] := '{}';
    stored_series bigint[] := '{}';
    stored_size bigint[] := '{}';
    stored_ae text[] := '{}';
    stored_actor text[] := '{}';
BEGIN
    FOR r IN
        SELECT * FROM ROWS FROM (jsonb_to_recordset(records) AS (
            sop text, study_uid text, series_uid text, cls smallint, ts smallint, sha text, seg integer, off bigint,
            size bigint, po bigint, dso smallint, num integer, frames integer, fl integer, nrows integer, ncols integer,
            bits smallint, crc integer, fi text, received timestamptz, ae text, actor text, study_fk bigint, series_fk bigint,
            cls_uid text, patient jsonb, study jsonb, series jsonb
        )) WITH ORDINALITY AS x
    LOOP
        v_outcome := NULL; v_study := r.study_fk; v_series := r.series_fk; v_instance := NULL;
        FOR attempt IN 1..3 LOOP
            -- Is it here already?
            SELECT i.sha256 = decode(r.sha, 'hex') AS same, i.segment_fk = r.seg AND i.segment_offset = r.off AS itself,
                   s.study_instance_uid, p.patient_id, p.issuer_of_patient_id,
                   p.patient_name_folded, p.patient_birth_date, s.id AS study_id, e.id AS series_id
              INTO there
              FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
                   JOIN patient p ON p.id = s.patient_fk
             WHERE i.sop_instance_uid = r.sop;
            IF FOUND THEN
                v_study := there.study_id; v_series := there.series_id;
                IF there.same AND there.itself THEN
                    v_outcome := 'STORED';  -- told twice: the answer to the first telling was lost
                ELSIF there.same THEN
                    v_outcome := 'DUPLICATE';
                ELSIF r.patient IS NULL THEN
                    v_outcome := 'AGAIN WITH ATTRIBUTES';
                ELSIF there.patient_id IS DISTINCT FROM r.patient->>'patient_id'
                   OR NOT archive_same_person(there.patient_name_folded, there.patient_birth_date,
                          r.patient->>'patient_name_folded', (r.patient->>'patient_birth_date')::date) THEN
                    v_outcome := 'OTHER PATIENT';
                ELSIF there.study_instance_uid <> r.study_uid THEN
                    v_outcome := 'OTHER STUDY';
                ELSE
                    v_outcome := 'CONTENT DIFFERS';
                END IF;
                EXIT;
            END IF;
            IF v_series IS NULL THEN
                SELECT s.id, p.patient_id, p.issuer_of_patient_id, p.patient_name_folded, p.patient_birth_date INTO owner
                  FROM study s JOIN patient p ON p.id = s.patient_fk WHERE s.study_instance_uid = r.study_uid;
                IF FOUND THEN
                    v_study := owner.id;
                    IF owner.patient_id IS DISTINCT FROM r.patient->>'patient_id'
                       OR (owner.issuer_of_patient_id <> r.patient->>'issuer_of_patient_id'
                           AND owner.issuer_of_patient_id <> '' AND r.patient->>'issuer_of_patient_id' <> '')
                       OR NOT archive_same_person(owner.patient_name_folded, owner.patient_birth_date,
                              r.patient->>'patient_name_folded', (r.patient->>'patient_birth_date')::date) THEN
                        v_outcome := 'OTHER PATIENT';
                        EXIT;
                    END IF;
                    UPDATE study SET
                        study_date = coalesce(study_date, (r.study->>'study_date')::date),
                        study_time = coalesce(study_time, r.study->>'study_time'),
                        accession_number = coalesce(accession_number, r.study->>'accession_number'),
                        study_id = coalesce(study_id, r.study->>'study_id'),
                        study_description = coalesce(study_description, r.study->>'study_description'),
                        study_description_folded = CASE WHEN study_description IS NULL
                            THEN coalesce(r.study->>'study_description_folded', '') ELSE study_description_folded END,
                        modalities_in_study = CASE WHEN r.series->>'modality' IS NULL
                            OR r.series->>'modality' = ANY (modalities_in_study) THEN modalities_in_study
                            ELSE modalities_in_study || (r.series->>'modality') END,
                        sop_classes_in_study = CASE WHEN r.cls_uid = ANY (sop_classes_in_study) THEN sop_classes_in_study
                            ELSE sop_classes_in_study || r.cls_uid END
                    WHERE id = v_study AND (
                        (study_date IS NULL AND r.study->>'study_date' IS NOT NULL)
                        OR (study_time IS NULL AND r.study->>'study_time' IS NOT NULL)
                        OR (accession_number IS NULL AND r.study->>'accession_number' IS NOT NULL)
                        OR (study_id IS NULL AND r.study->>'study_id' IS NOT NULL)
                        OR (study_description IS NULL AND r.study->>'study_description' IS NOT NULL)
                        OR (r.series->>'modality' IS NOT NULL AND r.series->>'modality' <> ALL (modalities_in_study))
                        OR r.cls_uid <> ALL (sop_classes_in_study));
                ELSE
                    v_patient := archive_patient(r.patient);
                    INSERT INTO study (patient_fk, study_instance_uid, study_date, study_time, accession_number, study_id,
                        study_description, study_description_folded, referring_physician_name,
                        referring_physician_name_folded, modalities_in_study, sop_classes_in_study, attributes)
                    VALUES (v_patient, r.study_uid, (r.study->>'study_date')::date, r.study->>'study_time',
                        r.study->>'accession_number', r.study->>'study_id', r.study->>'study_description',
                        coalesce(r.study->>'study_description_folded', ''), r.study->>'referring_physician_name',
                        coalesce(r.study->>'referring_physician_name_folded', ''),
                        CASE WHEN r.series->>'modality' IS NULL THEN '{}' ELSE ARRAY[r.series->>'modality'] END,
                        ARRAY[r.cls_uid], coalesce(r.study->'attributes', '{}'))
                    ON CONFLICT DO NOTHING RETURNING id INTO v_study;
                    IF v_study IS NULL THEN
                        IF r.patient->>'patient_id' IS NULL THEN
                            DELETE FROM patient WHERE id = v_patient AND study_count = 0;
                        END IF;
                        CONTINUE;  -- another writer made it meanwhile: look again
                    END IF;
                    UPDATE patient SET study_count = study_count + 1 WHERE id = v_patient;
                END IF;
                INSERT INTO series (study_fk, series_instance_uid, modality, series_number, series_date, series_time,
                    series_description, body_part_examined, protocol_name, station_name, institution_name,
                    performing_physician_name, performed_procedure_step_start_date,
                    performed_procedure_step_start_time, attributes)
                VALUES (v_study, r.series_uid, r.series->>'modality', (r.series->>'series_number')::integer,
                    (r.series->>'series_date')::date, r.series->>'series_time', r.series->>'series_description',
                    r.series->>'body_part_examined', r.series->>'protocol_name', r.series->>'station_name',
                    r.series->>'institution_name', r.series->>'performing_physician_name',
                    (r.series->>'performed_procedure_step_start_date')::date,
                    r.series->>'performed_procedure_step_start_time', coalesce(r.series->'attributes', '{}'))
                ON CONFLICT DO NOTHING RETURNING id INTO v_series;
                v_new := v_series IS NOT NULL;
                IF v_new THEN
                    UPDATE study SET series_count = series_count + 1 WHERE id = v_study;
                ELSE
                    SELECT e.id INTO v_series FROM series e
                     WHERE e.study_fk = v_study AND e.series_instance_uid = r.series_uid;
                END IF;
            END IF;
            INSERT INTO instance (series_fk, segment_fk, segment_offset, size, pixel_offset, data_set_offset, sop_class,
                transfer_syntax, instance_number, number_of_frames, frame_length, "rows", "columns", bits_allocated,
                crc32, received_at, sop_instance_uid, sha256, frame_index)
            VALUES (v_series, r.seg, r.off, r.size, r.po, r.dso, r.cls, r.ts, r.num, r.frames, r.fl, r.nrows, r.ncols,
                r.bits, r.crc, r.received, r.sop, decode(r.sha, 'hex'), decode(r.fi, 'base64'))
            ON CONFLICT (sop_instance_uid) DO NOTHING RETURNING id INTO v_instance;
            IF v_instance IS NOT NULL THEN
                v_outcome := 'STORED';
                stored_study := stored_study || v_study;
                stored_series := stored_series || v_series;
                stored_size := stored_size || r.size;
                stored_ae := stored_ae || coalesce(r.ae, '');
                stored_actor := stored_actor || coalesce(r.actor, '');
                EXIT;
            END IF;
        END LOOP;
        IF v_outcome IN ('CONTENT DIFFERS', 'OTHER PATIENT', 'OTHER STUDY') THEN
            INSERT INTO set_aside (reason, sop_instance_uid, study_instance_uid, series_instance_uid, patient_id,
                calling_ae_title, received_at, sha256, segment_fk, segment_offset, size, record)
            VALUES (v_outcome, r.sop, r.study_uid, r.series_uid, r.patient->>'patient_id', r.ae, r.received,
                decode(r.sha, 'hex'), r.seg, r.off, r.size, (records->(r.ordinality::integer - 1)))
            ON CONFLICT DO NOTHING RETURNING id INTO v_aside;
            IF v_aside IS NULL THEN
                v_outcome := v_outcome || ' AGAIN';
            ELSE
                INSERT INTO task (kind, subject, detail)
                VALUES ('object-set-aside', r.sop, jsonb_build_object('set_aside', v_aside, 'reason', v_outcome,
                        'study_instance_uid', r.study_uid, 'calling_ae_title', r.ae))
                ON CONFLICT DO NOTHING;
            END IF;
        END IF;
        ordinal := r.ordinality; outcome := coalesce(v_outcome, 'RETRY'); study_id := v_study; series_id := v_series;
        RETURN NEXT;
    END LOOP;
    -- Counts, once per study and series of the batch, in the order of their keys (no deadlock between writers).
    FOR r IN SELECT s AS id, count(*) AS added, sum(b) AS bytes FROM unnest(stored_study, stored_size) AS u(s, b) GROUP BY s ORDER BY s
    LOOP
        UPDATE study SET instance_count = instance_count + r.added, byte_count = byte_count + r.bytes WHERE id = r.id;
        INSERT INTO unsettled_study (study_fk) VALUES (r.id) ON CONFLICT (study_fk) DO UPDATE SET changed_at = now();
    END LOOP;
    FOR r IN SELECT s AS id, count(*) AS added, sum(b) AS bytes FROM unnest(stored_series, stored_size) AS u(s, b) GROUP BY s ORDER BY s
    LOOP
        UPDATE series SET instance_count = instance_count + r.added, byte_count = byte_count + r.bytes,
               metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL WHERE id = r.id;
    END LOOP;
    IF array_length(stored_study, 1) > 0 THEN
        INSERT INTO arrival (study_fk, calling_ae_title, actor_name, instance_count)
        SELECT study, ae, actor, count(*) FROM unnest(stored_study, stored_ae, stored_actor) AS u(study, ae, actor)
        GROUP BY study, ae, actor ORDER BY study, ae, actor
        ON CONFLICT (study_fk, calling_ae_title, actor_name)
        DO UPDATE SET instance_count = arrival.instance_count + excluded.instance_count;
    END IF;
END
$$;
"""

DOWNGRADE = """
DROP FUNCTION archive_ingest(jsonb);
DROP FUNCTION archive_patient(jsonb);
DROP FUNCTION archive_same_person(text, date, text, date);
DROP TABLE arrival, outbox, task, set_aside, instance, series, unsettled_study, study, patient_identifier, patient, segment, uid_code;
"""


def upgrade() -> None:
    """Create the tables and the function that fills them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; the segments keep everything, ``negatoscope reindex`` rebuilds."""
    op.execute(DOWNGRADE)
