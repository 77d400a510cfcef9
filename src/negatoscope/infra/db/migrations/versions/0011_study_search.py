"""What people search studies by, beside the studies; preferences of users."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UPGRADE = r"""
-- As kit.text.fold does, for the scripts of Europe; what it leaves different is only found as written.
CREATE FUNCTION text_folded(value text) RETURNS text
IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE WHEN value IS NULL THEN ''
    WHEN value ~ '^[\x20-\x7e]*$' THEN lower(value)
    ELSE replace(replace(replace(replace(replace(replace(
        lower(regexp_replace(normalize(value, NFKD), U&'[\0300-\036F]', '', 'g')),
        'œ', 'oe'), 'æ', 'ae'), 'Œ', 'oe'), 'Æ', 'ae'), 'ß', 'ss'), '’', '''') END
$$;

-- One row for each study, with what must be read of all studies to find and order some.
CREATE TABLE study_search (
    study_fk          bigint PRIMARY KEY REFERENCES study ON DELETE CASCADE,
    studied_at        timestamp NOT NULL,            -- Study Date and Time; -infinity without date
    patient_name_key  text COLLATE "C" NOT NULL,     -- folded, for the order of names
    words             text NOT NULL,                 -- of the one box: name, identifiers, accession number, description, modalities; folded, in spaces
    places            text NOT NULL                  -- stations, institutions, referring physician; folded, each between '|'
) WITH (fillfactor = 85);

CREATE FUNCTION study_search_at(study_date date, study_time text) RETURNS timestamp
IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE WHEN study_date IS NULL THEN '-infinity'::timestamp
    WHEN study_time ~ '^([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9])?)?([.][0-9]+)?$'
    THEN study_date + make_time(left(study_time, 2)::int, coalesce(nullif(substr(split_part(study_time, '.', 1), 3, 2), ''), '0')::int,
                                coalesce(nullif(substr(split_part(study_time, '.', 1), 5, 2), ''), '0')::int)
    ELSE study_date::timestamp END
$$;

-- Plans are kept for as long as a connection lives, also those made while the tables were empty: never by reading all of them.
CREATE FUNCTION study_search_row(wanted bigint[]) RETURNS SETOF study_search
STABLE LANGUAGE sql SET enable_seqscan = off AS $$
    SELECT s.id, study_search_at(s.study_date, s.study_time),
           left(btrim(translate(p.patient_name_folded, '^=', '  ')), 64),
           ' ' || concat_ws(' ', translate(p.patient_name_folded, '^=', '  '), text_folded(p.patient_id),
               (SELECT string_agg(text_folded(o.identifier), ' ') FROM patient_identifier o WHERE o.patient_fk = p.id),
               text_folded(s.accession_number), text_folded(s.study_id), s.study_description_folded,
               (SELECT string_agg(DISTINCT text_folded(e.modality), ' ') FROM series e WHERE e.study_fk = s.id)) || ' ',
           '|' || concat_ws('|', nullif(translate(s.referring_physician_name_folded, '^=', '  '), ''),
               (SELECT string_agg(DISTINCT place, '|')
                FROM series e, unnest(ARRAY[text_folded(e.station_name), text_folded(e.institution_name)]) AS place
                WHERE e.study_fk = s.id AND place <> '')) || '|'
    FROM unnest(wanted) AS w(id) JOIN study s ON s.id = w.id JOIN patient p ON p.id = s.patient_fk
$$;

CREATE FUNCTION study_search_write(wanted bigint[]) RETURNS void
VOLATILE LANGUAGE sql AS $$
    INSERT INTO study_search AS x SELECT * FROM study_search_row(wanted)
    ON CONFLICT (study_fk) DO UPDATE SET studied_at = excluded.studied_at, patient_name_key = excluded.patient_name_key,
        words = excluded.words, places = excluded.places
    WHERE (x.studied_at, x.patient_name_key, x.words, x.places)
          IS DISTINCT FROM (excluded.studied_at, excluded.patient_name_key, excluded.words, excluded.places)
$$;

-- At the commit, when the study's first series is there too: one write instead of two.
CREATE FUNCTION study_search_on_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_search_write(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER study_search_added AFTER INSERT ON study DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION study_search_on_study();

CREATE FUNCTION study_search_on_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_search_write(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER study_search_changed
AFTER UPDATE OF patient_fk, study_date, study_time, accession_number, study_id, study_description_folded,
    referring_physician_name_folded ON study
FOR EACH ROW WHEN ((OLD.patient_fk, OLD.study_date, OLD.study_time, OLD.accession_number, OLD.study_id,
    OLD.study_description_folded, OLD.referring_physician_name_folded) IS DISTINCT FROM
    (NEW.patient_fk, NEW.study_date, NEW.study_time, NEW.accession_number, NEW.study_id,
    NEW.study_description_folded, NEW.referring_physician_name_folded))
EXECUTE FUNCTION study_search_on_change();

-- A later series adds the words that its study has not got yet: for most series nothing is written.
CREATE FUNCTION study_search_on_series() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off AS $$
BEGIN
    UPDATE study_search x SET words = x.words || n.words, places = x.places || n.places
    FROM (
        SELECT y.study_fk,
               coalesce(string_agg(DISTINCT w.word || ' ', '') FILTER (WHERE w.is_word AND position(' ' || w.word || ' ' IN y.words) = 0), '') AS words,
               coalesce(string_agg(DISTINCT w.word || '|', '') FILTER (WHERE NOT w.is_word AND position('|' || w.word || '|' IN y.places) = 0), '') AS places
        FROM added a JOIN study_search y ON y.study_fk = a.study_fk,
             LATERAL (VALUES (true, text_folded(a.modality)), (false, text_folded(a.station_name)),
                             (false, text_folded(a.institution_name))) AS w(is_word, word)
        WHERE w.word <> '' GROUP BY y.study_fk ORDER BY y.study_fk
    ) n
    WHERE x.study_fk = n.study_fk AND n.words || n.places <> '';
    RETURN NULL;
END
$$;
CREATE TRIGGER study_search_series AFTER INSERT ON series REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION study_search_on_series();

CREATE FUNCTION study_search_on_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_search_write(ARRAY(SELECT id FROM study WHERE patient_fk = NEW.id ORDER BY id));
    RETURN NULL;
END
$$;
CREATE TRIGGER study_search_patient AFTER UPDATE OF patient_name_folded, patient_id ON patient
FOR EACH ROW WHEN ((OLD.patient_name_folded, OLD.patient_id) IS DISTINCT FROM (NEW.patient_name_folded, NEW.patient_id))
EXECUTE FUNCTION study_search_on_patient();

CREATE FUNCTION study_search_on_identifier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_search_write(ARRAY(SELECT s.id FROM added a JOIN study s ON s.patient_fk = a.patient_fk ORDER BY s.id));
    RETURN NULL;
END
$$;
CREATE TRIGGER study_search_identifier AFTER INSERT ON patient_identifier REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION study_search_on_identifier();

INSERT INTO study_search SELECT r.* FROM study_search_row(ARRAY(SELECT id FROM study)) r;

CREATE INDEX study_search_at_id ON study_search (studied_at, study_fk);
CREATE INDEX study_search_name ON study_search (patient_name_key, study_fk);
CREATE INDEX study_search_words ON study_search USING gin (words gin_trgm_ops);
CREATE INDEX study_search_places ON study_search USING gin (places gin_trgm_ops);

-- What a person keeps of their own: columns, filters, language. JSON, at most 64 kB each.
CREATE TABLE user_preference (
    user_fk     bigint NOT NULL REFERENCES user_account ON DELETE CASCADE,
    key         text NOT NULL CHECK (key ~ '^[a-z][a-z0-9.-]{0,63}$'),
    value       jsonb NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_fk, key)
);
"""

DOWNGRADE = """
DROP TABLE user_preference;
DROP TRIGGER study_search_added ON study;
DROP TRIGGER study_search_changed ON study;
DROP TRIGGER study_search_series ON series;
DROP TRIGGER study_search_patient ON patient;
DROP TRIGGER study_search_identifier ON patient_identifier;
DROP FUNCTION study_search_on_study(), study_search_on_change(), study_search_on_series(), study_search_on_patient(),
    study_search_on_identifier(), study_search_write(bigint[]), study_search_row(bigint[]), study_search_at(date, text);
DROP TABLE study_search;
DROP FUNCTION text_folded(text);
"""


def upgrade() -> None:
    """Create the tables and what keeps the search up to date; fill it from what is there."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: preferences are lost, the rest is made again by an upgrade."""
    op.execute(DOWNGRADE)
