"""The archive's index follows who patients are: merged, parted, renamed, moved; what arrived stays as it is."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# archive_ingest is that of 0001 but for these places.
INGEST = (
    (  # What a study was received under decides; what it is shown under now is right too.
        """               ELSIF there.patient_id IS DISTINCT FROM r.patient->>'patient_id'
                   OR NOT archive_same_person(there.patient_name_folded, there.patient_birth_date,
                          r.patient->>'patient_name_folded', (r.patient->>'patient_birth_date')::date) THEN""",
        """               ELSIF NOT archive_says_patient(there.received_patient_fk, there.patient_fk, r.patient, false) THEN""",
    ),
    (
        """                   s.study_instance_uid, p.patient_id, p.issuer_of_patient_id,
                   p.patient_name_folded, p.patient_birth_date, s.id AS study_id, e.id AS series_id
              INTO there
              FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
                   JOIN patient p ON p.id = s.patient_fk
""",
        """                   s.study_instance_uid, s.patient_fk, s.received_patient_fk, s.id AS study_id, e.id AS series_id
              INTO there
              FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
""",
    ),
    (
        """                SELECT s.id, p.patient_id, p.issuer_of_patient_id, p.patient_name_folded, p.patient_birth_date INTO owner
                  FROM study s JOIN patient p ON p.id = s.patient_fk WHERE s.study_instance_uid = r.study_uid;
                IF FOUND THEN
                    v_study := owner.id;
                    IF owner.patient_id IS DISTINCT FROM r.patient->>'patient_id'
                       OR (owner.issuer_of_patient_id <> r.patient->>'issuer_of_patient_id'
                           AND owner.issuer_of_patient_id <> '' AND r.patient->>'issuer_of_patient_id' <> '')
                       OR NOT archive_same_person(owner.patient_name_folded, owner.patient_birth_date,
                              r.patient->>'patient_name_folded', (r.patient->>'patient_birth_date')::date) THEN
""",
        """                SELECT s.id, s.patient_fk, s.received_patient_fk INTO owner FROM study s
                 WHERE s.study_instance_uid = r.study_uid;
                IF FOUND THEN
                    v_study := owner.id;
                    IF NOT archive_says_patient(owner.received_patient_fk, owner.patient_fk, r.patient, true) THEN
""",
    ),
    (  # A merge that goes on at this moment waits for this study, or this study for the merge.
        """                    v_patient := archive_patient(r.patient);
""",
        """                    PERFORM archive_lock_identifier(r.patient->>'patient_id');
                    v_patient := archive_patient(r.patient);
""",
    ),
    (
        """study_description_folded, referring_physician_name,
                        referring_physician_name_folded, modalities_in_study, sop_classes_in_study, attributes)
""",
        """study_description_folded, referring_physician_name,
                        referring_physician_name_folded, modalities_in_study, sop_classes_in_study, attributes,
                        assumed_issuer)
""",
    ),
    (
        """                        ARRAY[r.cls_uid], coalesce(r.study->'attributes', '{}'))
""",
        """                        ARRAY[r.cls_uid], coalesce(r.study->'attributes', '{}'),
                        coalesce((SELECT d.issuer FROM default_issuer d WHERE d.calling_ae_title = r.ae AND r.ae <> ''), ''))
""",
    ),
    (
        """                    UPDATE patient SET study_count = study_count + 1 WHERE id = v_patient;
""",
        """                    UPDATE patient SET study_count = study_count + 1, is_current = true WHERE id = v_patient;
                    PERFORM archive_follow_study(v_study);
""",
    ),
)

UPGRADE = r"""
-- What an empty Issuer of Patient ID means: of one calling AE title, or of all (''). Without a row a bare number joins nothing.
CREATE TABLE default_issuer (
    calling_ae_title  text PRIMARY KEY,
    issuer            text NOT NULL CHECK (issuer <> ''),
    changed_at        timestamptz NOT NULL DEFAULT now(),
    changed_by        text NOT NULL DEFAULT ''
);

-- Studies that a person gave to another patient than the one their objects name.
CREATE TABLE study_move (
    study_instance_uid text PRIMARY KEY,
    registered_fk     bigint NOT NULL REFERENCES registered_patient,
    moved_at          timestamptz NOT NULL DEFAULT now(),
    moved_by          text NOT NULL DEFAULT ''
);
CREATE INDEX study_move_registered ON study_move (registered_fk);

-- A row that shows a registered patient as the admission office knows them now; its discriminator is below 0. The others say
-- what objects say, for ever; those without studies of their own any more are not current. No constraint on registered_fk: its
-- check would wait for a merge that waits for the object's identifier. Registered patients are never deleted.
ALTER TABLE patient ADD COLUMN registered_fk bigint;
ALTER TABLE patient ADD COLUMN is_current boolean NOT NULL DEFAULT true;
ALTER TABLE patient ADD COLUMN changed_at timestamptz;
CREATE UNIQUE INDEX patient_registered ON patient (registered_fk) WHERE registered_fk IS NOT NULL;

-- The patient that the objects of a study name, when it is shown under another one.
ALTER TABLE study ADD COLUMN received_patient_fk bigint REFERENCES patient;
ALTER TABLE study ADD COLUMN assumed_issuer text NOT NULL DEFAULT '';  -- of Patient ID, where objects give none
CREATE INDEX study_received_patient ON study (received_patient_fk) WHERE received_patient_fk IS NOT NULL;
CREATE INDEX registered_identifier_value ON registered_identifier (value);
CREATE INDEX patient_change_other ON patient_change (other_patient_fk) WHERE other_patient_fk IS NOT NULL;

-- The settings patients.preferred_authority and patients.dicom_name, where the index can see them.
CREATE TABLE patient_presentation (
    is_one            boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    preferred_authority text NOT NULL DEFAULT '',
    dicom_name        text NOT NULL DEFAULT 'used' CHECK (dicom_name IN ('used', 'birth'))
);
INSERT INTO patient_presentation DEFAULT VALUES;

-- The file that goes on, after any merges.
CREATE FUNCTION registered_root(registered bigint) RETURNS bigint STABLE LANGUAGE sql AS $$
    WITH RECURSIVE chain AS (
        SELECT id, merged_into, 0 AS depth FROM registered_patient WHERE id = registered
        UNION ALL SELECT r.id, r.merged_into, c.depth + 1 FROM chain c JOIN registered_patient r ON r.id = c.merged_into
        WHERE c.depth < 100
    )
    SELECT id FROM chain ORDER BY depth DESC LIMIT 1
$$;

-- A patient and all whose files ended in theirs.
CREATE FUNCTION registered_family(registered bigint) RETURNS SETOF bigint STABLE LANGUAGE sql AS $$
    WITH RECURSIVE family AS (
        SELECT registered AS id, 0 AS depth
        UNION ALL SELECT r.id, f.depth + 1 FROM family f JOIN registered_patient r ON r.merged_into = f.id WHERE f.depth < 100
    )
    SELECT DISTINCT id FROM family
$$;

-- Two transactions about one identifier: the second waits. All identifiers of its holder, in one order: no deadlock.
CREATE FUNCTION archive_lock_identifier(value text) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    IF value IS NULL THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT archive_lock_identifier.value
        UNION SELECT o.value FROM registered_identifier i JOIN registered_identifier o ON o.patient_fk = i.patient_fk
        WHERE i.value = archive_lock_identifier.value ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('archive patient ' || one, 0));
    END LOOP;
END
$$;

-- Do an object's patient attributes name the patient of a study: the one it was received under, or the one it is shown under?
CREATE FUNCTION archive_says_patient(received bigint, shown bigint, said jsonb, with_issuer boolean) RETURNS boolean
STABLE LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM patient p WHERE p.id IN (received, shown)
           AND p.patient_id IS NOT DISTINCT FROM said->>'patient_id'
           AND (NOT with_issuer OR p.issuer_of_patient_id = said->>'issuer_of_patient_id'
                OR p.issuer_of_patient_id = '' OR said->>'issuer_of_patient_id' = '')
           AND archive_same_person(p.patient_name_folded, p.patient_birth_date, said->>'patient_name_folded',
                                   (said->>'patient_birth_date')::date))
$$;

-- Same identifier: can these traits be those of a registered patient, as they are or ever were, or of one merged into them?
CREATE FUNCTION archive_is_registered(said_name text, birth date, registered bigint) RETURNS boolean STABLE LANGUAGE sql AS $$
    WITH family AS MATERIALIZED (SELECT f AS id FROM registered_family(registered) f),
    births AS MATERIALIZED (
        SELECT birth_date AS born FROM registered_patient WHERE id IN (SELECT id FROM family)
        UNION SELECT unnest(ARRAY[before->>'birth_date', after->>'birth_date']) FROM patient_change
        WHERE patient_fk IN (SELECT id FROM family) AND (before ? 'birth_date' OR after ? 'birth_date')
    )
    SELECT CASE
        WHEN birth IS NOT NULL AND EXISTS (SELECT FROM births WHERE born ~ '^\d{8}')
        THEN EXISTS (SELECT FROM births WHERE left(born, 8) = to_char(birth, 'YYYYMMDD'))
        ELSE split_part(said_name, '^', 1) = '' OR EXISTS (
            SELECT FROM registered_patient r WHERE r.id IN (SELECT id FROM family)
               AND (r.name_folded = '' OR position(' ' || split_part(said_name, '^', 1) || ' ' IN ' ' || r.name_folded || ' ') > 0))
    END
$$;

-- Whose is a study, as far as is known for certain: given by a person, or named by identifier and issuer. NULL: nobody's.
CREATE FUNCTION archive_registered_of(study_key bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
    said record;
    holders bigint[];
    holder bigint;
BEGIN
    SELECT m.registered_fk INTO given FROM study s JOIN study_move m ON m.study_instance_uid = s.study_instance_uid
     WHERE s.id = study_key;
    IF FOUND THEN
        RETURN registered_root(given);
    END IF;
    SELECT p.patient_id, p.patient_name_folded, p.patient_birth_date,
           coalesce(nullif(p.issuer_of_patient_id, ''), nullif(s.assumed_issuer, ''),
                    (SELECT d.issuer FROM default_issuer d WHERE d.calling_ae_title = '')) AS issuer,
           coalesce(p.attributes #>> '{00100024,Value,0,00400032,Value,0}', '') AS universal
      INTO said FROM study s JOIN patient p ON p.id = coalesce(s.received_patient_fk, s.patient_fk) WHERE s.id = study_key;
    IF said.patient_id IS NULL OR (said.issuer IS NULL AND said.universal = '') THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(DISTINCT i.patient_fk) FILTER (WHERE i.until IS NULL),
           (array_agg(i.patient_fk ORDER BY i.until DESC) FILTER (WHERE i.until IS NOT NULL))[1]
      INTO holders, holder
      FROM registered_identifier i JOIN assigning_authority a ON a.id = i.authority_fk
     WHERE i.value = said.patient_id AND i.type_code NOT IN ('AN', 'VN')
       AND CASE WHEN a.universal_id <> '' AND said.universal <> '' THEN a.universal_id = said.universal
           ELSE said.issuer IN (nullif(a.namespace, ''), nullif(a.universal_id, '')) END;
    IF cardinality(holders) > 1 THEN
        RETURN NULL;  -- two authorities under one name: unclear
    END IF;
    holder := registered_root(coalesce(holders[1], holder));
    IF holder IS NULL OR NOT archive_is_registered(said.patient_name_folded, said.patient_birth_date, holder) THEN
        RETURN NULL;
    END IF;
    RETURN holder;
END
$$;

-- As domain/patients/dicom.py does it, and a test compares: what DICOM cannot hold becomes a space.
CREATE FUNCTION registered_text(value text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT btrim(regexp_replace(regexp_replace(coalesce(value, ''), '[\x01-\x1f\x7f\\^=]', ' ', 'g'), '\s+', ' ', 'g'))
$$;

CREATE FUNCTION registered_name(family text, given text, further text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT concat_ws('^', left(registered_text(family), 64), nullif(coalesce(nullif(left(registered_text(given), 64), ''),
        left(split_part(registered_text(further), ' ', 1), 64)), ''))
$$;

-- Item of Issuer of Patient ID Qualifiers Sequence (0010,0024).
CREATE FUNCTION registered_qualifiers(universal_id text, universal_id_type text, type_code text) RETURNS jsonb
IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN universal_id = '' THEN '{}'::jsonb
        WHEN universal_id_type IN ('DNS', 'EUI64', 'ISO', 'URI', 'UUID', 'X400', 'X500') THEN jsonb_build_object(
            '00400032', jsonb_build_object('vr', 'UT', 'Value', jsonb_build_array(registered_text(universal_id))),
            '00400033', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array(universal_id_type)))
        ELSE jsonb_build_object('00400036', jsonb_build_object('vr', 'SQ', 'Value', jsonb_build_array(jsonb_build_object(
            '00400031', jsonb_build_object('vr', 'UT', 'Value', jsonb_build_array(registered_text(universal_id))))))) END
    || CASE WHEN type_code = '' THEN '{}'::jsonb
        ELSE jsonb_build_object('00400035', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array(upper(left(registered_text(type_code), 16))))) END
$$;

-- Identifiers that DICOM is told, in the order of choice; an INS never first, and only of a qualified identity (RNIV).
CREATE FUNCTION registered_dicom_identifiers(registered bigint)
RETURNS TABLE (place bigint, value text, issuer text, is_ins boolean, qualifiers jsonb) STABLE LANGUAGE sql AS $$
    WITH held AS (
        SELECT i.id, i.value, i.type_code, a.namespace, a.universal_id, a.universal_id_type,
               a.universal_id IN ('1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.9', '1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11') AS is_ins,
               EXISTS (SELECT FROM patient_change c WHERE c.other_patient_fk = registered AND c.kind = 'MERGED'
                       AND c.after->'identifier_rows' @> to_jsonb(i.id)) AS came_by_merge
        FROM registered_identifier i JOIN assigning_authority a ON a.id = i.authority_fk
        WHERE i.patient_fk = registered AND i.until IS NULL
    )
    SELECT row_number() OVER (ORDER BY h.is_ins,
               NOT (s.preferred_authority <> '' AND s.preferred_authority IN (h.namespace, h.universal_id) AND h.type_code IN ('', 'PI')),
               h.type_code <> 'PI', h.came_by_merge, h.id),
           h.value, left(registered_text(coalesce(nullif(h.namespace, ''), h.universal_id)), 64), h.is_ins,
           registered_qualifiers(h.universal_id, h.universal_id_type, h.type_code)
    FROM held h, patient_presentation s
    WHERE length(h.value) BETWEEN 1 AND 64 AND h.value !~ '[\x01-\x1f\x7f\\^=]' AND h.type_code NOT IN ('AN', 'VN', 'NH', 'SS')
      AND (NOT h.is_ins OR EXISTS (SELECT FROM registered_patient r WHERE r.id = registered AND r.identity_status = 'VALI'))
$$;

-- A whole day that exists; NULL of any other text. A server before 16 cannot ask whether a text is a date.
CREATE FUNCTION registered_date(value text) RETURNS date IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF value !~ '^\d{8}$' THEN
        RETURN NULL;
    END IF;
    RETURN make_date(left(value, 4)::integer, substr(value, 5, 2)::integer, right(value, 2)::integer);
EXCEPTION WHEN datetime_field_overflow THEN
    RETURN NULL;
END
$$;

-- The row that shows a registered patient, as of now.
CREATE FUNCTION archive_show_registered(registered bigint) RETURNS patient VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
    shown patient;
BEGIN
    SELECT CASE WHEN t.dicom_name = 'birth' THEN coalesce(nullif(n.birth, ''), n.used) ELSE n.used END AS name,
           registered_date(r.birth_date) AS birth,
           CASE WHEN r.sex IN ('M', 'F') THEN r.sex WHEN r.sex IN ('O', 'A', 'N', 'I') THEN 'O' END AS sex,
           i.value, coalesce(i.issuer, '') AS issuer,
           CASE WHEN coalesce(i.qualifiers, '{}') = '{}' THEN '{}'::jsonb
               ELSE jsonb_build_object('00100024', jsonb_build_object('vr', 'SQ', 'Value', jsonb_build_array(i.qualifiers))) END
           || CASE WHEN n.birth = '' THEN '{}'::jsonb ELSE jsonb_build_object('00101005', jsonb_build_object('vr', 'PN',
               'Value', jsonb_build_array(jsonb_build_object('Alphabetic', n.birth)))) END AS attributes
      INTO wanted
      FROM registered_patient r CROSS JOIN patient_presentation t
           CROSS JOIN LATERAL (SELECT registered_name(r.birth_family_name, r.birth_given_name, r.birth_further) AS birth,
               registered_name(coalesce(nullif(r.used_family_name, ''), r.birth_family_name),
                               coalesce(nullif(r.used_given_name, ''), r.birth_given_name), '') AS used) n
           LEFT JOIN registered_dicom_identifiers(registered) i ON i.place = 1 AND NOT i.is_ins
     WHERE r.id = registered;
    INSERT INTO patient AS p (patient_id, issuer_of_patient_id, discriminator, patient_name, patient_name_folded,
        patient_birth_date, patient_sex, attributes, registered_fk, is_current, changed_at)
    VALUES (wanted.value, wanted.issuer, (-registered)::integer, nullif(wanted.name, ''), text_folded(wanted.name), wanted.birth,
        wanted.sex, wanted.attributes, registered, false, now())
    ON CONFLICT (registered_fk) WHERE registered_fk IS NOT NULL DO UPDATE SET patient_id = excluded.patient_id,
        issuer_of_patient_id = excluded.issuer_of_patient_id, patient_name = excluded.patient_name,
        patient_name_folded = excluded.patient_name_folded, patient_birth_date = excluded.patient_birth_date,
        patient_sex = excluded.patient_sex, attributes = excluded.attributes, changed_at = now()
    WHERE (p.patient_id, p.issuer_of_patient_id, p.patient_name, p.patient_birth_date, p.patient_sex, p.attributes)
          IS DISTINCT FROM (excluded.patient_id, excluded.issuer_of_patient_id, excluded.patient_name,
                            excluded.patient_birth_date, excluded.patient_sex, excluded.attributes);
    SELECT * INTO shown FROM patient WHERE registered_fk = registered;
    DELETE FROM patient_identifier WHERE patient_fk = shown.id;
    INSERT INTO patient_identifier (patient_fk, identifier, issuer)
    SELECT shown.id, i.value, i.issuer FROM registered_dicom_identifiers(registered) i WHERE i.place > 1 OR i.is_ins
    ON CONFLICT DO NOTHING;
    RETURN shown;
END
$$;

-- Show the studies of registered patients under who they are now. Returns how many are shown under another row than before.
CREATE FUNCTION archive_follow(registered bigint[], depth integer DEFAULT 0) RETURNS integer
VOLATILE LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wanted bigint[];
    candidates bigint[];
    owners bigint[];
    touched bigint[] := '{}';
    changed bigint[];
    others bigint[];
    one bigint;
    text_one text;
    shown patient;
    place record;
    count_changed integer := 0;
BEGIN
    SELECT array_agg(DISTINCT f) INTO wanted
      FROM unnest(registered) r, LATERAL (SELECT r AS f UNION SELECT registered_root(r)) x;
    FOR text_one IN SELECT DISTINCT i.value FROM registered_identifier i WHERE i.patient_fk = ANY (wanted) ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('archive patient ' || text_one, 0));
    END LOOP;
    SELECT array_agg(DISTINCT id ORDER BY id) INTO candidates FROM (
        SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id WHERE p.registered_fk = ANY (wanted)
        UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value AND p.registered_fk IS NULL
            JOIN study s ON s.patient_fk = p.id WHERE i.patient_fk = ANY (wanted)
        UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value AND p.registered_fk IS NULL
            JOIN study s ON s.received_patient_fk = p.id WHERE i.patient_fk = ANY (wanted)
        UNION SELECT s.id FROM unnest(wanted) w, registered_family(w) f JOIN study_move m ON m.registered_fk = f
            JOIN study s ON s.study_instance_uid = m.study_instance_uid
    ) AS found;
    IF candidates IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(archive_registered_of(c) ORDER BY ordinality) INTO owners FROM unnest(candidates) WITH ORDINALITY AS x(c);
    -- Nobody's: as received.
    WITH back AS (
        UPDATE study s SET patient_fk = s.received_patient_fk, received_patient_fk = NULL
        FROM (SELECT s.id, s.patient_fk AS before FROM unnest(candidates, owners) AS u(id, owner) JOIN study s ON s.id = u.id
              WHERE u.owner IS NULL AND s.received_patient_fk IS NOT NULL) b
        WHERE s.id = b.id RETURNING s.patient_fk AS now, b.before
    ) SELECT coalesce(array_agg(now) || array_agg(before), '{}') INTO touched FROM back;
    count_changed := cardinality(touched) / 2;
    FOR one IN SELECT DISTINCT o FROM unnest(owners) AS o WHERE o = ANY (wanted) ORDER BY o
    LOOP
        shown := archive_show_registered(one);
        -- All under one row that says the same as the admission office: it stays, and its objects go out as they are.
        SELECT min(p.id) AS id, count(DISTINCT p.id) AS rows, bool_and(
                   m.study_instance_uid IS NULL AND p.patient_id IS NOT DISTINCT FROM shown.patient_id
                   AND (p.issuer_of_patient_id = '' OR p.issuer_of_patient_id IN (shown.issuer_of_patient_id,
                        shown.attributes #>> '{00100024,Value,0,00400032,Value,0}'))
                   AND btrim(split_part(split_part(p.patient_name_folded, '=', 1), '^', 1) || '^' || split_part(split_part(p.patient_name_folded, '=', 1), '^', 2), '^ ')
                       = btrim(shown.patient_name_folded, '^ ')
                   AND (shown.patient_birth_date IS NULL OR p.patient_birth_date IS NOT DISTINCT FROM shown.patient_birth_date)
                   AND (shown.patient_sex IS NULL OR p.patient_sex IS NOT DISTINCT FROM shown.patient_sex)) AS agrees
          INTO place
          FROM unnest(candidates, owners) AS u(id, owner) JOIN study s ON s.id = u.id
               JOIN patient p ON p.id = coalesce(s.received_patient_fk, s.patient_fk)
               LEFT JOIN study_move m ON m.study_instance_uid = s.study_instance_uid
         WHERE u.owner = one;
        WITH moved AS (
            UPDATE study s SET patient_fk = b.now, received_patient_fk = CASE WHEN b.now <> b.said THEN b.said END
            FROM (SELECT s.id, s.patient_fk AS before, coalesce(s.received_patient_fk, s.patient_fk) AS said,
                         CASE WHEN place.rows = 1 AND place.agrees THEN place.id ELSE shown.id END AS now
                  FROM unnest(candidates, owners) AS u(id, owner) JOIN study s ON s.id = u.id WHERE u.owner = one) b
            WHERE s.id = b.id AND b.now <> b.before RETURNING b.now, b.before
        ) SELECT coalesce(array_agg(now) || array_agg(before), '{}') INTO changed FROM moved;
        touched := touched || changed || shown.id;
        count_changed := count_changed + cardinality(changed) / 2;
        PERFORM study_search_write(ARRAY(SELECT id FROM study WHERE patient_fk = shown.id ORDER BY id));
    END LOOP;
    UPDATE patient p SET study_count = c.studies, is_current = c.studies > 0
    FROM (SELECT t.id, (SELECT count(*) FROM study s WHERE s.patient_fk = t.id) AS studies
          FROM (SELECT DISTINCT unnest(touched) AS id) t ORDER BY t.id) c
    WHERE p.id = c.id AND (p.study_count, p.is_current) IS DISTINCT FROM (c.studies::integer, c.studies > 0);
    SELECT array_agg(DISTINCT o) INTO others FROM unnest(owners) AS o WHERE o <> ALL (wanted);
    IF others IS NOT NULL AND depth < 3 THEN
        count_changed := count_changed + archive_follow(others, depth + 1);
    END IF;
    RETURN count_changed;
END
$$;

-- A study that has just come.
CREATE FUNCTION archive_follow_study(study_key bigint) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    owner bigint := archive_registered_of(study_key);
BEGIN
    IF owner IS NOT NULL THEN
        PERFORM archive_follow(ARRAY[owner]);
    END IF;
END
$$;

-- At the commit, when everything the change consists of is there.
CREATE FUNCTION archive_on_patient_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM archive_follow(array_remove(ARRAY[NEW.patient_fk, NEW.other_patient_fk], NULL));
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER archive_follows AFTER INSERT ON patient_change DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION archive_on_patient_change();
"""

SAME_IDENTITY = """
                WHERE patient_id = p->>'patient_id' AND issuer_of_patient_id = p->>'issuer_of_patient_id'
"""
"""In archive_patient: rows of registered patients are not what objects say."""

AFTER = """
SELECT archive_follow(ARRAY(SELECT id FROM registered_patient WHERE merged_into IS NULL ORDER BY id));
"""

DOWNGRADE = """
DROP TRIGGER archive_follows ON patient_change;
UPDATE study SET patient_fk = received_patient_fk WHERE received_patient_fk IS NOT NULL;
DELETE FROM break_glass WHERE patient_fk IN (SELECT id FROM patient WHERE registered_fk IS NOT NULL);
ALTER TABLE study DROP COLUMN received_patient_fk, DROP COLUMN assumed_issuer;
DELETE FROM patient WHERE registered_fk IS NOT NULL;
DROP FUNCTION archive_on_patient_change(), archive_follow_study(bigint), archive_follow(bigint[], integer),
    archive_show_registered(bigint), registered_dicom_identifiers(bigint), registered_qualifiers(text, text, text),
    registered_name(text, text, text), registered_text(text), archive_registered_of(bigint), archive_is_registered(text, date, bigint),
    archive_says_patient(bigint, bigint, jsonb, boolean), archive_lock_identifier(text), registered_family(bigint),
    registered_root(bigint), registered_date(text);
ALTER TABLE patient DROP COLUMN registered_fk, DROP COLUMN is_current, DROP COLUMN changed_at;
UPDATE patient p SET study_count = (SELECT count(*) FROM study s WHERE s.patient_fk = p.id);
DROP INDEX registered_identifier_value, patient_change_other;
DROP TABLE study_move, default_issuer, patient_presentation;
"""


def _function(name: str) -> str:
    """A function of 0001, to be put in the place of itself."""
    script = op.get_context().script
    assert script is not None  # noqa: S101 - migrations run from a script directory
    source: str = script.get_revision("0001").module.UPGRADE
    begin = source.index(f"CREATE FUNCTION {name}(")
    return "CREATE OR REPLACE" + source[begin + len("CREATE") : source.index("$$;", begin) + 3]


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError("0001 is not what this migration changes")
    return text.replace(old, new)


def upgrade() -> None:
    """Make the functions, change how objects are taken in, follow what is known already."""
    op.execute(UPGRADE)
    ingest = _function("archive_ingest")
    for old, new in INGEST:
        ingest = _replaced(ingest, old, new)
    op.execute(ingest)
    narrowed = SAME_IDENTITY.rstrip("\n") + " AND registered_fk IS NULL\n"
    op.execute(_replaced(_function("archive_patient"), SAME_IDENTITY, narrowed))
    op.execute(AFTER)


def downgrade() -> None:
    """Studies go back to the patients that their objects name."""
    op.execute(_function("archive_ingest"))
    op.execute(_function("archive_patient"))
    op.execute(DOWNGRADE)
