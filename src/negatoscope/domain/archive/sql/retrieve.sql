-- Where stored objects lie. Instances come in the order of their study, series number and
-- instance number; pages are cut by the last key seen, never by OFFSET.

-- name: series_of
-- The series a retrieve names, by any of its keys; NULL means the key was not given.
SELECT e.id, s.study_instance_uid, e.series_instance_uid, e.instance_count,
       e.metadata_segment, e.metadata_offset, e.metadata_length,
       CASE WHEN s.received_patient_fk IS NOT NULL THEN s.patient_fk END,
       s.received_patient_fk IS NOT NULL AND EXISTS (SELECT FROM study_move m WHERE m.study_instance_uid = s.study_instance_uid)
FROM study s JOIN series e ON e.study_fk = s.id
WHERE (%(study)s::text[] IS NULL OR s.study_instance_uid = ANY (%(study)s))
  AND (%(series)s::text[] IS NULL OR e.series_instance_uid = ANY (%(series)s))
ORDER BY s.study_date NULLS LAST, s.id, e.series_number NULLS LAST, e.id

-- name: series_of_patient
SELECT e.id, s.study_instance_uid, e.series_instance_uid, e.instance_count,
       e.metadata_segment, e.metadata_offset, e.metadata_length,
       CASE WHEN s.received_patient_fk IS NOT NULL THEN s.patient_fk END,
       s.received_patient_fk IS NOT NULL AND EXISTS (SELECT FROM study_move m WHERE m.study_instance_uid = s.study_instance_uid)
FROM patient p JOIN study s ON s.patient_fk = p.id JOIN series e ON e.study_fk = s.id
WHERE p.patient_id = ANY (%(patient)s)
  AND (%(issuer)s::text IS NULL OR p.issuer_of_patient_id = %(issuer)s)
  AND (%(study)s::text[] IS NULL OR s.study_instance_uid = ANY (%(study)s))
  AND (%(series)s::text[] IS NULL OR e.series_instance_uid = ANY (%(series)s))
ORDER BY s.study_date NULLS LAST, s.id, e.series_number NULLS LAST, e.id

-- name: series_by_id
SELECT e.id, s.study_instance_uid, e.series_instance_uid, e.instance_count,
       e.metadata_segment, e.metadata_offset, e.metadata_length,
       CASE WHEN s.received_patient_fk IS NOT NULL THEN s.patient_fk END,
       s.received_patient_fk IS NOT NULL AND EXISTS (SELECT FROM study_move m WHERE m.study_instance_uid = s.study_instance_uid)
FROM series e JOIN study s ON s.id = e.study_fk WHERE e.id = %(series)s

-- name: several_series
-- All instances of a few small series.
SELECT i.id, i.series_fk, i.segment_fk, i.segment_offset, i.size, i.pixel_offset, i.data_set_offset,
       i.sop_class, i.transfer_syntax, i.instance_number, i.number_of_frames, i.frame_length,
       i."rows", i."columns", i.bits_allocated, i.crc32, i.sop_instance_uid, i.sha256,
       CASE WHEN %(frame_index)s THEN i.frame_index END
FROM instance i
WHERE i.series_fk = ANY (%(series)s)
ORDER BY array_position(%(series)s, i.series_fk), i.instance_number NULLS LAST, i.id

-- name: numbered_page
-- The next instances of one long series that have an instance number.
SELECT i.id, i.series_fk, i.segment_fk, i.segment_offset, i.size, i.pixel_offset, i.data_set_offset,
       i.sop_class, i.transfer_syntax, i.instance_number, i.number_of_frames, i.frame_length,
       i."rows", i."columns", i.bits_allocated, i.crc32, i.sop_instance_uid, i.sha256,
       CASE WHEN %(frame_index)s THEN i.frame_index END
FROM instance i
WHERE i.series_fk = %(series)s AND i.instance_number >= %(number)s
  AND (i.instance_number, i.id) > (%(number)s, %(id)s)
ORDER BY i.instance_number, i.id
LIMIT %(limit)s

-- name: unnumbered_page
-- The next instances of one long series that have none.
SELECT i.id, i.series_fk, i.segment_fk, i.segment_offset, i.size, i.pixel_offset, i.data_set_offset,
       i.sop_class, i.transfer_syntax, i.instance_number, i.number_of_frames, i.frame_length,
       i."rows", i."columns", i.bits_allocated, i.crc32, i.sop_instance_uid, i.sha256,
       CASE WHEN %(frame_index)s THEN i.frame_index END
FROM instance i
WHERE i.series_fk = %(series)s AND i.instance_number IS NULL AND i.id > %(id)s
ORDER BY i.id
LIMIT %(limit)s

-- name: instances_by_uid
SELECT i.id, i.series_fk, i.segment_fk, i.segment_offset, i.size, i.pixel_offset, i.data_set_offset,
       i.sop_class, i.transfer_syntax, i.instance_number, i.number_of_frames, i.frame_length,
       i."rows", i."columns", i.bits_allocated, i.crc32, i.sop_instance_uid, i.sha256,
       CASE WHEN %(frame_index)s THEN i.frame_index END,
       s.study_instance_uid, e.series_instance_uid,
       CASE WHEN s.received_patient_fk IS NOT NULL THEN s.patient_fk END,
       s.received_patient_fk IS NOT NULL AND EXISTS (SELECT FROM study_move m WHERE m.study_instance_uid = s.study_instance_uid)
FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
                JOIN patient p ON p.id = s.patient_fk
WHERE i.sop_instance_uid = ANY (%(sop)s)
  AND (%(series)s::text[] IS NULL OR e.series_instance_uid = ANY (%(series)s))
  AND (%(study)s::text[] IS NULL OR s.study_instance_uid = ANY (%(study)s))
  AND (%(patient)s::text[] IS NULL OR p.patient_id = ANY (%(patient)s))
  AND (%(issuer)s::text IS NULL OR p.issuer_of_patient_id = %(issuer)s)
ORDER BY s.study_date NULLS LAST, s.id, e.series_number NULLS LAST, e.id, i.instance_number NULLS LAST, i.id

-- name: location
SELECT i.segment_fk, i.segment_offset, i.size, i.pixel_offset, i.data_set_offset, i.frame_index
FROM instance i WHERE i.id = %(id)s

-- name: kinds_of_series
-- What a retrieve will send: its SOP classes and transfer syntaxes, with counts.
SELECT i.sop_class, i.transfer_syntax, count(*), sum(i.size)::bigint
FROM instance i WHERE i.series_fk = ANY (%(series)s)
GROUP BY i.sop_class, i.transfer_syntax ORDER BY 3 DESC, 1, 2

-- name: kinds_by_uid
SELECT i.sop_class, i.transfer_syntax, count(*), sum(i.size)::bigint
FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
                JOIN patient p ON p.id = s.patient_fk
WHERE i.sop_instance_uid = ANY (%(sop)s)
  AND (%(series)s::text[] IS NULL OR e.series_instance_uid = ANY (%(series)s))
  AND (%(study)s::text[] IS NULL OR s.study_instance_uid = ANY (%(study)s))
  AND (%(patient)s::text[] IS NULL OR p.patient_id = ANY (%(patient)s))
  AND (%(issuer)s::text IS NULL OR p.issuer_of_patient_id = %(issuer)s)
GROUP BY i.sop_class, i.transfer_syntax ORDER BY 3 DESC, 1, 2

-- name: segments
SELECT id, name, volume FROM segment WHERE id = ANY (%(ids)s)

-- name: uid_codes
SELECT id, uid FROM uid_code WHERE id = ANY (%(ids)s)

-- name: set_verified
UPDATE instance SET verified_at = now() WHERE id = ANY (%(ids)s)

-- name: add_damage_task
-- The same task as that of a verification which fails.
INSERT INTO task (kind, subject, detail) VALUES ('digest-mismatch', %(subject)s, %(detail)s) ON CONFLICT DO NOTHING

-- name: identities
-- Who the patients of some studies are now, when that is not what their objects say.
SELECT p.id, p.patient_id, p.issuer_of_patient_id, p.patient_name, p.patient_birth_date, p.patient_sex,
       p.attributes, p.changed_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(o.identifier, o.issuer) ORDER BY o.issuer, o.identifier), '[]')
        FROM patient_identifier o WHERE o.patient_fk = p.id)
FROM patient p WHERE p.id = ANY (%(ids)s)
