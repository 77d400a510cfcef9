-- name: wanted_steps
-- Rooms: those of the catalogue, the default one first; none: every room with a device of the modality.
SELECT s.id, p.procedure_fk, p.duration_min, s.modality,
       coalesce((SELECT array_agg(r.room_fk ORDER BY r.room_fk IS DISTINCT FROM c.default_room_fk, r.room_fk)
                 FROM catalogue_room r WHERE r.procedure_fk = c.id), '{}'), p.wished_room_fk
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
WHERE s.id = ANY(%(steps)s)

-- name: wanted_procedures
SELECT c.id, c.duration_min, c.modality,
       coalesce((SELECT array_agg(r.room_fk ORDER BY r.room_fk IS DISTINCT FROM c.default_room_fk, r.room_fk)
                 FROM catalogue_room r WHERE r.procedure_fk = c.id), '{}')
FROM catalogue_procedure c WHERE c.id = ANY(%(procedures)s)

-- name: taken
-- Begin and end of each booking, as bytes: a hundred thousand rows would take longer to read than to find.
SELECT resource_fk, string_agg(timestamptz_send(lower(during)) || timestamptz_send(upper(during)), '')
FROM booking
WHERE resource_fk = ANY(%(resources)s) AND during && tstzrange(%(start_at)s, %(end_at)s)
  AND appointment_fk <> %(ignore)s
GROUP BY resource_fk

-- name: waiting_steps
-- Steps that have no appointment yet; what hinders booking is said, not hidden.
SELECT s.id, s.scheduled_procedure_step_id, s.modality, coalesce(nullif(s.description, ''), nullif(p.description, ''),
       p.code_meaning), p.duration_min, p.vetting, p.id, p.procedure_fk, r.id, r.accession_number, r.priority, r.state,
       registered_root(r.patient_fk), r.wished_at, r.created_at
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE s.state = 'WAITING' AND s.id > %(after)s
  AND (%(patient)s::bigint IS NULL OR r.patient_fk = ANY(ARRAY(SELECT registered_family(%(patient)s))))
  AND (%(request)s::bigint IS NULL OR r.id = %(request)s)
  AND (%(modality)s = '' OR s.modality = %(modality)s)
  AND NOT EXISTS (SELECT 1 FROM appointment_step l JOIN appointment a ON a.id = l.appointment_fk
                  WHERE l.step_fk = s.id AND a.state NOT IN ('CANCELLED', 'NOSHOW'))
ORDER BY s.id LIMIT %(limit)s
