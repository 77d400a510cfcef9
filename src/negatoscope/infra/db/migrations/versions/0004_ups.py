"""Unified procedure steps: workitems, who subscribed to them, and what is still to be told."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE ups_workitem (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sop_instance_uid text NOT NULL UNIQUE,
    state            text NOT NULL DEFAULT 'SCHEDULED'
                     CHECK (state IN ('SCHEDULED', 'IN PROGRESS', 'CANCELED', 'COMPLETED')),
    transaction_uid  text,                            -- the lock of whoever performs it; never told to anybody
    attributes       jsonb NOT NULL,                  -- the data set, DICOM JSON, state included
    created_at       timestamptz NOT NULL DEFAULT now(),
    finished_at      timestamptz,                     -- when it became CANCELED or COMPLETED
    CHECK ((state = 'SCHEDULED') = (transaction_uid IS NULL)),
    CHECK ((state IN ('CANCELED', 'COMPLETED')) = (finished_at IS NOT NULL))
);
CREATE INDEX ups_workitem_attributes ON ups_workitem USING gin (attributes jsonb_path_ops);
CREATE INDEX ups_workitem_finished ON ups_workitem (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE ups_subscriber (
    ae_title         text PRIMARY KEY,
    transport        text NOT NULL CHECK (transport IN ('DIMSE', 'HTTP')),  -- by which it subscribed last
    told_event_id    bigint NOT NULL DEFAULT 0,       -- HTTP: the last event an open channel was given
    attempt_count    integer NOT NULL DEFAULT 0,      -- DIMSE: failed attempts in a row
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),  -- DIMSE: in the future while somebody delivers
    last_error       text
);

CREATE TABLE ups_global_subscription (
    ae_title         text NOT NULL REFERENCES ups_subscriber ON DELETE CASCADE,
    is_filtered      boolean NOT NULL,
    deletion_lock    boolean NOT NULL,
    filter           jsonb NOT NULL DEFAULT '{}',     -- matching keys, DICOM JSON
    PRIMARY KEY (ae_title, is_filtered)
);

CREATE TABLE ups_subscription (
    workitem_fk      bigint NOT NULL REFERENCES ups_workitem ON DELETE CASCADE,
    ae_title         text NOT NULL REFERENCES ups_subscriber ON DELETE CASCADE,
    deletion_lock    boolean NOT NULL,
    PRIMARY KEY (workitem_fk, ae_title)
);
CREATE INDEX ups_subscription_ae ON ups_subscription (ae_title);

CREATE TABLE ups_event (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- rises in the order of commits
    ae_title         text NOT NULL REFERENCES ups_subscriber ON DELETE CASCADE,
    sop_instance_uid text NOT NULL,
    event_type_id    smallint NOT NULL CHECK (event_type_id BETWEEN 1 AND 5),
    information      jsonb NOT NULL,
    attempt_count    integer NOT NULL DEFAULT 0,      -- times the subscriber refused it
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ups_event_ae ON ups_event (ae_title, id);
"""

DOWNGRADE = """
DROP TABLE ups_event, ups_subscription, ups_global_subscription, ups_subscriber, ups_workitem;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
