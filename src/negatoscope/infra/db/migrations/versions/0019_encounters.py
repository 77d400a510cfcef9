"""Hospital units, encounters with their movements, and what messages said of them."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE = """
-- The hospital's structure: units (UF) as they were called and when. A code has one label on a day.
CREATE TABLE hospital_unit (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code              text NOT NULL CHECK (code <> ''),
    label             text NOT NULL CHECK (label <> ''),
    kind              text NOT NULL DEFAULT '',          -- as the hospital says: HOSPITALISATION, CONSULTATION, ...
    parent_code       text NOT NULL DEFAULT '',          -- the service or pole it belongs to
    valid_from        date,
    valid_until       date,                              -- the last day
    source            text NOT NULL,                     -- user:<name>, hl7:<message>
    changed_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from),
    CONSTRAINT hospital_unit_once EXCLUDE USING gist (code WITH =, daterange(valid_from, valid_until, '[]') WITH &&)
);

CREATE TABLE encounter (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_fk        bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    visit_number      text NOT NULL CHECK (visit_number <> ''),     -- PV1-19, else the account
    authority_fk      bigint NOT NULL REFERENCES assigning_authority,
    account_number    text NOT NULL DEFAULT '',          -- PID-18
    account_authority_fk bigint REFERENCES assigning_authority,
    patient_class     text NOT NULL DEFAULT '',          -- PV1-2: E, I, O, R, ...
    state             text NOT NULL CHECK (state IN
                      ('PREADMITTED', 'ADMITTED', 'ON LEAVE', 'DISCHARGED', 'CANCELLED', 'UNKNOWN')),
    admitted_at       timestamptz,
    discharged_at     timestamptz,
    expected_at       timestamptz,
    lodging_unit      text NOT NULL DEFAULT '',          -- codes of units (UF)
    medical_unit      text NOT NULL DEFAULT '',
    care_unit         text NOT NULL DEFAULT '',
    room              text NOT NULL DEFAULT '',
    bed               text NOT NULL DEFAULT '',
    attending_doctor  text NOT NULL DEFAULT '',          -- PN
    updated_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (visit_number, authority_fk)
);
CREATE INDEX encounter_patient ON encounter (patient_fk, id);
CREATE INDEX encounter_account ON encounter (account_number, account_authority_fk) WHERE account_number <> '';

-- A movement as of now; folded from the statements.
CREATE TABLE movement (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    encounter_fk      bigint NOT NULL REFERENCES encounter ON DELETE CASCADE,
    key               text NOT NULL,
    movement_number   text NOT NULL DEFAULT '',          -- ZBE-1 with its authority
    event             text NOT NULL,                     -- A01, A02, ...
    nature            text NOT NULL DEFAULT '',          -- ZBE-9
    happened_at       timestamptz NOT NULL,              -- ZBE-2
    lodging_unit      text NOT NULL DEFAULT '',
    medical_unit      text NOT NULL DEFAULT '',
    care_unit         text NOT NULL DEFAULT '',
    room              text NOT NULL DEFAULT '',
    bed               text NOT NULL DEFAULT '',
    is_historic       boolean NOT NULL DEFAULT false,    -- ZBE-5
    is_cancelled      boolean NOT NULL DEFAULT false,
    UNIQUE (encounter_fk, key)
);

-- What messages said of an encounter: kept, so that their order of arrival does not matter.
CREATE TABLE encounter_statement (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    encounter_fk      bigint NOT NULL REFERENCES encounter ON DELETE CASCADE,
    sender            text NOT NULL,
    control_id        text NOT NULL,                     -- MSH-10
    said_at           timestamptz NOT NULL,              -- EVN-2, else MSH-7
    action            text NOT NULL CHECK (action IN ('TELL', 'INSERT', 'UPDATE', 'CANCEL')),
    event             text NOT NULL,
    movement_number   text NOT NULL DEFAULT '',
    happened_at       timestamptz NOT NULL,
    facts             jsonb NOT NULL DEFAULT '{}',
    source            text NOT NULL,                     -- hl7:<message>
    UNIQUE (encounter_fk, sender, control_id, action, movement_number)
);

-- Accounts that were moved to another patient (A44), also ones that no encounter had yet.
CREATE TABLE account_holder (
    account_number    text NOT NULL,
    authority_fk      bigint NOT NULL REFERENCES assigning_authority,
    patient_fk        bigint NOT NULL REFERENCES registered_patient ON DELETE CASCADE,
    said_at           timestamptz NOT NULL,
    source            text NOT NULL,
    PRIMARY KEY (account_number, authority_fk)
);
"""

DOWNGRADE = """
DROP TABLE account_holder, encounter_statement, movement, encounter, hospital_unit;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: stays and the hospital's structure are lost."""
    op.execute(DOWNGRADE)
