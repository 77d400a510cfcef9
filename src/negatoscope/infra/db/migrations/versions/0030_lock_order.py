"""One order of locks for images that arrive and patients that change: no deadlock between them.

Whoever shows studies under who their patients are takes, in this order: advisory locks of all identifiers concerned, rows of
``study``, then of ``unsettled_study``, ``series``, ``arrival`` and ``patient``, each sorted. Advisory locks are waited for only
in one sorted go, at the beginning. While at work everybody only takes what is free; who meets one that is not undoes what it did,
lets go of all and begins again by waiting for these (SQLSTATE NG001, its detail the keys): so nobody waits for one while holding
another that comes after it, and who meets nobody pays for no list.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INGEST = (
    (
        "FUNCTION archive_ingest(records jsonb)",
        "FUNCTION archive_ingest(records jsonb, keys bigint[] DEFAULT NULL)",
    ),
    (
        """BEGIN
    FOR r IN
""",
        """BEGIN
    PERFORM archive_lock(keys) WHERE keys IS NOT NULL;
    IF jsonb_array_length(records) > 1 THEN
        PERFORM FROM study s WHERE s.study_instance_uid IN (SELECT x->>'study_uid' FROM jsonb_array_elements(records) x)
        ORDER BY s.id FOR NO KEY UPDATE;
    END IF;
    FOR r IN
""",
    ),
    (")) WITH ORDINALITY AS x\n", ")) WITH ORDINALITY AS x ORDER BY study_uid, ordinality\n"),
    (
        "                 WHERE s.study_instance_uid = r.study_uid;\n",
        "                 WHERE s.study_instance_uid = r.study_uid FOR NO KEY UPDATE;\n",
    ),
    (
        "                    PERFORM archive_lock_identifier(r.patient->>'patient_id');\n",
        "                    PERFORM archive_lock_now(archive_keys_said(r.patient->>'patient_id', r.study_uid));\n",
    ),
)
"""Who calls it begins again with the keys that NG001 names."""

FOLLOW = (
    (
        "FUNCTION archive_follow(registered bigint[], depth integer DEFAULT 0)",
        "FUNCTION archive_follow_locked(registered bigint[], depth integer DEFAULT 0)",
    ),
    ("    text_one text;\n", ""),
    (
        """    FOR text_one IN SELECT DISTINCT i.value FROM registered_identifier i WHERE i.patient_fk = ANY (wanted) ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('archive patient ' || text_one, 0));
    END LOOP;
""",
        """    PERFORM archive_lock_now(archive_keys_of(wanted));
""",
    ),
    (
        """    -- Nobody's: as received.
""",
        """    PERFORM FROM study WHERE id = ANY (candidates) ORDER BY id FOR NO KEY UPDATE;
    -- Nobody's: as received.
""",
    ),
    (
        """    UPDATE patient p SET study_count = c.studies,""",
        """    PERFORM FROM patient WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE patient p SET study_count = c.studies,""",
    ),
    (
        "count_changed := count_changed + archive_follow(others, depth + 1);",
        "count_changed := count_changed + archive_follow_locked(others, depth + 1);",
    ),
)
"""archive_follow of 0017 becomes what archive_follow calls with its locks held."""

KEYS = r"""
-- The advisory lock of an identifier's value.
CREATE FUNCTION archive_key(value text) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT hashtextextended('archive patient ' || value, 0)
$$;

-- Of all identifiers, also former ones, of these registered patients and of those whom their files ended in.
CREATE FUNCTION archive_keys_of(registered bigint[]) RETURNS bigint[] STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(cardinality(registered), 0) = 0 THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT DISTINCT archive_key(i.value) FROM registered_identifier i
        WHERE i.patient_fk IN (SELECT r FROM unnest(registered) r UNION SELECT registered_root(r) FROM unnest(registered) r));
END
$$;

-- Of what an object says: its Patient ID, and all identifiers of whoever has or had it, or was given the study by a person.
CREATE FUNCTION archive_keys_said(said text, study text) RETURNS bigint[] STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN array_remove(ARRAY[archive_key(said)], NULL)
        || archive_keys_of(ARRAY(SELECT i.patient_fk FROM registered_identifier i WHERE i.value = said
                                 UNION SELECT m.registered_fk FROM study_move m WHERE m.study_instance_uid = study));
END
$$;

-- Wait for locks, all in one order. Only who holds none may call it.
CREATE FUNCTION archive_lock(keys bigint[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    one bigint;
BEGIN
    FOR one IN SELECT DISTINCT k FROM unnest(keys) k WHERE k IS NOT NULL ORDER BY k LOOP
        PERFORM pg_advisory_xact_lock(one);
    END LOOP;
END
$$;

-- Have locks without waiting: they are held already or free. Otherwise whoever holds some has to begin again with these too.
CREATE FUNCTION archive_lock_now(keys bigint[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    one bigint;
BEGIN
    FOREACH one IN ARRAY coalesce(keys, '{}') LOOP
        IF NOT pg_try_advisory_xact_lock(one) THEN
            RAISE EXCEPTION 'locks of more identifiers are needed' USING ERRCODE = 'NG001', DETAIL = keys::text;
        END IF;
    END LOOP;
END
$$;
"""

CALLERS = r"""
-- Show the studies of registered patients under who they are now. Returns how many are shown under another row than before.
CREATE FUNCTION archive_follow(registered bigint[]) RETURNS integer VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    keys bigint[];
    more text;
BEGIN
    LOOP
        BEGIN
            PERFORM archive_lock(keys) WHERE keys IS NOT NULL;
            RETURN archive_follow_locked(registered);
        EXCEPTION WHEN SQLSTATE 'NG001' THEN
            GET STACKED DIAGNOSTICS more = PG_EXCEPTION_DETAIL;
            keys := keys || more::bigint[];
        END;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION archive_follow_study(study_key bigint) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    owner bigint := archive_registered_of(study_key);
BEGIN
    IF owner IS NOT NULL THEN
        PERFORM archive_follow_locked(ARRAY[owner]);
    END IF;
END
$$;

-- Patients that a transaction changes are gathered, so that all are followed at once, with one wait for locks.
CREATE FUNCTION archive_gather_patient_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gathered text := coalesce(current_setting('negatoscope.changed_patients', true), '');
BEGIN
    IF length(gathered) < 8000 THEN
        PERFORM set_config('negatoscope.changed_patients',
            concat_ws(',', nullif(gathered, ''), NEW.patient_fk::text, NEW.other_patient_fk::text), true);
        PERFORM set_config('negatoscope.last_gathered', NEW.id::text, true);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER archive_gathers BEFORE INSERT ON patient_change
FOR EACH ROW EXECUTE FUNCTION archive_gather_patient_change();

CREATE OR REPLACE FUNCTION archive_on_patient_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gathered text := coalesce(current_setting('negatoscope.changed_patients', true), '');
BEGIN
    IF gathered <> '' THEN
        PERFORM archive_follow(ARRAY(SELECT DISTINCT p::bigint FROM regexp_split_to_table(gathered, ',') p));
        PERFORM set_config('negatoscope.changed_patients', '', true);
    END IF;
    IF NEW.id > coalesce(nullif(current_setting('negatoscope.last_gathered', true), ''), '0')::bigint THEN
        PERFORM archive_follow(array_remove(ARRAY[NEW.patient_fk, NEW.other_patient_fk], NULL));
    END IF;
    RETURN NULL;
END
$$;
"""

SEARCH = """
-- A patient gets several identifiers in one statement: each study is written once.
CREATE OR REPLACE FUNCTION study_search_on_identifier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_search_write(ARRAY(SELECT DISTINCT s.id FROM added a JOIN study s ON s.patient_fk = a.patient_fk ORDER BY s.id));
    RETURN NULL;
END
$$;
"""

DROP_OLD = """
DROP FUNCTION archive_ingest(jsonb), archive_follow(bigint[], integer), archive_lock_identifier(text);
"""

DROP_NEW = """
DROP TRIGGER archive_gathers ON patient_change;
DROP FUNCTION archive_gather_patient_change(), archive_ingest(jsonb, bigint[]), archive_follow(bigint[]),
    archive_follow_locked(bigint[], integer), archive_lock(bigint[]), archive_lock_now(bigint[]),
    archive_keys_said(text, text), archive_keys_of(bigint[]), archive_key(text);
"""


def _replaced(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError("the functions are not what this migration changes")
        text = text.replace(old, new)
    return text


def _source(revision: str, name: str) -> str:
    """The text of a function of an earlier migration."""
    script = op.get_context().script
    assert script is not None  # noqa: S101 - migrations run from a script directory
    source: str = script.get_revision(revision).module.UPGRADE
    begin = source.index(f"CREATE FUNCTION {name}(")
    return source[begin : source.index("$$;", begin) + 3]


def _ingest() -> str:
    """archive_ingest as it was before."""
    script = op.get_context().script
    assert script is not None  # noqa: S101 - migrations run from a script directory
    return _replaced(_source("0001", "archive_ingest"), script.get_revision("0017").module.INGEST)


def upgrade() -> None:
    """Put the functions in the place of those without an order."""
    ingest = _replaced(_ingest(), INGEST)
    follow = _replaced(_source("0017", "archive_follow"), FOLLOW)
    for part in (SEARCH, DROP_OLD, KEYS, follow, ingest, CALLERS):
        op.execute(part)


def downgrade() -> None:
    """Put those back."""
    op.execute(DROP_NEW)
    op.execute(_source("0017", "archive_lock_identifier"))
    op.execute(_source("0017", "archive_follow"))
    op.execute(_ingest())
    for revision, name in (
        ("0017", "archive_follow_study"),
        ("0017", "archive_on_patient_change"),
        ("0011", "study_search_on_identifier"),
    ):
        op.execute(_source(revision, name).replace("CREATE", "CREATE OR REPLACE", 1))
