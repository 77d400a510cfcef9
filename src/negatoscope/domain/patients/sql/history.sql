-- name: changed_after
SELECT id, patient_fk, other_patient_fk FROM patient_change WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: last_of_yesterday
SELECT coalesce(max(id), 0) FROM patient_change WHERE at < now() - interval '1 day'

-- name: record
INSERT INTO patient_change (patient_fk, other_patient_fk, kind, before, after, source)
VALUES (%(patient)s, %(other)s, %(kind)s, %(before)s, %(after)s, %(source)s) RETURNING id

-- name: of_file
SELECT id, patient_fk, at, kind, before, after, source, other_patient_fk FROM patient_change
WHERE patient_fk = %(patient)s ORDER BY id
