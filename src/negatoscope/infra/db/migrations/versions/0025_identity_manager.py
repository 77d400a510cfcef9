"""A role for who keeps patients' identities right."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE user_role DROP CONSTRAINT user_role_role_check;
ALTER TABLE user_role ADD CONSTRAINT user_role_role_check CHECK (role IN ('administrator', 'radiologist', 'technologist',
    'secretary', 'identity-manager', 'clinician', 'physicist', 'partner', 'patient'));
"""

DOWNGRADE = """
DELETE FROM user_role WHERE role = 'identity-manager';
ALTER TABLE user_role DROP CONSTRAINT user_role_role_check;
ALTER TABLE user_role ADD CONSTRAINT user_role_role_check CHECK (role IN ('administrator', 'radiologist', 'technologist',
    'secretary', 'clinician', 'physicist', 'partner', 'patient'));
"""


def upgrade() -> None:
    """Allow it."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take it away from who has it."""
    op.execute(DOWNGRADE)
