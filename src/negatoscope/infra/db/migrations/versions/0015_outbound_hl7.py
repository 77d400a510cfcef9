"""HL7 messages to other systems: where they go, what waits, what was answered."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE hl7_destination (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                text NOT NULL UNIQUE CHECK (name <> ''),
    host                text NOT NULL CHECK (host <> ''),
    port                integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls                 boolean NOT NULL DEFAULT false,
    check_host          boolean NOT NULL DEFAULT true,   -- the certificate must name the host
    sending_application text NOT NULL,                   -- MSH-3
    sending_facility    text NOT NULL,                   -- MSH-4
    receiving_application text NOT NULL,                 -- MSH-5
    receiving_facility  text NOT NULL,                   -- MSH-6
    character_set       text NOT NULL,                   -- MSH-18
    order_profile       text NOT NULL CHECK (order_profile IN ('OMI^O23', 'ORM^O01')),
    adt_profile         text NOT NULL CHECK (adt_profile IN ('PAM-FR', 'INTERNATIONAL')),
    kinds               text[] NOT NULL,                 -- domain/messages/destinations.py
    modalities          text[] NOT NULL DEFAULT '{}',    -- filters; empty: all
    requesting_services text[] NOT NULL DEFAULT '{}',
    authorities         text[] NOT NULL DEFAULT '{}',    -- a patient has an identifier of one of them
    patient_classes     text[] NOT NULL DEFAULT '{}',    -- PV1-2
    actions             text[] NOT NULL DEFAULT '{}',    -- NW, XO, S12, A40 ...
    acknowledgment_mode text NOT NULL CHECK (acknowledgment_mode IN ('ORIGINAL', 'ENHANCED')),
    connect_timeout_s   double precision NOT NULL CHECK (connect_timeout_s > 0),
    answer_timeout_s    double precision NOT NULL CHECK (answer_timeout_s > 0),
    holds_after_refusal boolean NOT NULL DEFAULT false,  -- later messages of that patient wait for a person
    is_active           boolean NOT NULL DEFAULT true,   -- not: nothing is queued for it
    is_paused           boolean NOT NULL DEFAULT false,  -- queued, not sent
    version             integer NOT NULL DEFAULT 1,
    -- what the sender says of its connection
    seen_at             timestamptz,                     -- the sender was alive
    connected_at        timestamptz,                     -- NULL: not connected
    last_error          text NOT NULL DEFAULT '',
    last_error_at       timestamptz,
    next_attempt_at     timestamptz
);

CREATE TABLE outbound_message (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- the order in which they go
    destination_fk      bigint NOT NULL REFERENCES hl7_destination ON DELETE CASCADE,
    created_at          timestamptz NOT NULL DEFAULT now(),
    origin              text NOT NULL,                   -- what it was made of: the same is made once
    kind                text NOT NULL,
    action              text NOT NULL DEFAULT '',        -- ORC-1 and ORC-5, or the trigger event
    subject             text NOT NULL DEFAULT '',        -- procedure:7, appointment:3, patient:5
    order_keys          text[] NOT NULL DEFAULT '{}',    -- messages with one in common keep their order
    patient_fk          bigint,                          -- for links; the rows may go
    request_fk          bigint,
    appointment_fk      bigint,
    message_code        text NOT NULL,
    trigger_event       text NOT NULL DEFAULT '',
    control_id          text NOT NULL,                   -- MSH-10
    version_id          text NOT NULL DEFAULT '',
    patient_identifiers text[] NOT NULL DEFAULT '{}',
    content             bytea NOT NULL,
    state               text NOT NULL DEFAULT 'WAITING'
                        CHECK (state IN ('WAITING', 'ACKNOWLEDGED', 'REFUSED', 'GIVEN UP')),
    attempt_count       integer NOT NULL DEFAULT 0,
    not_before          timestamptz NOT NULL DEFAULT now(),
    last_sent_at        timestamptz,
    last_error          text NOT NULL DEFAULT '',
    acknowledgment_code text NOT NULL DEFAULT '',        -- MSA-1
    error_code          text NOT NULL DEFAULT '',        -- ERR-3
    reason              text NOT NULL DEFAULT '',        -- what the other side said
    answer              bytea,
    finished_at         timestamptz,
    UNIQUE (destination_fk, origin),
    CHECK ((state = 'WAITING') = (finished_at IS NULL))
);
CREATE INDEX outbound_message_waiting ON outbound_message (destination_fk, id) WHERE state = 'WAITING';
CREATE INDEX outbound_message_refused ON outbound_message (destination_fk, id) WHERE state = 'REFUSED';
CREATE INDEX outbound_message_subject ON outbound_message (destination_fk, subject, id) WHERE subject <> '';
CREATE INDEX outbound_message_finished ON outbound_message (destination_fk, finished_at) WHERE state = 'ACKNOWLEDGED';
CREATE INDEX outbound_message_created ON outbound_message (created_at, id);
CREATE INDEX outbound_message_patient ON outbound_message USING gin (patient_identifiers);
"""

DOWNGRADE = """
DROP TABLE outbound_message, hl7_destination;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them, with what waits."""
    op.execute(DOWNGRADE)
