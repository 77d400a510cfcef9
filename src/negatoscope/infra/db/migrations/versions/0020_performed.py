"""Performed steps somebody should look at, their forwarding, and images that arrive, told now and then."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE = """
-- What is wrong with it: UNSCHEDULED, STEP UNKNOWN, ...: domain/performed/mpps.py.
ALTER TABLE performed_procedure_step
    ADD COLUMN flags     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN seen_at   timestamptz,                  -- when a person said that nothing is left to do
    ADD COLUMN seen_by   text NOT NULL DEFAULT '',
    ADD COLUMN version   integer NOT NULL DEFAULT 1;
CREATE INDEX performed_step_flagged ON performed_procedure_step (id) WHERE flags <> '{}' AND seen_at IS NULL;

-- Performed steps on their way to other systems, in their order for each.
CREATE TABLE performed_forwarding (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ae_title          text NOT NULL,                   -- to whom
    sop_instance_uid  text NOT NULL,
    command           text NOT NULL CHECK (command IN ('N-CREATE', 'N-SET')),
    data_set          jsonb NOT NULL,                  -- DICOM JSON Model, as it came
    created_at        timestamptz NOT NULL DEFAULT now(),
    attempts          integer NOT NULL DEFAULT 0,
    not_before        timestamptz NOT NULL DEFAULT now(),
    last_error        text NOT NULL DEFAULT '',
    refused_at        timestamptz                      -- the receiver said no, or time is over: not tried again
);
CREATE INDEX performed_forwarding_waiting ON performed_forwarding (ae_title, id) WHERE refused_at IS NULL;

-- Counts of images are told now and then, not with every image.
ALTER TABLE study_binding
    ADD COLUMN is_told    boolean NOT NULL DEFAULT true,
    ADD COLUMN told_at    timestamptz,
    ADD COLUMN told_event bigint;
CREATE INDEX study_binding_untold ON study_binding (told_at) WHERE NOT is_told;
"""

DOWNGRADE = """
DROP INDEX study_binding_untold;
ALTER TABLE study_binding DROP COLUMN is_told, DROP COLUMN told_at, DROP COLUMN told_event;
DROP TABLE performed_forwarding;
DROP INDEX performed_step_flagged;
ALTER TABLE performed_procedure_step DROP COLUMN flags, DROP COLUMN seen_at, DROP COLUMN seen_by, DROP COLUMN version;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; what still waits to be forwarded is lost."""
    op.execute(DOWNGRADE)
