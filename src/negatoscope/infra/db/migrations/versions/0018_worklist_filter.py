"""What a device's worklist shows."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UPGRADE = """
-- Of a DEVICE; keys shows, modalities, days_before, days_after: domain/scheduling/resources.py.
ALTER TABLE resource ADD COLUMN worklist_filter jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(worklist_filter) = 'object');
"""

DOWNGRADE = """
ALTER TABLE resource DROP COLUMN worklist_filter;
"""


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
