"""Studies are granted by the unit in whose care their patients are."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE data_grant DROP CONSTRAINT data_grant_kind_check;
ALTER TABLE data_grant ADD CONSTRAINT data_grant_kind_check CHECK (kind IN ('everything', 'institution', 'issuer',
    'department', 'physician', 'patient', 'unit', 'study'));
CREATE INDEX movement_units ON movement USING gin ((ARRAY[lodging_unit, medical_unit, care_unit])) WHERE NOT is_cancelled;
"""

DOWNGRADE = """
DROP INDEX movement_units;
DELETE FROM data_grant WHERE kind = 'unit';
ALTER TABLE data_grant DROP CONSTRAINT data_grant_kind_check;
ALTER TABLE data_grant ADD CONSTRAINT data_grant_kind_check CHECK (kind IN ('everything', 'institution', 'issuer',
    'department', 'physician', 'patient', 'study'));
"""


def upgrade() -> None:
    """Allow the kind, and find movements by unit."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take it away again."""
    op.execute(DOWNGRADE)
