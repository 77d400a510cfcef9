"""HL7 messages that were sent about an order are found by it."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE INDEX outbound_message_request ON outbound_message (request_fk, id) WHERE request_fk IS NOT NULL;
"""

DOWNGRADE = """
DROP INDEX outbound_message_request;
"""


def upgrade() -> None:
    """Create the index."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
