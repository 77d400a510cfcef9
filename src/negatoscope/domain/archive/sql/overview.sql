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
