"""Accounts, tokens, devices, the audit trail; delivery of the outbox; the job queue."""

from importlib import resources

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE user_account (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL,
    display_name     text NOT NULL DEFAULT '',
    password_hash    text,                  -- argon2id; NULL: signs in with tokens only
    is_active        boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at  timestamptz
);
CREATE UNIQUE INDEX user_account_name ON user_account (lower(name));

CREATE TABLE user_role (
    user_fk  bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    role     text NOT NULL CHECK (role IN ('administrator', 'radiologist', 'technologist', 'secretary',
                                           'clinician', 'physicist', 'partner', 'patient')),
    PRIMARY KEY (user_fk, role)
);

CREATE TABLE api_token (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_fk       bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    sha256        bytea NOT NULL UNIQUE,    -- of the token; the token itself is nowhere
    description   text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    last_used_at  timestamptz               -- to the minute
);
CREATE INDEX api_token_user ON api_token (user_fk);

-- Lets the first administrator be made, once, while there is no account.
CREATE TABLE setup_link (
    sha256      bytea PRIMARY KEY,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

CREATE TABLE application_entity (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ae_title     text NOT NULL UNIQUE CHECK (ae_title <> '' AND length(ae_title) <= 16),
    host         text NOT NULL,
    port         integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    roles        text[] NOT NULL DEFAULT '{}',
    tls          boolean NOT NULL DEFAULT false,
    description  text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Who did what to which study. Reads and deliveries of one minute share a row (coalesce_key).
CREATE TABLE audit_event (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at         timestamptz NOT NULL DEFAULT now(),
    last_at             timestamptz NOT NULL DEFAULT now(),
    event_count         bigint NOT NULL DEFAULT 1,
    actor_kind          text NOT NULL CHECK (actor_kind IN ('user', 'ae', 'system', 'anonymous')),
    actor_name          text NOT NULL,
    peer                text,
    action              text NOT NULL,
    outcome             text NOT NULL CHECK (outcome IN ('SUCCESS', 'REFUSED', 'FAILED')),
    study_instance_uid  text,
    patient_id          text,
    detail              jsonb NOT NULL DEFAULT '{}',
    coalesce_key        text UNIQUE
);
CREATE INDEX audit_event_time ON audit_event (occurred_at);
CREATE INDEX audit_event_study ON audit_event (study_instance_uid, occurred_at)
    WHERE study_instance_uid IS NOT NULL;
CREATE INDEX audit_event_actor ON audit_event (actor_name, occurred_at);

-- Delivery: tried again later after a failure, parked (with a task) after too many.
ALTER TABLE outbox
    ADD COLUMN attempts    smallint NOT NULL DEFAULT 0,
    ADD COLUMN not_before  timestamptz,
    ADD COLUMN parked_at   timestamptz,
    ADD COLUMN last_error  text;
CREATE INDEX outbox_pending ON outbox (id) WHERE parked_at IS NULL;
"""

DOWNGRADE = """
DROP INDEX outbox_pending;
ALTER TABLE outbox DROP COLUMN attempts, DROP COLUMN not_before, DROP COLUMN parked_at, DROP COLUMN last_error;
DROP TABLE audit_event, application_entity, setup_link, api_token, user_role, user_account;

DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE
    routine record;
BEGIN
    FOR routine IN SELECT oid::regprocedure AS signature FROM pg_proc WHERE proname LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', routine.signature);
    END LOOP;
END
$$;
DROP TYPE procrastinate_job_status, procrastinate_job_event_type, procrastinate_job_to_defer_v1;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)
    queue = resources.files("negatoscope.infra.jobs.sql").joinpath("procrastinate_3_10.sql")
    op.execute(queue.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop them; accounts, the trail and waiting jobs are gone."""
    op.execute(DOWNGRADE)
