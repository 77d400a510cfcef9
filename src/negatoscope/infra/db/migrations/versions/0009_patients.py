"""Patients as the admission office knows them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = """
-- Who gives identifiers. Compared by universal_id where both sides have one, else by namespace.
CREATE TABLE assigning_authority (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace         text NOT NULL DEFAULT '',
    universal_id      text NOT NULL DEFAULT '',
    universal_id_type text NOT NULL DEFAULT '',
    CHECK (namespace <> '' OR universal_id <> '')
);
CREATE UNIQUE INDEX assigning_authority_universal ON assigning_authority (universal_id) WHERE universal_id <> '';
CREATE UNIQUE INDEX assigning_authority_namespace ON assigning_authority (namespace) WHERE universal_id = '';
CREATE INDEX assigning_authority_name ON assigning_authority (namespace) WHERE namespace <> '';

CREATE TABLE registered_patient (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    birth_family_name text NOT NULL DEFAULT '',
    birth_given_name  text NOT NULL DEFAULT '',
    birth_further     text NOT NULL DEFAULT '',      -- all given names of the birth certificate
    used_family_name  text NOT NULL DEFAULT '',
    used_given_name   text NOT NULL DEFAULT '',
    name_folded       text NOT NULL DEFAULT '',      -- every name, kit.text.fold, for searching
    birth_date        text NOT NULL DEFAULT '',      -- YYYY[MM[DD]], parts may be unknown or lunar
    sex               text NOT NULL DEFAULT '',
    birth_place_code  text NOT NULL DEFAULT '',
    identity_status   text NOT NULL DEFAULT '',      -- PID-32: VALI, PROV
    identity_attributes text[] NOT NULL DEFAULT '{}', -- PID-32: HOMA, DOUT, FICT
    died_at           text NOT NULL DEFAULT '',
    is_deceased       boolean NOT NULL DEFAULT false,
    merged_into       bigint REFERENCES registered_patient,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (merged_into <> id)
);
CREATE INDEX registered_patient_name ON registered_patient USING gin (name_folded gin_trgm_ops);
CREATE INDEX registered_patient_birth ON registered_patient (birth_date) WHERE birth_date <> '';
CREATE INDEX registered_patient_merged ON registered_patient (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE registered_identifier (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk        bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    authority_fk      bigint NOT NULL REFERENCES assigning_authority,
    value             text NOT NULL,
    type_code         text NOT NULL DEFAULT '',
    since             timestamptz NOT NULL DEFAULT now(),
    until             timestamptz                     -- NULL: in force
);
CREATE UNIQUE INDEX registered_identifier_in_force ON registered_identifier (value, authority_fk) WHERE until IS NULL;
CREATE INDEX registered_identifier_patient ON registered_identifier (patient_fk);

CREATE TABLE patient_change (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk        bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    other_patient_fk  bigint REFERENCES registered_patient ON DELETE CASCADE,
    at                timestamptz NOT NULL DEFAULT now(),
    kind              text NOT NULL,
    before            jsonb NOT NULL DEFAULT '{}',
    after             jsonb NOT NULL DEFAULT '{}',
    source            text NOT NULL                   -- hl7:<message> or user:<name>
);
CREATE INDEX patient_change_patient ON patient_change (patient_fk, id);
"""

DOWNGRADE = """
DROP TABLE patient_change, registered_identifier, registered_patient, assigning_authority;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
