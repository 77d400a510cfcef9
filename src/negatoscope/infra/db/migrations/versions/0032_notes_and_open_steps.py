"""Notes on rows of the board; performed steps that a person ended, because the modality did not."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

UPGRADE = """
-- Who ended it in the modality's place; empty: the modality did, or it goes on.
ALTER TABLE performed_procedure_step ADD COLUMN ended_by text NOT NULL DEFAULT '';

-- What somebody tells the others about a step; one that is taken back stays, with who took it back.
CREATE TABLE step_note (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_fk           bigint NOT NULL REFERENCES scheduled_procedure_step ON DELETE CASCADE,
    text              text NOT NULL CHECK (text <> '' AND length(text) <= 300),
    noted_at          timestamptz NOT NULL DEFAULT now(),
    noted_by          text NOT NULL,
    removed_at        timestamptz,
    removed_by        text NOT NULL DEFAULT ''
);
CREATE INDEX step_note_step ON step_note (step_fk) WHERE removed_at IS NULL;
"""

DOWNGRADE = """
DROP TABLE step_note;
ALTER TABLE performed_procedure_step DROP COLUMN ended_by;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take them away again."""
    op.execute(DOWNGRADE)
