"""HL7 messages as they arrived, what their sender was told, what came of them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE hl7_message (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- the order in which they have their effect
    stored_at           timestamptz NOT NULL DEFAULT now(),
    peer                text NOT NULL DEFAULT '',     -- address of the sender
    sending_application text NOT NULL DEFAULT '',     -- MSH-3.1
    sending_facility    text NOT NULL DEFAULT '',     -- MSH-4.1
    message_code        text NOT NULL DEFAULT '',     -- MSH-9.1
    trigger_event       text NOT NULL DEFAULT '',     -- MSH-9.2
    control_id          text NOT NULL DEFAULT '',     -- MSH-10
    version_id          text NOT NULL DEFAULT '',     -- MSH-12.1
    patient_identifiers text[] NOT NULL DEFAULT '{}', -- of PID-3 and MRG-1: value, and value^authority
    notes               text[] NOT NULL DEFAULT '{}', -- what had to be forgiven to read it
    content             bytea NOT NULL,
    sha256              bytea NOT NULL,
    is_first            boolean NOT NULL,             -- not: the same MSH-10 came before with other content
    -- what the sender was told
    acknowledgment_code text NOT NULL CHECK (acknowledgment_code IN ('AA', 'AE', 'AR')),
    error_code          text NOT NULL DEFAULT '',     -- HL7 table 0357
    error_segment       text NOT NULL DEFAULT '',
    error_field         integer NOT NULL DEFAULT 0,
    reason              text NOT NULL DEFAULT '',
    -- what came of it
    state               text NOT NULL CHECK (state IN ('PENDING', 'PROCESSED', 'IGNORED', 'FAILED')),
    state_reason        text NOT NULL DEFAULT '',
    effect              jsonb NOT NULL DEFAULT '{}',
    attempt_count       integer NOT NULL DEFAULT 0,
    processed_at        timestamptz,
    CHECK ((state = 'PENDING') = (processed_at IS NULL))
);
CREATE UNIQUE INDEX hl7_message_control ON hl7_message (sending_application, sending_facility, control_id)
    WHERE is_first AND control_id <> '';                 -- a repetition has no second effect
CREATE INDEX hl7_message_pending ON hl7_message (id) WHERE state = 'PENDING';
CREATE INDEX hl7_message_failed ON hl7_message (id) WHERE state = 'FAILED';
CREATE INDEX hl7_message_stored ON hl7_message (stored_at);
CREATE INDEX hl7_message_patient ON hl7_message USING gin (patient_identifiers);
"""

DOWNGRADE = """
DROP TABLE hl7_message;
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
