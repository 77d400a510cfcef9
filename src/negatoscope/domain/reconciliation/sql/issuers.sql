-- What an empty Issuer of Patient ID means, by device.

-- name: all
SELECT d.calling_ae_title, d.issuer,
       (SELECT count(*) FROM study_without_patient w JOIN study s ON s.id = w.study_fk
            JOIN patient p ON p.id = coalesce(s.received_patient_fk, s.patient_fk)
        WHERE w.is_waiting AND w.calling_ae_title = d.calling_ae_title AND p.issuer_of_patient_id = '' AND p.patient_id IS NOT NULL)
FROM default_issuer d ORDER BY d.calling_ae_title

-- name: senders
SELECT w.calling_ae_title, count(*) FROM study_without_patient w JOIN study s ON s.id = w.study_fk
     JOIN patient p ON p.id = coalesce(s.received_patient_fk, s.patient_fk)
WHERE w.is_waiting AND p.issuer_of_patient_id = '' AND p.patient_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM default_issuer d WHERE d.calling_ae_title = w.calling_ae_title)
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50

-- name: known
SELECT coalesce(nullif(namespace, ''), universal_id) FROM assigning_authority
WHERE universal_id NOT LIKE '1.2.250.1.213.1.4.%%' ORDER BY 1 LIMIT 200

-- name: lock
LOCK TABLE default_issuer IN SHARE ROW EXCLUSIVE MODE

-- name: drop
DELETE FROM default_issuer WHERE calling_ae_title <> ALL (%(titles)s::text[])

-- name: put
INSERT INTO default_issuer AS d (calling_ae_title, issuer, changed_by)
SELECT t, i, %(by)s FROM unnest(%(titles)s::text[], %(issuers)s::text[]) AS u(t, i)
ON CONFLICT (calling_ae_title) DO UPDATE SET issuer = excluded.issuer, changed_by = excluded.changed_by, changed_at = now()
WHERE d.issuer <> excluded.issuer

-- name: make_due
-- Those of whom the meaning is another one now than when they came.
UPDATE study_without_patient w SET is_due = true FROM study s, patient p
WHERE s.id = w.study_fk AND p.id = coalesce(s.received_patient_fk, s.patient_fk) AND w.is_waiting AND NOT w.is_due
  AND p.issuer_of_patient_id = '' AND p.patient_id IS NOT NULL
  AND s.assumed_issuer <> coalesce((SELECT d.issuer FROM default_issuer d WHERE d.calling_ae_title IN (w.calling_ae_title, '')
                                    ORDER BY d.calling_ae_title DESC LIMIT 1), '')

-- name: due
SELECT w.study_fk, s.study_instance_uid FROM study_without_patient w JOIN study s ON s.id = w.study_fk
WHERE w.is_due ORDER BY w.study_fk LIMIT %(limit)s

-- name: assume
UPDATE study s SET assumed_issuer = coalesce((SELECT d.issuer FROM default_issuer d
    WHERE d.calling_ae_title IN (w.calling_ae_title, '') ORDER BY d.calling_ae_title DESC LIMIT 1), '')
FROM study_without_patient w WHERE s.id = %(study)s AND w.study_fk = s.id

-- name: follow
SELECT archive_follow(ARRAY[o]) FROM archive_registered_of(%(study)s) o WHERE o IS NOT NULL

-- name: looked_at
UPDATE study_without_patient SET is_due = false WHERE study_fk = %(study)s

-- name: note
SELECT study_owner_noted(ARRAY[%(study)s::bigint])
