"""Addresses of other applications that a patient or an examination is opened with."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE call_template (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label       text NOT NULL UNIQUE CHECK (label <> ''),
    place       text NOT NULL CHECK (place IN ('PATIENT', 'STUDY')),
    template    text NOT NULL CHECK (template ~ '^https?://'),
    is_active   boolean NOT NULL DEFAULT true,
    version     integer NOT NULL DEFAULT 1
);
"""

DOWNGRADE = """
DROP TABLE call_template;
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
