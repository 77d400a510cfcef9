"""Who gave an appointment its number: two systems that book count from one, both of them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE appointment ADD COLUMN placer_issuer text NOT NULL DEFAULT '';   -- SCH-1.2
DROP INDEX appointment_placer;
CREATE UNIQUE INDEX appointment_placer ON appointment (placer_appointment_id, placer_issuer)
    WHERE placer_appointment_id <> '';
"""

DOWNGRADE = """
DROP INDEX appointment_placer;
CREATE UNIQUE INDEX appointment_placer ON appointment (placer_appointment_id) WHERE placer_appointment_id <> '';
ALTER TABLE appointment DROP COLUMN placer_issuer;
"""


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
