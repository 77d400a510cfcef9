-- name: recent_studies
-- Newest first; the index study_date_id gives the order.
SELECT s.study_instance_uid, s.study_date, s.study_time, s.study_description, s.accession_number,
       s.modalities_in_study, s.series_count, s.instance_count, s.byte_count,
       p.patient_name, p.patient_id, p.patient_birth_date, p.patient_sex
FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE (%(first)s::date IS NULL OR s.study_date >= %(first)s)
  AND (%(last)s::date IS NULL OR s.study_date <= %(last)s)
  AND (%(modality)s::text IS NULL OR s.modalities_in_study @> ARRAY[%(modality)s::text])
ORDER BY s.study_date DESC NULLS LAST, s.id DESC
LIMIT %(limit)s OFFSET %(offset)s

-- name: found_studies
-- By name (every word somewhere in it), identifier or accession number: one index each.
WITH found AS (
    SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id
    WHERE p.patient_name_folded LIKE ALL (%(patterns)s::text[])
    UNION
    SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id
    WHERE p.patient_id = %(exact)s
    UNION
    SELECT s.id FROM patient_identifier i JOIN study s ON s.patient_fk = i.patient_fk
    WHERE i.identifier = %(exact)s
    UNION
    SELECT s.id FROM study s WHERE s.accession_number LIKE %(prefix)s
    UNION
    SELECT s.id FROM study s WHERE s.study_instance_uid = %(exact)s
)
SELECT s.study_instance_uid, s.study_date, s.study_time, s.study_description, s.accession_number,
       s.modalities_in_study, s.series_count, s.instance_count, s.byte_count,
       p.patient_name, p.patient_id, p.patient_birth_date, p.patient_sex
FROM found JOIN study s ON s.id = found.id JOIN patient p ON p.id = s.patient_fk
WHERE (%(first)s::date IS NULL OR s.study_date >= %(first)s)
  AND (%(last)s::date IS NULL OR s.study_date <= %(last)s)
  AND (%(modality)s::text IS NULL OR s.modalities_in_study @> ARRAY[%(modality)s::text])
ORDER BY s.study_date DESC NULLS LAST, s.id DESC
LIMIT %(limit)s OFFSET %(offset)s

-- name: study
SELECT s.study_instance_uid, s.study_date, s.study_time, s.study_description, s.accession_number,
       s.modalities_in_study, s.series_count, s.instance_count, s.byte_count,
       p.patient_name, p.patient_id, p.patient_birth_date, p.patient_sex,
       s.referring_physician_name,
       (SELECT max(i.received_at) FROM instance i JOIN series x ON x.id = i.series_fk
        WHERE x.study_fk = s.id), s.id
FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE s.study_instance_uid = %(study)s

-- name: series_of_study
SELECT series_instance_uid, modality, series_number, series_description, body_part_examined,
       station_name, instance_count, byte_count
FROM series WHERE study_fk = %(study)s
ORDER BY series_number NULLS LAST, id

-- name: totals
SELECT count(*), coalesce(sum(series_count), 0)::bigint, coalesce(sum(instance_count), 0)::bigint,
       coalesce(sum(byte_count), 0)::bigint
FROM study

-- name: modalities
SELECT DISTINCT unnest(modalities_in_study) AS modality FROM study ORDER BY modality
