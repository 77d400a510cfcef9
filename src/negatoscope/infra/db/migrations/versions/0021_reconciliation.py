"""Reconciliation: probable duplicates, what follows a merge, what was decided and can be taken back."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE = r"""
-- Keys under which patients who may be one person stand together; only those who share one are compared.
CREATE TABLE patient_block (
    patient_fk        bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    key               text NOT NULL,
    PRIMARY KEY (patient_fk, key)
);
CREATE INDEX patient_block_key ON patient_block (key, patient_fk);

CREATE TABLE duplicate_pair (
    first_fk          bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    second_fk         bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    score             integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    reasons           jsonb NOT NULL,                  -- [{code, points}], domain/reconciliation/scoring.py
    state             text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'DISMISSED')),
    found_at          timestamptz NOT NULL DEFAULT now(),
    decided_by        text NOT NULL DEFAULT '',
    decided_at        timestamptz,
    PRIMARY KEY (first_fk, second_fk),
    CHECK (first_fk < second_fk)
);
CREATE INDEX duplicate_pair_open ON duplicate_pair (score DESC, first_fk, second_fk) WHERE state = 'OPEN';
CREATE INDEX duplicate_pair_second ON duplicate_pair (second_fk);

-- Rows that went from a file that ended to the one that goes on; a split puts exactly these back.
CREATE TABLE merged_row (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_fk         bigint NOT NULL REFERENCES patient_change ON DELETE CASCADE,
    subsumed_fk       bigint NOT NULL,
    survivor_fk       bigint NOT NULL,
    table_name        text NOT NULL,
    row_key           text NOT NULL,
    returned_at       timestamptz
);
CREATE INDEX merged_row_subsumed ON merged_row (subsumed_fk) WHERE returned_at IS NULL;

-- What somebody did at the desk, with what is needed to take it back.
CREATE TABLE reconciliation_action (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind              text NOT NULL,                   -- domain/reconciliation/model.py
    done_at           timestamptz NOT NULL DEFAULT now(),
    done_by           text NOT NULL,
    reason            text NOT NULL DEFAULT '',
    asked             jsonb NOT NULL,
    effect            jsonb NOT NULL,
    undone_at         timestamptz,
    undone_by         text NOT NULL DEFAULT ''
);

-- Orders, appointments, performed steps, bindings, stays: whatever refers to a patient follows a merge, and comes back by a split.
CREATE FUNCTION registered_rows_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    t record;
    r record;
    keys text[];
    one text;
    v_event bigint;
    v_from bigint := NEW.patient_fk;
    v_to bigint := NEW.other_patient_fk;
BEGIN
    IF NEW.kind = 'MERGED' THEN
        FOR t IN
            SELECT c.conrelid::regclass::text AS name, a.attname AS reference, k.attname AS key
            FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                 JOIN pg_index i ON i.indrelid = c.conrelid AND i.indisprimary AND i.indnatts = 1
                 JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = i.indkey[0]
            WHERE c.contype = 'f' AND c.confrelid = 'registered_patient'::regclass AND a.attname = 'patient_fk'
              AND c.conrelid::regclass::text NOT IN ('registered_identifier', 'patient_change', 'patient_block')
            ORDER BY 1
        LOOP
            EXECUTE format('WITH moved AS (UPDATE %I SET %I = $1 WHERE %I = $2 RETURNING %I::text AS key)'
                           ' SELECT array_agg(key ORDER BY key) FROM moved', t.name, t.reference, t.reference, t.key)
               INTO keys USING v_to, v_from;
            INSERT INTO merged_row (change_fk, subsumed_fk, survivor_fk, table_name, row_key)
            SELECT NEW.id, v_from, v_to, t.name, k FROM unnest(keys) AS k;
            PERFORM registered_row_told(t.name, k, v_from, v_to, NEW.source) FROM unnest(keys) AS k;
        END LOOP;
    ELSE
        FOR r IN
            UPDATE merged_row m SET returned_at = now()
             WHERE m.subsumed_fk = v_from AND m.survivor_fk = v_to AND m.returned_at IS NULL
            RETURNING m.table_name, m.row_key
        LOOP
            SELECT k.attname INTO one FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
             WHERE i.indrelid = r.table_name::regclass AND i.indisprimary;
            EXECUTE format('UPDATE %I SET patient_fk = $1 WHERE %I::text = $2 AND patient_fk IN ($3, registered_root($3))',
                           r.table_name, one) USING v_from, r.row_key, v_to;
            PERFORM registered_row_told(r.table_name, r.row_key, v_to, v_from, NEW.source);
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;

-- The history of an order or appointment, and who listens to it.
CREATE FUNCTION registered_row_told(table_name text, row_key text, before bigint, after bigint, source text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_event bigint;
    v_request bigint := CASE WHEN table_name = 'imaging_service_request' THEN row_key::bigint END;
    v_appointment bigint := CASE WHEN table_name = 'appointment' THEN row_key::bigint END;
BEGIN
    IF v_request IS NULL AND v_appointment IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO workflow_event (request_fk, appointment_fk, kind, detail, source)
    VALUES (v_request, v_appointment, 'PATIENT CHANGED', jsonb_build_object('from', before, 'to', after), source)
    RETURNING id INTO v_event;
    INSERT INTO outbox (kind, payload) VALUES ('workflow-changed', jsonb_build_object('event', v_event, 'kind', 'PATIENT CHANGED',
        'request', v_request, 'procedure', NULL, 'step', NULL, 'appointment', v_appointment));
END
$$;

CREATE TRIGGER registered_rows_follow AFTER INSERT ON patient_change FOR EACH ROW WHEN (NEW.kind IN ('MERGED', 'SPLIT'))
EXECUTE FUNCTION registered_rows_follow();

-- Patients who are here already are compared by and by.
INSERT INTO outbox (kind, payload) SELECT 'duplicates-wanted', jsonb_build_object('patient', id)
FROM registered_patient WHERE merged_into IS NULL ORDER BY id;
"""

DOWNGRADE = """
DROP TRIGGER registered_rows_follow ON patient_change;
DROP FUNCTION registered_rows_follow(), registered_row_told(text, text, bigint, bigint, text);
DELETE FROM outbox WHERE kind = 'duplicates-wanted';
DROP TABLE reconciliation_action, merged_row, duplicate_pair, patient_block;
"""


def upgrade() -> None:
    """Create the tables and what makes rows follow."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: decisions and dismissed pairs are forgotten, merges stay as they are."""
    op.execute(DOWNGRADE)
