"""Studies without a patient are kept as a list of their own, however old they are; devices' issuers reach those that wait."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

UPGRADE = r"""
-- Studies that nobody's identifier and issuer name. Written in the transaction of whatever makes it so or not so any more.
-- No constraint on study_fk: its check would lock a study after the patients, the other way round than ingest does.
CREATE TABLE study_without_patient (
    study_fk          bigint PRIMARY KEY,
    is_waiting        boolean NOT NULL DEFAULT true,   -- of those that have a patient now it is kept where they came from
    calling_ae_title  text NOT NULL DEFAULT '',        -- who sent its first objects; empty: no device, or before this table was
    is_due            boolean NOT NULL DEFAULT false   -- to be looked at again: what an empty issuer means has changed
);
CREATE INDEX study_without_patient_waiting ON study_without_patient (study_fk) WHERE is_waiting;
CREATE INDEX study_without_patient_due ON study_without_patient (study_fk) WHERE is_due;

CREATE FUNCTION study_owner_noted(studies bigint[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$
DECLARE
    one bigint;
BEGIN
    FOR one IN SELECT DISTINCT s.id FROM study s WHERE s.id = ANY (studies) ORDER BY s.id LOOP
        IF archive_registered_of(one) IS NULL THEN
            INSERT INTO study_without_patient AS w (study_fk) VALUES (one)
            ON CONFLICT (study_fk) DO UPDATE SET is_waiting = true WHERE NOT w.is_waiting;
        ELSE
            UPDATE study_without_patient SET is_waiting = false, is_due = false WHERE study_fk = one AND is_waiting;
        END IF;
    END LOOP;
END
$$;

-- What an empty issuer means for a device is fixed when a study comes: taking the meaning away later takes no study away.
CREATE FUNCTION study_takes_issuer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.assumed_issuer := coalesce((SELECT d.issuer FROM default_issuer d WHERE d.calling_ae_title = ''), '');
    RETURN NEW;
END
$$;
CREATE TRIGGER study_takes_issuer BEFORE INSERT ON study FOR EACH ROW WHEN (NEW.assumed_issuer = '')
EXECUTE FUNCTION study_takes_issuer();

CREATE FUNCTION study_owner_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_owner_noted(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER study_owner_of_new AFTER INSERT ON study FOR EACH ROW EXECUTE FUNCTION study_owner_of_new();

CREATE FUNCTION study_owner_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM study_without_patient WHERE study_fk = OLD.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER study_owner_of_deleted AFTER DELETE ON study FOR EACH ROW EXECUTE FUNCTION study_owner_of_deleted();

CREATE FUNCTION study_owner_of_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM study_owner_noted(ARRAY(SELECT id FROM study
        WHERE study_instance_uid = coalesce(NEW.study_instance_uid, OLD.study_instance_uid)));
    RETURN NULL;
END
$$;
-- At the commit too: whoever moves studies writes this list after it has the locks.
CREATE CONSTRAINT TRIGGER study_owner_of_moved AFTER INSERT OR UPDATE OR DELETE ON study_move
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION study_owner_of_moved();

-- Studies that a change of a file may concern: those of its identifiers, those shown under it, those given to it by a person.
CREATE FUNCTION study_owners_change() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wanted bigint[];
BEGIN
    SELECT array_agg(DISTINCT f) INTO wanted
      FROM unnest(array_remove(ARRAY[NEW.patient_fk, NEW.other_patient_fk], NULL)) r,
           LATERAL (SELECT r AS f UNION SELECT registered_root(r)) x;
    PERFORM study_owner_noted(ARRAY(
        SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id WHERE p.registered_fk = ANY (wanted)
        UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value AND p.registered_fk IS NULL
            JOIN study s ON s.patient_fk = p.id WHERE i.patient_fk = ANY (wanted)
        UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value AND p.registered_fk IS NULL
            JOIN study s ON s.received_patient_fk = p.id WHERE i.patient_fk = ANY (wanted)));
    RETURN NULL;
END
$$;
-- Its name comes after archive_follows: that one takes the locks.
CREATE CONSTRAINT TRIGGER study_owners_change AFTER INSERT ON patient_change DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION study_owners_change();

-- Which device a study that nobody has came from.
CREATE FUNCTION study_sender_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE study_without_patient SET calling_ae_title = NEW.calling_ae_title
     WHERE study_fk = NEW.study_fk AND calling_ae_title = '';
    RETURN NULL;
END
$$;
CREATE TRIGGER study_sender_noted AFTER INSERT ON arrival FOR EACH ROW WHEN (NEW.calling_ae_title <> '')
EXECUTE FUNCTION study_sender_noted();

INSERT INTO study_without_patient (study_fk)
SELECT s.id FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE p.registered_fk IS NULL AND archive_registered_of(s.id) IS NULL;
"""

DOWNGRADE = """
DROP TRIGGER study_sender_noted ON arrival;
DROP TRIGGER study_owners_change ON patient_change;
DROP TRIGGER study_owner_of_moved ON study_move;
DROP TRIGGER study_owner_of_deleted ON study;
DROP TRIGGER study_owner_of_new ON study;
DROP TRIGGER study_takes_issuer ON study;
DROP FUNCTION study_sender_noted(), study_owners_change(), study_owner_of_moved(), study_owner_of_deleted(),
    study_owner_of_new(), study_takes_issuer(), study_owner_noted(bigint[]);
DROP TABLE study_without_patient;
"""


def upgrade() -> None:
    """Make the list and what keeps it, and find what belongs on it already."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
