"""The character set of a peer that asks for none."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE application_entity
    ADD COLUMN character_set text NOT NULL DEFAULT '';  -- of worklist answers when it names none: ISO_IR 100; empty: ISO_IR 192
"""

DOWNGRADE = """
ALTER TABLE application_entity DROP COLUMN character_set;
"""


def upgrade() -> None:
    """Add the column."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
