"""Orders: alerts as given beside those shown, values of safety answers, steps of one acquisition."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
-- medical_alerts is what a worklist shows: these, then what safety answers say.
ALTER TABLE imaging_service_request ADD COLUMN medical_alerts_given text NOT NULL DEFAULT '';
UPDATE imaging_service_request SET medical_alerts_given = medical_alerts WHERE medical_alerts <> '';

-- Of RENAL_FUNCTION: eGFR, mL/min/1.73 m2.
ALTER TABLE safety_answer ADD COLUMN value numeric(6, 1);

-- Group case: the first step of those that one acquisition fulfils; they change their state together.
ALTER TABLE scheduled_procedure_step ADD COLUMN acquired_with bigint REFERENCES scheduled_procedure_step;
CREATE INDEX scheduled_step_group ON scheduled_procedure_step (acquired_with) WHERE acquired_with IS NOT NULL;

-- The radiologist's list.
CREATE INDEX requested_procedure_vetting ON requested_procedure (request_fk) WHERE vetting = 'WAITING';
"""

DOWNGRADE = """
DROP INDEX requested_procedure_vetting;
ALTER TABLE scheduled_procedure_step DROP COLUMN acquired_with;
ALTER TABLE safety_answer DROP COLUMN value;
UPDATE imaging_service_request SET medical_alerts = medical_alerts_given;
ALTER TABLE imaging_service_request DROP COLUMN medical_alerts_given;
"""


def upgrade() -> None:
    """Add the columns."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; alerts are as they were given again."""
    op.execute(DOWNGRADE)
