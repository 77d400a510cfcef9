-- Which requested procedure a study of the archive belongs to.

-- name: study
-- What a study says of itself, of its patient and of what it was made for.
SELECT s.id, coalesce(s.accession_number, ''), coalesce(s.attributes #> '{00080051,Value,0}', '{}'::jsonb),
       coalesce(p.patient_id, ''), p.issuer_of_patient_id, coalesce(p.attributes #> '{00100024,Value,0}', '{}'::jsonb),
       p.patient_name_folded, coalesce(to_char(p.patient_birth_date, 'YYYYMMDD'), ''), archive_registered_of(s.id)
FROM study s JOIN patient p ON p.id = s.patient_fk WHERE s.study_instance_uid = %(study)s

-- name: request_attributes
-- Requested Procedure ID and Scheduled Procedure Step ID of Request Attributes Sequence (0040,0275), of every series.
SELECT DISTINCT item #>> '{00401001,Value,0}', item #>> '{00400009,Value,0}'
FROM series e, LATERAL jsonb_array_elements(
    CASE jsonb_typeof(e.attributes #> '{00400275,Value}') WHEN 'array' THEN e.attributes #> '{00400275,Value}' ELSE '[]' END) item
WHERE e.study_fk = %(study)s AND jsonb_typeof(item) = 'object'

-- name: procedures_by_study
SELECT p.id, p.request_fk, r.patient_fk, p.requested_procedure_id, p.state,
       ARRAY(SELECT s.scheduled_procedure_step_id FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id)
FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk
WHERE p.study_instance_uid = %(study)s ORDER BY p.id

-- name: requests_by_accession
SELECT id, issuer_of_accession_number FROM imaging_service_request WHERE accession_number = %(accession)s ORDER BY id

-- name: procedures_of_request
SELECT p.id, p.request_fk, r.patient_fk, p.requested_procedure_id, p.state,
       ARRAY(SELECT s.scheduled_procedure_step_id FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id)
FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk
WHERE p.request_fk = %(request)s ORDER BY p.id

-- name: procedure
SELECT p.id, p.request_fk, r.patient_fk, p.requested_procedure_id, p.state, '{}'::text[]
FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk WHERE p.id = %(procedure)s

-- name: binding
SELECT b.study_instance_uid, b.state, b.reason, b.procedure_fk, b.patient_fk, b.decided_by, b.first_arrival_at, b.decided_at,
       p.request_fk
FROM study_binding b LEFT JOIN requested_procedure p ON p.id = b.procedure_fk WHERE b.study_instance_uid = %(study)s

-- name: lock
-- One decision about a study at a time, also about one that has no row yet.
SELECT pg_advisory_xact_lock(hashtextextended('study binding ' || %(study)s, 0))

-- name: write
INSERT INTO study_binding (study_instance_uid, procedure_fk, patient_fk, state, reason, decided_by)
VALUES (%(study)s, %(procedure)s, %(patient)s, %(state)s, %(reason)s, %(by)s)
ON CONFLICT (study_instance_uid) DO UPDATE SET procedure_fk = excluded.procedure_fk, patient_fk = excluded.patient_fk,
    state = excluded.state, reason = excluded.reason, decided_by = excluded.decided_by, decided_at = now(),
    told_event = CASE WHEN study_binding.procedure_fk IS NOT DISTINCT FROM excluded.procedure_fk THEN study_binding.told_event END

-- name: unbound_for_request
-- Studies that an order may be for and nobody bound: those looked at in vain, and those of before.
SELECT s.study_instance_uid FROM study s LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid
WHERE (s.study_instance_uid IN (SELECT study_instance_uid FROM requested_procedure WHERE request_fk = %(request)s)
       OR s.accession_number = (SELECT accession_number FROM imaging_service_request WHERE id = %(request)s))
  AND (b.study_instance_uid IS NULL OR (b.state = 'UNBOUND' AND b.decided_by = %(rule)s))
ORDER BY s.study_instance_uid LIMIT 200

-- name: unbound_for_patients
-- Studies left unbound because of whose they are, that fit an order of a patient whose file changed.
SELECT b.study_instance_uid FROM study_binding b JOIN study s ON s.study_instance_uid = b.study_instance_uid
WHERE b.state = 'UNBOUND' AND b.reason IN ('patient-differs', 'patient-unclear') AND EXISTS (
    SELECT 1 FROM imaging_service_request r LEFT JOIN requested_procedure p ON p.request_fk = r.id
    WHERE r.patient_fk = ANY(%(patients)s) AND (p.study_instance_uid = b.study_instance_uid OR r.accession_number = s.accession_number))
ORDER BY b.study_instance_uid LIMIT 200

-- name: undecided
-- Studies nothing was decided about, oldest first, from one on.
SELECT s.id, s.study_instance_uid FROM study s
WHERE s.id > %(after)s AND s.created_at >= %(since)s
  AND NOT EXISTS (SELECT 1 FROM study_binding b WHERE b.study_instance_uid = s.study_instance_uid)
ORDER BY s.id LIMIT %(limit)s

-- name: has_candidate
-- Whether any order fits a study at all.
SELECT EXISTS (SELECT 1 FROM requested_procedure WHERE study_instance_uid = %(study)s)
    OR EXISTS (SELECT 1 FROM study s JOIN imaging_service_request r ON r.accession_number = s.accession_number
               WHERE s.study_instance_uid = %(study)s)
