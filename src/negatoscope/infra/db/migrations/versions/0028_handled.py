"""An event that a subscriber could not take remembers who has had it."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE outbox
    ADD COLUMN handled text[] NOT NULL DEFAULT '{}';  -- subscribers that have taken it, after one has failed
"""

DOWNGRADE = """
ALTER TABLE outbox DROP COLUMN handled;
"""


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
