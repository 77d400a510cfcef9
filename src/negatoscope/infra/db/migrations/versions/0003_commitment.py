"""Storage commitment: what was asked of us and by us, and what was answered."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE storage_commitment (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role             text NOT NULL CHECK (role IN ('SCP', 'SCU')),  -- ours: SCP was asked, SCU asks
    ae_title         text NOT NULL,                   -- the other side
    transaction_uid  text NOT NULL,
    is_duplicate     boolean NOT NULL DEFAULT false,  -- the transaction UID is in use for other objects: all fail (0131)
    requested_at     timestamptz NOT NULL DEFAULT now(),
    answered_at      timestamptz,                     -- the outcome of every item is known
    delivered_at     timestamptz,                     -- the other side confirmed: SCP the report, SCU the request
    given_up_at      timestamptz,                     -- not tried any more; a task says so
    attempt_count    integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),  -- in the future while somebody works on it
    last_error       text
);
CREATE UNIQUE INDEX storage_commitment_transaction ON storage_commitment (role, ae_title, transaction_uid)
    WHERE NOT is_duplicate;
CREATE INDEX storage_commitment_due ON storage_commitment (next_attempt_at)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;

CREATE TABLE storage_commitment_item (
    commitment_fk    bigint NOT NULL REFERENCES storage_commitment ON DELETE CASCADE,
    sop_instance_uid text NOT NULL,
    sop_class_uid    text NOT NULL,
    outcome          text CHECK (outcome IN ('COMMITTED', 'FAILED')),
    failure_reason   integer,                         -- (0008,1197) when FAILED
    PRIMARY KEY (commitment_fk, sop_instance_uid)
);
"""

DOWNGRADE = """
DROP TABLE storage_commitment_item, storage_commitment;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
