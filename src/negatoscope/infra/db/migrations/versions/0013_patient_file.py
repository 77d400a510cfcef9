"""Patients typed here: numbers of our own, more traits, a version; what the one search box needs."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SEQUENCE own_patient_number_seq;
ALTER TABLE registered_patient
    ADD COLUMN lunar_birth_date text NOT NULL DEFAULT '',     -- ZFD-1, as written
    ADD COLUMN birth_place_name text NOT NULL DEFAULT '',
    ADD COLUMN address          text NOT NULL DEFAULT '',
    ADD COLUMN telephone        text NOT NULL DEFAULT '',
    ADD COLUMN version          integer NOT NULL DEFAULT 1;
-- Beginnings of identifiers and of birth dates are looked for while somebody types.
CREATE INDEX registered_identifier_typed ON registered_identifier (value COLLATE "C") WHERE until IS NULL;
CREATE INDEX registered_patient_born ON registered_patient (birth_date COLLATE "C") WHERE birth_date <> '';
"""

DOWNGRADE = """
DROP INDEX registered_identifier_typed, registered_patient_born;
ALTER TABLE registered_patient DROP COLUMN lunar_birth_date, DROP COLUMN birth_place_name, DROP COLUMN address,
    DROP COLUMN telephone, DROP COLUMN version;
DROP SEQUENCE own_patient_number_seq;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: numbers given by us stay with their patients."""
    op.execute(DOWNGRADE)
