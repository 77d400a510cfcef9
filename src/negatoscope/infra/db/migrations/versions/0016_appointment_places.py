"""Where and when each step of an appointment takes place, and appointments made elsewhere by their number."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UPGRADE = """
-- The place of a step within its appointment; NULL on the waiting list. What is booked is in `booking`.
ALTER TABLE appointment_step
    ADD COLUMN start_at  timestamptz,
    ADD COLUMN end_at    timestamptz,
    ADD COLUMN room_fk   bigint REFERENCES resource,
    ADD COLUMN device_fk bigint REFERENCES resource,
    ADD COLUMN staff     bigint[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT appointment_step_place CHECK ((start_at IS NULL) = (end_at IS NULL) AND end_at > start_at);
CREATE UNIQUE INDEX appointment_placer ON appointment (placer_appointment_id) WHERE placer_appointment_id <> '';
"""

DOWNGRADE = """
DROP INDEX appointment_placer;
ALTER TABLE appointment_step
    DROP CONSTRAINT appointment_step_place,
    DROP COLUMN start_at, DROP COLUMN end_at, DROP COLUMN room_fk, DROP COLUMN device_fk, DROP COLUMN staff;
"""


def upgrade() -> None:
    """Add the columns."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
