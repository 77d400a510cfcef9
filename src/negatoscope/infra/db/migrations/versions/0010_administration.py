"""What an administrator sees and changes while everything runs: callers, processes, settings, space."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE application_entity
    ADD COLUMN is_enabled       boolean NOT NULL DEFAULT true,   -- false: refused, and not called
    ADD COLUMN tls_required     boolean NOT NULL DEFAULT false,  -- refused in clear
    ADD COLUMN certificates     text[] NOT NULL DEFAULT '{}',    -- sha256:HEX or subject:DN; empty: any certificate of our authorities
    ADD COLUMN check_host       boolean NOT NULL DEFAULT false,  -- refused from another host than the registered one
    ADD COLUMN max_associations integer CHECK (max_associations > 0),
    ADD COLUMN changed_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN changed_by       text NOT NULL DEFAULT '';

-- Who called, registered or not: one row per calling AE title and host, counted in memory and added at intervals.
CREATE TABLE caller (
    ae_title                    text NOT NULL,
    peer_host                   text NOT NULL,
    accepted_count              bigint NOT NULL DEFAULT 0,
    refused_count               bigint NOT NULL DEFAULT 0,
    first_at                    timestamptz NOT NULL DEFAULT now(),
    last_accepted_at            timestamptz,
    last_refused_at             timestamptz,
    last_refusal                text,
    implementation_class_uid    text,
    implementation_version_name text,
    PRIMARY KEY (ae_title, peer_host)
);

-- What each running process says of itself; worth nothing after a crash, so it is not logged.
CREATE UNLOGGED TABLE process_report (
    node         text NOT NULL,
    pid          integer NOT NULL,
    role         text NOT NULL,
    started_at   timestamptz NOT NULL,
    reported_at  timestamptz NOT NULL DEFAULT now(),
    report       jsonb NOT NULL,
    PRIMARY KEY (node, pid)
);

CREATE TABLE setting_override (
    name        text PRIMARY KEY,
    value       jsonb NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    changed_by  text NOT NULL
);
CREATE TABLE setting_change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    old_value   jsonb,              -- NULL: there was no override
    new_value   jsonb,              -- NULL: the override was taken away
    changed_at  timestamptz NOT NULL DEFAULT now(),
    changed_by  text NOT NULL
);

-- Why a job failed; the queue itself keeps only that it did.
CREATE TABLE job_failure (
    job_id     bigint PRIMARY KEY REFERENCES procrastinate_jobs ON DELETE CASCADE,
    failed_at  timestamptz NOT NULL DEFAULT now(),
    reason     text NOT NULL
);

-- How full volumes were: one row per volume and hour.
CREATE TABLE volume_sample (
    volume        text NOT NULL,
    taken_at      timestamptz NOT NULL DEFAULT now(),
    total_bytes   bigint NOT NULL,
    free_bytes    bigint NOT NULL,
    stored_bytes  bigint NOT NULL,  -- of live segments
    PRIMARY KEY (volume, taken_at)
);
"""

DOWNGRADE = """
DROP TABLE job_failure, volume_sample, setting_change, setting_override, process_report, caller;
ALTER TABLE application_entity
    DROP COLUMN is_enabled, DROP COLUMN tls_required, DROP COLUMN certificates, DROP COLUMN check_host,
    DROP COLUMN max_associations, DROP COLUMN changed_at, DROP COLUMN changed_by;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; entities lose their certificates and limits, changed settings their values."""
    op.execute(DOWNGRADE)
