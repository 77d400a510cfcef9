"""Words of the audit trail are found with and without accents, in either case."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FOLDED = """translate(lower({}), 'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ',
                     'aaaaaaceeeeiiiinooooouuuuyaaaaaaceeeeiiiinooooouuuuyy')"""
_TEXT = (
    "concat_ws(' ', actor_name, action, peer, reason, destination, patient_id, accession_number)"
)

UPGRADE = f"""
DROP INDEX audit_record_words;
CREATE OR REPLACE FUNCTION audit_words(actor_name text, action text, peer text, reason text, destination text,
                                       patient_id text, accession_number text, detail jsonb)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', {_FOLDED.format(_TEXT)})
           || jsonb_to_tsvector('simple', {_FOLDED.format("detail::text")}::jsonb, '["string", "numeric", "key"]')
$$;
CREATE INDEX audit_record_words ON audit_record USING gin
    (audit_words(actor_name, action, peer, reason, destination, patient_id, accession_number, detail));
"""

DOWNGRADE = """
DROP INDEX audit_record_words;
CREATE OR REPLACE FUNCTION audit_words(actor_name text, action text, peer text, reason text, destination text,
                                       patient_id text, accession_number text, detail jsonb)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', concat_ws(' ', actor_name, action, peer, reason, destination, patient_id,
                                           accession_number))
           || jsonb_to_tsvector('simple', detail, '["string", "numeric", "key"]')
$$;
CREATE INDEX audit_record_words ON audit_record USING gin
    (audit_words(actor_name, action, peer, reason, destination, patient_id, accession_number, detail));
"""


def upgrade() -> None:
    """Index folded words."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Index words as they are."""
    op.execute(DOWNGRADE)
