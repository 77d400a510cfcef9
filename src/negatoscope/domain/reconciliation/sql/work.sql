-- What waits at the desk.

-- name: counts
SELECT (SELECT count(*) FROM (SELECT 1 FROM duplicate_pair d
            JOIN registered_patient a ON a.id = d.first_fk AND a.merged_into IS NULL
            JOIN registered_patient b ON b.id = d.second_fk AND b.merged_into IS NULL WHERE d.state = 'OPEN' LIMIT %(most)s) x),
       (SELECT count(*) FROM (SELECT 1 FROM study_without_patient w JOIN study s ON s.id = w.study_fk
            LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid
            WHERE w.is_waiting AND b.state IS DISTINCT FROM 'PUT ASIDE' LIMIT %(most)s) x),
       (SELECT count(*) FROM (SELECT 1 FROM study_binding WHERE state = 'UNBOUND' LIMIT %(most)s) x),
       (SELECT count(*) FROM (SELECT 1 FROM registered_patient r WHERE r.merged_into IS NULL AND {unidentified} LIMIT %(most)s) x)

-- name: without_patient
-- However old; what somebody put aside waits for nobody.
SELECT {columns} FROM study_without_patient n JOIN study s ON s.id = n.study_fk JOIN patient p ON p.id = s.patient_fk
     LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid
WHERE n.is_waiting AND (%(after)s::bigint IS NULL OR n.study_fk < %(after)s) AND b.state IS DISTINCT FROM 'PUT ASIDE'
ORDER BY n.study_fk DESC LIMIT %(limit)s

-- name: without_order
SELECT {columns} FROM study_binding b JOIN study s ON s.study_instance_uid = b.study_instance_uid
     JOIN patient p ON p.id = s.patient_fk
WHERE b.state = 'UNBOUND' AND (%(after)s::bigint IS NULL OR s.id < %(after)s) ORDER BY s.id DESC LIMIT %(limit)s

-- name: study
SELECT {columns} FROM study s JOIN patient p ON p.id = s.patient_fk
     LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid WHERE s.study_instance_uid = %(study)s

-- name: studies_of
SELECT {columns} FROM study s JOIN patient p ON p.id = s.patient_fk
     LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid
WHERE s.id IN (
    SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id WHERE p.registered_fk = %(patient)s
    UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value JOIN study s ON s.patient_fk = p.id
        WHERE i.patient_fk = %(patient)s AND archive_registered_of(s.id) = %(patient)s)
ORDER BY s.study_date DESC NULLS LAST, s.id DESC LIMIT %(limit)s

-- name: unidentified
SELECT r.id FROM registered_patient r WHERE r.merged_into IS NULL AND {unidentified}
  AND (%(after)s::bigint IS NULL OR r.id < %(after)s) ORDER BY r.id DESC LIMIT %(limit)s

-- name: orders_of
SELECT p.id, r.id, r.accession_number, p.code_meaning, p.description, p.modality, p.state, r.created_at,
       (SELECT min(s.start_at) FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id),
       (SELECT b.study_instance_uid FROM study_binding b WHERE b.procedure_fk = p.id LIMIT 1), r.patient_fk
FROM imaging_service_request r JOIN requested_procedure p ON p.request_fk = r.id
WHERE r.patient_fk = %(patient)s ORDER BY r.id DESC, p.id LIMIT %(limit)s

-- name: orders_near
-- Orders a study may have been made for: of its patient; of anybody with its accession number; those without images first.
SELECT p.id, r.id, r.accession_number, p.code_meaning, p.description, p.modality, p.state, r.created_at, x.start_at,
       (SELECT b.study_instance_uid FROM study_binding b WHERE b.procedure_fk = p.id LIMIT 1), r.patient_fk
FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk,
     LATERAL (SELECT min(s.start_at) AS start_at FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id) x
WHERE p.state NOT IN ('CANCELED', 'REPLACED')
  AND (r.patient_fk = %(patient)s OR (r.accession_number = %(accession)s AND %(accession)s <> ''))
ORDER BY r.accession_number <> %(accession)s, p.modality <> ALL (%(modalities)s::text[]),
         abs(extract(epoch FROM coalesce(x.start_at, r.created_at) - coalesce(%(at)s::timestamptz, now()))), p.id LIMIT %(limit)s

-- name: patients_near
-- Registered patients who have the number of a study, whoever gave it, or its birth date and a name of it: to be looked at.
SELECT id FROM (
    SELECT i.patient_fk AS id, 0 AS place FROM registered_identifier i WHERE i.value = %(patient_id)s AND i.until IS NULL
    UNION ALL SELECT r.id, 1 FROM registered_patient r WHERE r.birth_date = %(birth_date)s AND %(birth_date)s <> ''
        AND string_to_array(r.name_folded, ' ') && %(names)s::text[]) x
WHERE NOT EXISTS (SELECT FROM registered_patient r WHERE r.id = x.id AND r.merged_into IS NOT NULL)
GROUP BY id ORDER BY min(place), id LIMIT %(limit)s
