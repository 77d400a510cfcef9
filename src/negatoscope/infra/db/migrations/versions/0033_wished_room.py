"""Where a radiologist wants a procedure to be done."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

UPGRADE = """
-- A wish: booking elsewhere is not refused.
ALTER TABLE requested_procedure ADD COLUMN wished_room_fk bigint REFERENCES resource ON DELETE SET NULL;
CREATE INDEX requested_procedure_wished_room ON requested_procedure (wished_room_fk) WHERE wished_room_fk IS NOT NULL;
"""

DOWNGRADE = """
ALTER TABLE requested_procedure DROP COLUMN wished_room_fk;
"""


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
