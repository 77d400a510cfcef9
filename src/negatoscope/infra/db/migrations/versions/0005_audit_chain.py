"""The audit trail becomes append-only: what happens waits to be sealed, what is sealed is chained."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
-- What was recorded and is not sealed yet. Events with the same coalesce_key share a row until then.
ALTER TABLE audit_event RENAME TO audit_pending;
ALTER TABLE audit_pending
    DROP CONSTRAINT audit_event_actor_kind_check,
    DROP CONSTRAINT audit_event_outcome_check,
    ADD COLUMN event_class           text NOT NULL DEFAULT '',  -- '': made of the action when it is sealed
    ADD COLUMN actor_roles           text[] NOT NULL DEFAULT '{}',
    ADD COLUMN credential            text,   -- what the actor presented: session, token 12, link 5, certificate …
    ADD COLUMN door                  text,   -- web, api, dicomweb, dimse, fhir, command line, worker
    ADD COLUMN issuer_of_patient_id  text,
    ADD COLUMN accession_number      text,
    ADD COLUMN reason                text,   -- why: of a refusal, of an emergency access
    ADD COLUMN destination           text;   -- to whom it went
DROP INDEX audit_event_time, audit_event_study, audit_event_actor;

-- The trail itself. Rows are added by one process at a time, in the order of position; nobody changes them.
CREATE TABLE audit_record (
    position              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- rises in the order of commits
    chain                 text NOT NULL CHECK (chain IN ('access', 'security', 'operation')),
    seq                   bigint NOT NULL,           -- 1, 2, 3 … in its chain, without a gap
    hash                  bytea NOT NULL,            -- sha256(hash of seq - 1 || canonical form)
    sealed_at             timestamptz NOT NULL,
    id                    bigint NOT NULL UNIQUE,    -- as in audit_pending
    occurred_at           timestamptz NOT NULL,
    last_at               timestamptz NOT NULL,
    event_count           bigint NOT NULL,
    event_class           text NOT NULL,
    actor_kind            text NOT NULL,
    actor_name            text NOT NULL,
    actor_roles           text[] NOT NULL,
    credential            text,
    peer                  text,
    door                  text,
    action                text NOT NULL,
    outcome               text NOT NULL,
    reason                text,
    study_instance_uid    text,
    patient_id            text,
    issuer_of_patient_id  text,
    accession_number      text,
    destination           text,
    detail                jsonb NOT NULL,
    UNIQUE (chain, seq)
);
CREATE INDEX audit_record_time ON audit_record (occurred_at, id);
CREATE INDEX audit_record_patient ON audit_record (patient_id, occurred_at, id) WHERE patient_id IS NOT NULL;
CREATE INDEX audit_record_study ON audit_record (study_instance_uid, occurred_at, id) WHERE study_instance_uid IS NOT NULL;
CREATE INDEX audit_record_actor ON audit_record (lower(actor_name), occurred_at, id);
CREATE INDEX audit_record_class ON audit_record (event_class, occurred_at, id);
CREATE INDEX audit_record_outcome ON audit_record (outcome, occurred_at, id) WHERE outcome <> 'SUCCESS';
CREATE INDEX audit_record_accession ON audit_record (accession_number, occurred_at, id) WHERE accession_number IS NOT NULL;

-- Words of a row, for free text; numbers and identifiers stay whole.
CREATE FUNCTION audit_words(actor_name text, action text, peer text, reason text, destination text, patient_id text,
                            accession_number text, detail jsonb)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', concat_ws(' ', actor_name, action, peer, reason, destination, patient_id,
                                           accession_number))
           || jsonb_to_tsvector('simple', detail, '["string", "numeric", "key"]')
$$;
CREATE INDEX audit_record_words ON audit_record USING gin
    (audit_words(actor_name, action, peer, reason, destination, patient_id, accession_number, detail));

-- Everything, sealed or not.
CREATE VIEW audit_event AS
SELECT id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name, actor_roles, credential, peer, door,
       action, outcome, reason, study_instance_uid, patient_id, issuer_of_patient_id, accession_number, destination,
       detail, chain, seq
FROM audit_record
UNION ALL
SELECT id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name, actor_roles, credential, peer, door,
       action, outcome, reason, study_instance_uid, patient_id, issuer_of_patient_id, accession_number, destination,
       detail, NULL, NULL
FROM audit_pending;

CREATE TABLE audit_chain (
    chain  text PRIMARY KEY,
    seq    bigint NOT NULL,
    hash   bytea NOT NULL
);
INSERT INTO audit_chain (chain, seq, hash)
SELECT chain, 0, sha256(convert_to('negatoscope audit ' || chain, 'UTF8'))
FROM unnest(ARRAY['access', 'security', 'operation']) AS chain;

-- Up to where a chain was purged: from here it is verified.
CREATE TABLE audit_checkpoint (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain         text NOT NULL,
    seq           bigint NOT NULL,
    hash          bytea NOT NULL,
    record_count  bigint NOT NULL,
    purged_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain, seq)
);

-- Where the chains ended at a time; written to files and sent away too.
CREATE TABLE audit_anchor (
    number    bigint PRIMARY KEY,
    made_at   timestamptz NOT NULL,
    heads     jsonb NOT NULL,       -- chain: [seq, hash as hexadecimal]
    hash      bytea NOT NULL        -- sha256(hash of number - 1 || canonical form)
);

CREATE TABLE audit_verification (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    requested_at  timestamptz NOT NULL DEFAULT now(),
    requested_by  text NOT NULL,
    started_at    timestamptz,
    ended_at      timestamptz,
    record_count  bigint,
    findings      jsonb             -- empty: nothing was found
);
CREATE INDEX audit_verification_open ON audit_verification (id) WHERE ended_at IS NULL;

-- Audit repositories: up to which position each was told.
CREATE TABLE audit_sink (
    name             text PRIMARY KEY,
    position         bigint NOT NULL DEFAULT 0,
    sent_count       bigint NOT NULL DEFAULT 0,
    last_sent_at     timestamptz,
    attempt_count    integer NOT NULL DEFAULT 0,     -- failed attempts in a row
    failed_since     timestamptz,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    last_error       text
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- A waiting row may count further like events; nothing else of it changes.
CREATE FUNCTION audit_pending_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.event_count < OLD.event_count OR NEW.last_at < OLD.last_at
       OR to_jsonb(NEW) - 'event_count' - 'last_at' IS DISTINCT FROM to_jsonb(OLD) - 'event_count' - 'last_at' THEN
        RAISE EXCEPTION 'the audit trail is append-only: change of a waiting row refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- A waiting row goes when it is sealed, not otherwise.
CREATE FUNCTION audit_pending_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_record WHERE id = OLD.id) THEN
        RAISE EXCEPTION 'the audit trail is append-only: removal of a waiting row refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

-- A sealed row goes when a checkpoint stands for it, not otherwise.
CREATE FUNCTION audit_record_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_checkpoint WHERE chain = OLD.chain AND seq >= OLD.seq) THEN
        RAISE EXCEPTION 'the audit trail is append-only: removal of a sealed row refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER audit_pending_update BEFORE UPDATE ON audit_pending
    FOR EACH ROW EXECUTE FUNCTION audit_pending_update();
CREATE TRIGGER audit_pending_delete BEFORE DELETE ON audit_pending
    FOR EACH ROW EXECUTE FUNCTION audit_pending_delete();
CREATE TRIGGER audit_pending_truncate BEFORE TRUNCATE ON audit_pending EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_record_update BEFORE UPDATE ON audit_record FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_record_delete BEFORE DELETE ON audit_record
    FOR EACH ROW EXECUTE FUNCTION audit_record_delete();
CREATE TRIGGER audit_record_truncate BEFORE TRUNCATE ON audit_record EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoint_change BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoint_truncate BEFORE TRUNCATE ON audit_checkpoint EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_change BEFORE UPDATE OR DELETE ON audit_anchor
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_truncate BEFORE TRUNCATE ON audit_anchor EXECUTE FUNCTION audit_refuse();
"""

DOWNGRADE = """
DROP VIEW audit_event;
ALTER TABLE audit_pending DISABLE TRIGGER USER;
ALTER TABLE audit_pending
    DROP COLUMN event_class, DROP COLUMN actor_roles, DROP COLUMN credential, DROP COLUMN door,
    DROP COLUMN issuer_of_patient_id, DROP COLUMN accession_number, DROP COLUMN reason, DROP COLUMN destination;
INSERT INTO audit_pending (id, occurred_at, last_at, event_count, actor_kind, actor_name, peer, action, outcome,
                           study_instance_uid, patient_id, detail)
OVERRIDING SYSTEM VALUE
SELECT id, occurred_at, last_at, event_count, actor_kind, actor_name, peer, action, outcome, study_instance_uid,
       patient_id, detail
FROM audit_record;
DROP TABLE audit_sink, audit_verification, audit_anchor, audit_checkpoint, audit_chain, audit_record;
DROP FUNCTION audit_words(text, text, text, text, text, text, text, jsonb);
DROP TRIGGER audit_pending_update ON audit_pending;
DROP TRIGGER audit_pending_delete ON audit_pending;
DROP TRIGGER audit_pending_truncate ON audit_pending;
DROP FUNCTION audit_refuse(), audit_pending_update(), audit_pending_delete(), audit_record_delete();
ALTER TABLE audit_pending RENAME TO audit_event;
ALTER TABLE audit_event
    ADD CONSTRAINT audit_event_actor_kind_check CHECK (actor_kind IN ('user', 'ae', 'system', 'anonymous')) NOT VALID,
    ADD CONSTRAINT audit_event_outcome_check CHECK (outcome IN ('SUCCESS', 'REFUSED', 'FAILED'));
CREATE INDEX audit_event_time ON audit_event (occurred_at);
CREATE INDEX audit_event_study ON audit_event (study_instance_uid, occurred_at)
    WHERE study_instance_uid IS NOT NULL;
CREATE INDEX audit_event_actor ON audit_event (actor_name, occurred_at);
"""


def upgrade() -> None:
    """Create the chain; what was recorded before waits to be sealed."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """One plain table again; rows stay, the chain is gone."""
    op.execute(DOWNGRADE)
