"""Whom units care for is asked by one function; those who ask know no table of stays."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UPGRADE = """
-- The archive's patients whom units lodge, treat or care for, or did so many days ago at most: from a movement into a
-- unit to the next movement, or the end of the stay, and those days more.
CREATE FUNCTION patients_in_care(units text[], days integer) RETURNS SETOF bigint STABLE LANGUAGE sql AS $$
    WITH cared_for AS MATERIALIZED (
        SELECT DISTINCT registered_root(e.patient_fk) AS id FROM movement m JOIN encounter e ON e.id = m.encounter_fk
        WHERE NOT m.is_cancelled AND e.state <> 'CANCELLED'
          AND ARRAY[m.lodging_unit, m.medical_unit, m.care_unit] && units
          AND coalesce(
                (SELECT min(n.happened_at) FROM movement n
                 WHERE n.encounter_fk = e.id AND NOT n.is_cancelled AND n.happened_at > m.happened_at),
                e.discharged_at, now()
              ) > now() - make_interval(days => days)
    )
    SELECT p.id FROM cared_for c JOIN patient p ON p.registered_fk = c.id
    UNION
    SELECT p.id FROM cared_for c
    JOIN registered_identifier i ON i.patient_fk = c.id AND i.until IS NULL AND i.type_code NOT IN ('AN', 'VN')
    JOIN assigning_authority a ON a.id = i.authority_fk
    JOIN patient p ON p.patient_id = i.value AND p.issuer_of_patient_id IN (nullif(a.namespace, ''), nullif(a.universal_id, ''))
    WHERE archive_is_registered(p.patient_name_folded, p.patient_birth_date, c.id)
$$;
"""

DOWNGRADE = """
DROP FUNCTION patients_in_care(text[], integer);
"""


def upgrade() -> None:
    """Add the function."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute(DOWNGRADE)
