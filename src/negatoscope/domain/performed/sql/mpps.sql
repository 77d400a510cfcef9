-- Performed procedure steps.

-- name: insert
INSERT INTO performed_procedure_step (sop_instance_uid, performed_procedure_step_id, state, performed_station_ae_title,
    calling_ae_title, modality, started_at, ended_at, patient_fk, data_set, series_count, instance_count, flags)
VALUES (%(uid)s, %(step_id)s, 'IN PROGRESS', %(station)s, %(calling)s, %(modality)s, %(started_at)s, %(ended_at)s, %(patient)s,
    %(data_set)s, %(series)s, %(instances)s, %(flags)s)
ON CONFLICT (sop_instance_uid) DO NOTHING RETURNING id

-- name: lock
SELECT id, state, data_set, flags, patient_fk FROM performed_procedure_step WHERE sop_instance_uid = %(uid)s FOR UPDATE

-- name: lock_by_id
SELECT id, state, data_set, flags, patient_fk, sop_instance_uid, version FROM performed_procedure_step WHERE id = %(id)s FOR UPDATE

-- name: update
UPDATE performed_procedure_step SET state = %(state)s, ended_at = coalesce(%(ended_at)s, CASE WHEN ended_by = '' THEN ended_at END), data_set = %(data_set)s,
    series_count = %(series)s, instance_count = %(instances)s, discontinuation_reason = %(reason)s, flags = %(flags)s,
    seen_at = CASE WHEN %(flags)s::text[] <@ flags THEN seen_at END, ended_by = '', updated_at = now(), version = version + 1
WHERE id = %(id)s

-- name: data_set
SELECT data_set FROM performed_procedure_step WHERE sop_instance_uid = %(uid)s

-- name: named_steps
-- Steps that an item of Scheduled Step Attributes Sequence may mean.
SELECT s.id, s.scheduled_procedure_step_id, s.state, p.id, p.study_instance_uid, r.id, r.accession_number, r.patient_fk
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE s.scheduled_procedure_step_id = %(step_id)s OR (%(step_id)s = '' AND p.study_instance_uid = %(study)s)
ORDER BY s.id

-- name: step
SELECT s.id, s.scheduled_procedure_step_id, s.state, p.id, p.study_instance_uid, r.id, r.accession_number, r.patient_fk
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE s.id = %(step)s

-- name: link
INSERT INTO performed_for (performed_fk, step_fk) VALUES (%(performed)s, %(step)s) ON CONFLICT DO NOTHING

-- name: linked
SELECT s.id, s.scheduled_procedure_step_id, s.state, p.id, p.study_instance_uid, r.id, r.accession_number, r.patient_fk
FROM performed_for f
JOIN scheduled_procedure_step s ON s.id = f.step_fk
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE f.performed_fk = %(performed)s ORDER BY s.id

-- name: performed_of_step
-- Everything performed for a step: what it amounts to is the step's state.
SELECT m.state, 'WRONG ENTRY' = ANY(m.flags) FROM performed_for f JOIN performed_procedure_step m ON m.id = f.performed_fk
WHERE f.step_fk = %(step)s

-- name: before_start
-- How far a step was before it began.
SELECT CASE WHEN identity_checked_at IS NOT NULL THEN 'READY' WHEN arrived_at IS NOT NULL THEN 'ARRIVED'
       WHEN start_at IS NOT NULL THEN 'SCHEDULED' END
FROM scheduled_procedure_step WHERE id = %(step)s

-- name: forward
INSERT INTO performed_forwarding (ae_title, sop_instance_uid, command, data_set)
VALUES (%(ae_title)s, %(uid)s, %(command)s, %(data_set)s)

-- name: seen
UPDATE performed_procedure_step SET seen_at = now(), seen_by = %(by)s, version = version + 1 WHERE id = %(id)s

-- name: linked_by_hand
UPDATE performed_procedure_step SET patient_fk = %(patient)s, flags = %(flags)s, seen_at = now(), seen_by = %(by)s,
    version = version + 1
WHERE id = %(id)s

-- name: overdue
-- Those that go on for too long, and are not flagged: flagged now, and shown to a person again.
UPDATE performed_procedure_step SET flags = array_append(flags, 'NOT ENDED'), seen_at = NULL, seen_by = '', version = version + 1
WHERE id = ANY(ARRAY(
    SELECT id FROM performed_procedure_step
    WHERE state = 'IN PROGRESS' AND created_at < %(before)s AND NOT 'NOT ENDED' = ANY(flags)
    ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING id

-- name: end_by_hand
UPDATE performed_procedure_step SET state = %(state)s, ended_at = coalesce(%(at)s, ended_at), ended_by = %(by)s,
    discontinuation_reason = %(reason)s, flags = array_remove(flags, 'NOT ENDED'), seen_at = now(), seen_by = %(by)s,
    updated_at = now(), version = version + 1
WHERE id = %(id)s

-- name: page
-- Newest first.
SELECT m.id, m.sop_instance_uid, m.performed_procedure_step_id, m.state, m.performed_station_ae_title, m.calling_ae_title, m.modality,
       m.started_at, m.ended_at, m.discontinuation_reason, m.patient_fk, m.flags, m.series_count, m.instance_count, m.created_at,
       m.updated_at, m.seen_at, m.seen_by, m.ended_by, m.version,
       coalesce((SELECT nullif(x.used_family_name, '') FROM registered_patient x WHERE x.id = m.patient_fk),
                (SELECT x.birth_family_name FROM registered_patient x WHERE x.id = m.patient_fk), ''),
       coalesce((SELECT nullif(x.used_given_name, '') FROM registered_patient x WHERE x.id = m.patient_fk),
                (SELECT x.birth_given_name FROM registered_patient x WHERE x.id = m.patient_fk), ''),
       coalesce((SELECT jsonb_agg(jsonb_build_object('step', s.id, 'scheduled_procedure_step_id', s.scheduled_procedure_step_id,
                   'state', s.state, 'procedure', p.id, 'request', p.request_fk, 'study_instance_uid', p.study_instance_uid,
                   'accession_number', r.accession_number) ORDER BY s.id)
         FROM performed_for f JOIN scheduled_procedure_step s ON s.id = f.step_fk JOIN requested_procedure p ON p.id = s.procedure_fk
         JOIN imaging_service_request r ON r.id = p.request_fk WHERE f.performed_fk = m.id), '[]')
FROM performed_procedure_step m
WHERE (%(before)s::bigint IS NULL OR m.id < %(before)s)
  AND (%(id)s::bigint IS NULL OR m.id = %(id)s)
  AND (%(state)s::text IS NULL OR m.state = %(state)s)
  AND (%(station)s::text IS NULL OR m.performed_station_ae_title = %(station)s)
  AND (%(step)s::bigint IS NULL OR EXISTS (SELECT FROM performed_for f WHERE f.performed_fk = m.id AND f.step_fk = %(step)s))
  AND (NOT %(flagged)s OR (m.flags <> '{}' AND m.seen_at IS NULL))
ORDER BY m.id DESC LIMIT %(limit)s
