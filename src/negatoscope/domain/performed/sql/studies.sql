-- Studies of the archive with the order they are bound to.

-- name: shown
SELECT s.id, s.study_instance_uid, s.study_date, s.study_time, s.accession_number, s.study_description,
       s.modalities_in_study, s.series_count, s.instance_count, p.patient_id, p.issuer_of_patient_id,
       p.patient_name, registered_root(b.patient_fk), b.procedure_fk, s.referring_physician_name
FROM study s JOIN patient p ON p.id = s.patient_fk
LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid AND b.state = 'BOUND'
WHERE s.id = ANY(%(ids)s)

-- name: series
SELECT study_fk, series_instance_uid, modality, series_number, series_date, series_time, series_description,
       body_part_examined, instance_count
FROM (SELECT *, row_number() OVER (PARTITION BY study_fk ORDER BY series_number NULLS LAST, id) AS position
      FROM series WHERE study_fk = ANY(%(ids)s)) numbered
WHERE position <= %(limit)s ORDER BY study_fk, position
