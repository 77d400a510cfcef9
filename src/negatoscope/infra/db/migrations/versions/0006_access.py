"""Who gets in and what they see: sessions, second factors, providers, data scopes, links, break-glass."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE user_account
    ADD COLUMN password_changed_at   timestamptz,
    ADD COLUMN must_change_password  boolean NOT NULL DEFAULT false,
    ADD COLUMN is_emergency          boolean NOT NULL DEFAULT false; -- may sign in locally whatever is set of providers

-- A link to one study for somebody without an account.
CREATE TABLE study_link (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256              bytea NOT NULL UNIQUE,      -- of the secret; the secret itself is nowhere
    study_instance_uid  text NOT NULL,
    description         text NOT NULL DEFAULT '',
    pin_hash            text,                       -- argon2id
    max_uses            integer CHECK (max_uses > 0),
    use_count           integer NOT NULL DEFAULT 0,
    failure_count       integer NOT NULL DEFAULT 0, -- wrong PINs; too many end the link
    created_by          text NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz NOT NULL,
    last_used_at        timestamptz,
    revoked_at          timestamptz,
    revoked_by          text
);
CREATE INDEX study_link_study ON study_link (study_instance_uid);

-- Signed in with a browser. The cookie is random; its digest is here.
CREATE TABLE web_session (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256         bytea NOT NULL UNIQUE,
    user_fk        bigint REFERENCES user_account ON DELETE CASCADE,
    link_fk        bigint REFERENCES study_link ON DELETE CASCADE,
    method         text NOT NULL,                  -- password, password and code, provider NAME, set-up link, study link
    issuer         text,                           -- of the provider
    provider_sid   text,                           -- sid of its ID token, for back-channel logout
    id_token       text,                           -- a hint when signing out there
    peer           text NOT NULL DEFAULT '',
    agent          text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    seen_at        timestamptz NOT NULL DEFAULT now(),  -- to the minute
    expires_at     timestamptz NOT NULL,           -- whatever happens
    ended_at       timestamptz,
    ended_because  text,
    CHECK (num_nonnulls(user_fk, link_fk) = 1)
);
CREATE INDEX web_session_user ON web_session (user_fk, ended_at);
CREATE INDEX web_session_link ON web_session (link_fk) WHERE link_fk IS NOT NULL;
CREATE INDEX web_session_provider ON web_session (issuer, provider_sid) WHERE provider_sid IS NOT NULL;

-- Failed sign-ins by account and address, and by address: the wait grows with them.
CREATE TABLE sign_in_failure (
    key            text PRIMARY KEY,
    failure_count  integer NOT NULL,
    last_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_totp (
    user_fk       bigint PRIMARY KEY REFERENCES user_account ON DELETE CASCADE,
    secret        bytea NOT NULL,                  -- sealed with the key of the data directory
    created_at    timestamptz NOT NULL DEFAULT now(),
    confirmed_at  timestamptz,                     -- NULL: not asked for yet
    last_step     bigint NOT NULL DEFAULT 0        -- RFC 6238 §5.2: a code is taken once
);

CREATE TABLE user_recovery_code (
    user_fk  bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    sha256   bytea NOT NULL,
    used_at  timestamptz,
    PRIMARY KEY (user_fk, sha256)
);

-- Who an OpenID Connect provider's subject is here: by issuer and subject alone, never by a name or an address.
CREATE TABLE user_identity (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    user_fk     bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX user_identity_user ON user_identity (user_fk);

-- Sign-ins under way at a provider; each is taken once.
CREATE TABLE oidc_flow (
    state_sha256   bytea PRIMARY KEY,
    provider       text NOT NULL,
    nonce          text NOT NULL,
    code_verifier  text NOT NULL,
    next_path      text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE api_token
    ADD COLUMN kind        text NOT NULL DEFAULT 'personal' CHECK (kind IN ('personal', 'service')),
    ADD COLUMN actions     text[],                 -- NULL: all its account may do
    ADD COLUMN created_by  text NOT NULL DEFAULT '';

-- What an account, a token or an application entity may see: the union of its rows. Without a row: what its roles see.
CREATE TABLE data_grant (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_fk     bigint REFERENCES user_account ON DELETE CASCADE,
    token_fk    bigint REFERENCES api_token ON DELETE CASCADE,
    ae_title    text,
    kind        text NOT NULL CHECK (kind IN ('everything', 'institution', 'issuer', 'department', 'physician',
                                              'patient', 'study')),
    value       text NOT NULL DEFAULT '',          -- institution or department name, issuer, physician, Patient ID, Study Instance UID
    issuer      text NOT NULL DEFAULT '',          -- Issuer of Patient ID, of a patient
    granted_by  text NOT NULL DEFAULT '',
    granted_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    CHECK (num_nonnulls(user_fk, token_fk, ae_title) = 1)
);
CREATE UNIQUE INDEX data_grant_user ON data_grant (user_fk, kind, value, issuer) WHERE user_fk IS NOT NULL;
CREATE UNIQUE INDEX data_grant_token ON data_grant (token_fk, kind, value, issuer) WHERE token_fk IS NOT NULL;
CREATE UNIQUE INDEX data_grant_ae ON data_grant (ae_title, kind, value, issuer) WHERE ae_title IS NOT NULL;

-- Emergency access to a patient's file; a person reviews every row.
CREATE TABLE break_glass (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_fk             bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    patient_fk          bigint NOT NULL REFERENCES patient,
    study_instance_uid  text,                      -- asked for; NULL: the patient was
    reason              text NOT NULL,
    peer                text NOT NULL DEFAULT '',
    started_at          timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz NOT NULL,
    ended_at            timestamptz,
    reviewed_at         timestamptz,
    reviewed_by         text,
    review              text
);
CREATE INDEX break_glass_user ON break_glass (user_fk, expires_at);
CREATE INDEX break_glass_pending ON break_glass (started_at) WHERE reviewed_at IS NULL;
"""

DOWNGRADE = """
DROP TABLE break_glass, data_grant, oidc_flow, user_identity, user_recovery_code, user_totp, sign_in_failure,
           web_session, study_link;
ALTER TABLE api_token DROP COLUMN kind, DROP COLUMN actions, DROP COLUMN created_by;
ALTER TABLE user_account DROP COLUMN password_changed_at, DROP COLUMN must_change_password, DROP COLUMN is_emergency;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; everybody is signed out, accounts and tokens stay."""
    op.execute(DOWNGRADE)
