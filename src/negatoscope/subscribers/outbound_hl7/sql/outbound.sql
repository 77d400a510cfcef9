-- name: event
-- What happened, with the request and the procedure that it concerns.
SELECT e.detail, e.source,
       coalesce(e.request_fk, p.request_fk, (SELECT q.request_fk FROM scheduled_procedure_step s
           JOIN requested_procedure q ON q.id = s.procedure_fk WHERE s.id = e.step_fk)),
       coalesce(e.procedure_fk, (SELECT s.procedure_fk FROM scheduled_procedure_step s WHERE s.id = e.step_fk))
FROM workflow_event e LEFT JOIN requested_procedure p ON p.id = e.procedure_fk
WHERE e.id = %(id)s

-- name: appointment
SELECT a.id, a.patient_fk, lower(a.during), upper(a.during), a.state, a.state_reason, a.note,
       a.placer_appointment_id
FROM appointment a WHERE a.id = %(id)s

-- name: appointment_steps
SELECT s.id, q.request_fk FROM appointment_step x
JOIN scheduled_procedure_step s ON s.id = x.step_fk
JOIN requested_procedure q ON q.id = s.procedure_fk
WHERE x.appointment_fk = %(id)s ORDER BY s.start_at NULLS LAST, s.id

-- name: appointment_resources
SELECT r.kind, r.name, r.location, r.modality, r.ae_title, r.profession, r.rpps, lower(b.during), upper(b.during)
FROM booking b JOIN resource r ON r.id = b.resource_fk
WHERE b.appointment_fk = %(id)s ORDER BY r.kind, r.name, lower(b.during)

-- name: patient_change
SELECT patient_fk, other_patient_fk, kind, before, after, source FROM patient_change WHERE id = %(id)s

-- name: last_patient_change
SELECT id FROM patient_change WHERE patient_fk = %(patient)s ORDER BY id DESC LIMIT 1

-- name: message
SELECT content, message_code, trigger_event, control_id, version_id, patient_identifiers, sending_application,
       sending_facility, effect FROM hl7_message WHERE id = %(id)s

-- name: patient_class
SELECT patient_class FROM encounter
WHERE patient_fk = %(patient)s AND %(number)s <> '' AND (visit_number = %(number)s OR account_number = %(number)s)
ORDER BY (visit_number = %(number)s) DESC, id DESC LIMIT 1
