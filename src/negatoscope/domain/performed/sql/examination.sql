-- One examination: a requested procedure with what was planned, done, sent, and the patient's others.

-- name: head
SELECT p.id, p.version, p.requested_procedure_id, p.study_instance_uid, p.state, p.vetting, p.vetting_reason, p.vetted_by,
       p.vetted_at, p.protocol,
       coalesce(nullif(p.description, ''), nullif(p.code_meaning, ''), c.label_fr, p.code_value),
       coalesce(c.label_fr, ''), coalesce(c.label_en, ''), p.code_value, p.coding_scheme_designator, p.modality,
       p.duration_min, coalesce(c.preparation_fr, ''), coalesce(c.preparation_en, ''),
       r.id, r.accession_number, r.state, r.priority, r.patient_fk
FROM requested_procedure p
JOIN imaging_service_request r ON r.id = p.request_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
WHERE p.id = %(procedure)s

-- name: steps
SELECT s.id, s.version, s.scheduled_procedure_step_id, s.state, s.modality, s.description, s.protocol_codes,
       s.start_at, s.end_at, s.arrived_at, s.identity_checked_at, s.identity_checked_by, s.started_at, s.ended_at,
       s.scheduled_station_ae_title, coalesce(d.name, ''), coalesce(room.name, ''), coalesce(room.location, ''),
       s.requested_contrast_agent, s.acquired_with, a.id, a.state, coalesce(a.note, '')
FROM scheduled_procedure_step s
LEFT JOIN resource d ON d.id = s.device_fk
LEFT JOIN LATERAL (
    SELECT t.id, t.state, t.note, coalesce(j.room_fk, (
        SELECT b.resource_fk FROM booking b JOIN resource z ON z.id = b.resource_fk AND z.kind = 'ROOM'
        WHERE b.appointment_fk = t.id ORDER BY b.id LIMIT 1)) AS room_fk
    FROM appointment_step j JOIN appointment t ON t.id = j.appointment_fk
    WHERE j.step_fk = s.id AND t.state <> 'CANCELLED' ORDER BY t.id DESC LIMIT 1) a ON true
LEFT JOIN resource room ON room.id = coalesce(a.room_fk, d.room_fk)
WHERE s.procedure_fk = %(procedure)s
ORDER BY s.start_at NULLS LAST, s.id

-- name: performed
SELECT f.id, f.sop_instance_uid, f.performed_procedure_step_id, f.state, f.performed_station_ae_title, f.modality,
       f.started_at, f.ended_at, f.discontinuation_reason, f.series_count, f.instance_count
FROM performed_procedure_step f
WHERE f.id IN (SELECT g.performed_fk FROM performed_for g JOIN scheduled_procedure_step s ON s.id = g.step_fk
               WHERE s.procedure_fk = %(procedure)s)
ORDER BY f.id

-- name: studies
SELECT study_instance_uid FROM study WHERE study_instance_uid = %(study_instance_uid)s
UNION
SELECT b.study_instance_uid FROM study_binding b JOIN study u USING (study_instance_uid)
WHERE b.procedure_fk = %(procedure)s AND b.state = 'BOUND'

-- name: others
-- The patient's procedures, newest first; one that was replaced is not among them.
SELECT p.id, coalesce(nullif(p.description, ''), nullif(p.code_meaning, ''), c.label_fr, p.code_value),
       coalesce(c.label_fr, ''), coalesce(c.label_en, ''), p.modality, p.state, r.accession_number,
       coalesce(t.at, r.wished_at, r.created_at), coalesce(m.instance_count, 0), coalesce(m.uids, '{}')
FROM requested_procedure p
JOIN imaging_service_request r ON r.id = p.request_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
LEFT JOIN LATERAL (
    SELECT min(coalesce(s.started_at, s.start_at)) AS at FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id) t ON true
LEFT JOIN LATERAL (
    SELECT sum(u.instance_count)::int AS instance_count, array_agg(u.study_instance_uid ORDER BY u.id) AS uids
    FROM study u
    WHERE u.study_instance_uid = ANY(p.study_instance_uid || ARRAY(
        SELECT e.study_instance_uid FROM study_binding e WHERE e.procedure_fk = p.id AND e.state = 'BOUND'))) m ON true
WHERE r.patient_fk = %(patient)s AND p.id <> %(procedure)s AND p.state <> 'REPLACED'
ORDER BY 8 DESC, p.id DESC LIMIT 200

-- name: unordered
-- Studies of the patient that belong to no procedure: from before the department kept orders.
SELECT u.study_instance_uid, coalesce(u.study_description, ''), u.modalities_in_study, u.accession_number, u.study_date,
       u.instance_count
FROM patient x JOIN study u ON u.patient_fk = x.id
WHERE x.registered_fk = %(patient)s AND u.instance_count > 0
  AND NOT EXISTS (SELECT 1 FROM study_binding b WHERE b.study_instance_uid = u.study_instance_uid AND b.state = 'BOUND')
  AND NOT EXISTS (SELECT 1 FROM requested_procedure p WHERE p.study_instance_uid = u.study_instance_uid)
ORDER BY u.study_date DESC NULLS LAST, u.id DESC LIMIT 200
