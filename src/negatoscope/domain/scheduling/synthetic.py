"""Steps of nobody, for measuring: as many as asked for, spread over some days and devices."""

from typing import Any

import psycopg

_FILL = """
WITH authority AS (
    INSERT INTO assigning_authority (namespace) VALUES ('SYNTHETIC') ON CONFLICT DO NOTHING RETURNING id
), who AS (
    SELECT id FROM authority UNION SELECT id FROM assigning_authority WHERE namespace = 'SYNTHETIC' AND universal_id = '' LIMIT 1
), made AS (
    INSERT INTO registered_patient (birth_family_name, birth_given_name, name_folded, birth_date, sex)
    SELECT 'ESSAI' || n, 'ZOÉ', 'essai' || n || ' zoe', to_char(date '1930-01-01' + (n * 37) %% 30000, 'YYYYMMDD'), 'F'
    FROM generate_series(1, %(steps)s / 2) n RETURNING id
), people AS (
    SELECT id, row_number() OVER () AS n FROM made
), numbers AS (
    INSERT INTO registered_identifier (patient_fk, authority_fk, value, type_code)
    SELECT people.id, who.id, 'SY' || people.id, 'PI' FROM people, who
), requests AS (
    INSERT INTO imaging_service_request (patient_fk, accession_number, filler_order_number, requesting_service, priority,
        clinical_question, state, source)
    SELECT people.id, 'SY' || people.id || '-' || k, 'SY' || people.id || '-' || k, 'URGENCES',
           CASE WHEN people.n %% 50 = 0 THEN 'STAT' ELSE 'ROUTINE' END, 'Recherche de fracture', 'SCHEDULED', 'system:synthetic'
    FROM people, generate_series(1, 2) k RETURNING id
), asked AS (
    INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid, code_value, coding_scheme_designator,
        code_meaning, description, modality, state)
    SELECT id, 'SYP' || id, '2.25.4242' || id, 'ZBQK002', 'CCAM', 'Thorax', 'Radiographie du thorax', 'CR', 'SCHEDULED'
    FROM requests RETURNING id
), procedures AS (
    SELECT id, row_number() OVER () AS n FROM asked
)
INSERT INTO scheduled_procedure_step (procedure_fk, scheduled_procedure_step_id, modality, description, protocol_codes,
    scheduled_station_ae_title, start_at, end_at, state)
SELECT id, 'SYS' || id, (ARRAY['CR', 'CT', 'MR', 'US', 'MG'])[1 + (n / %(days)s) %% 30 %% 5],
       'Thorax face', '[{"code_value": "TX", "coding_scheme_designator": "99LOCAL", "code_meaning": "Thorax"}]',
       'DEVICE' || (n / %(days)s) %% 30,
       date_trunc('day', now()) + make_interval(days => (n %% %(days)s)::int, mins => (420 + (n * 7) %% 700)::int),
       date_trunc('day', now()) + make_interval(days => (n %% %(days)s)::int, mins => (440 + (n * 7) %% 700)::int), 'SCHEDULED'
FROM procedures
"""


def fill_worklist(connection: psycopg.Connection[Any], *, steps: int, days: int = 20) -> None:
    """Write orders with one scheduled step each.

    Args:
        connection: In a transaction of the caller's.
        steps: How many.
        days: From today on, over how many days; on thirty devices.
    """
    connection.execute(_FILL, {"steps": steps, "days": days})
    for table in (
        *("registered_patient", "registered_identifier", "imaging_service_request"),
        *("requested_procedure", "scheduled_procedure_step"),
    ):
        connection.execute(f"ANALYZE {table}")
