-- name: changed_after
SELECT id, patient_fk, other_patient_fk FROM patient_change WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: last_of_yesterday
SELECT coalesce(max(id), 0) FROM patient_change WHERE at < now() - interval '1 day'
