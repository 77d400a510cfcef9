-- What stands on labels and in letters.

-- name: label
SELECT x.birth_family_name, x.birth_given_name, x.birth_further, x.used_family_name, x.used_given_name, x.birth_date,
       x.sex, coalesce(i.value, ''), coalesce(i.namespace, ''), r.accession_number,
       coalesce(nullif(p.description, ''), nullif(p.code_meaning, ''), c.label_fr, p.code_value), p.modality,
       (SELECT min(s.start_at) FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id AND s.state <> 'CANCELED'),
       coalesce(nullif(r.requesting_service, ''), r.current_patient_location)
FROM requested_procedure p
JOIN imaging_service_request r ON r.id = p.request_fk
JOIN registered_patient x ON x.id = r.patient_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
LEFT JOIN LATERAL (
    SELECT n.value, o.namespace FROM registered_identifier n JOIN assigning_authority o ON o.id = n.authority_fk
    WHERE n.patient_fk = x.id AND n.until IS NULL AND n.type_code IN ('PI', '')
    ORDER BY n.type_code DESC, n.id LIMIT 1) i ON true
WHERE p.id = %(procedure)s

-- name: letter
-- A row for each step of the visit.
SELECT x.birth_family_name, x.birth_given_name, x.used_family_name, x.used_given_name, x.birth_date, x.sex, x.address,
       coalesce(i.value, ''), a.note,
       coalesce(nullif(CASE WHEN %(is_french)s THEN c.label_fr ELSE c.label_en END, ''), nullif(p.description, ''),
                nullif(p.code_meaning, ''), c.label_fr, p.code_value),
       coalesce(j.start_at, s.start_at, lower(a.during)), coalesce(room.name, ''), coalesce(room.location, ''),
       coalesce(CASE WHEN %(is_french)s THEN c.preparation_fr ELSE coalesce(nullif(c.preparation_en, ''), c.preparation_fr) END, ''),
       r.accession_number, coalesce(c.contrast <> 'NONE', false), coalesce(c.safety_questions, '{}')
FROM appointment a
JOIN appointment_step j ON j.appointment_fk = a.id
JOIN scheduled_procedure_step s ON s.id = j.step_fk AND s.state <> 'CANCELED'
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
JOIN registered_patient x ON x.id = a.patient_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
LEFT JOIN resource d ON d.id = s.device_fk
LEFT JOIN LATERAL (
    SELECT b.resource_fk FROM booking b JOIN resource z ON z.id = b.resource_fk AND z.kind = 'ROOM'
    WHERE b.appointment_fk = a.id ORDER BY b.id LIMIT 1) k ON true
LEFT JOIN resource room ON room.id = coalesce(j.room_fk, d.room_fk, k.resource_fk)
LEFT JOIN LATERAL (
    SELECT n.value FROM registered_identifier n
    WHERE n.patient_fk = x.id AND n.until IS NULL AND n.type_code IN ('PI', '')
    ORDER BY n.type_code DESC, n.id LIMIT 1) i ON true
WHERE a.id = %(appointment)s AND a.during IS NOT NULL AND a.state <> 'CANCELLED'
ORDER BY 11, s.id
