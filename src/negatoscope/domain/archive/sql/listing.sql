-- The list of studies. x: study_search, s: study, p: patient. The words in braces are put in by
-- listing.py, from its own texts only; what a person gave goes in as parameters.

-- name: walk
-- The next rows in the order asked for, those that do not match included: quick where many match.
WITH seen AS MATERIALIZED (
    SELECT x.study_fk, x.studied_at, x.patient_name_key, x.words, x.places FROM study_search x
    WHERE {within} AND {after} ORDER BY {order} LIMIT %(walk)s
), matched AS MATERIALIZED (
    SELECT x.study_fk, x.studied_at, x.patient_name_key FROM seen x {joins} WHERE {matching}
)
SELECT {columns}, (SELECT count(*) FROM seen), (SELECT count(*) FROM matched)
FROM (SELECT * FROM matched x ORDER BY {order} LIMIT %(limit)s) x
JOIN study s ON s.id = x.study_fk JOIN patient p ON p.id = s.patient_fk
ORDER BY {order}

-- name: found
-- Everything that matches, through the indexes of what is asked, then in order: quick where few match.
WITH matched AS MATERIALIZED (
    SELECT x.study_fk, x.studied_at, x.patient_name_key FROM study_search x {joins}
    WHERE {within} AND {matching} LIMIT %(most)s
)
SELECT {columns}, 0, (SELECT count(*) FROM matched)
FROM (SELECT * FROM matched x WHERE {after} ORDER BY {order} LIMIT %(limit)s) x
JOIN study s ON s.id = x.study_fk JOIN patient p ON p.id = s.patient_fk
ORDER BY {order}

-- name: all_the_way
SELECT {columns}, 0, 0 FROM study_search x JOIN study s ON s.id = x.study_fk JOIN patient p ON p.id = s.patient_fk
WHERE {within} AND {after} AND {matching} ORDER BY {order} LIMIT %(limit)s

-- name: counted
SELECT count(*) FROM (SELECT 1 FROM study_search LIMIT 10001) AS x

-- name: estimated
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'study_search'::regclass

-- name: within
EXPLAIN (FORMAT JSON) SELECT 1 FROM study_search x WHERE {within}

-- name: counted_within
SELECT count(*) FROM (SELECT 1 FROM study_search x WHERE {within} LIMIT %(most)s) AS x

-- name: patient
SELECT p.id, p.patient_id, p.issuer_of_patient_id, p.patient_name, p.patient_birth_date, p.patient_sex,
       (SELECT count(*) FROM patient o WHERE o.patient_id = p.patient_id AND o.id <> p.id AND o.is_current),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(i.identifier, i.issuer) ORDER BY i.issuer, i.identifier), '[]')
        FROM patient_identifier i WHERE i.patient_fk = p.id)
FROM patient p WHERE p.id = %(patient)s

-- name: patient_now
-- Where the studies of a patient went when they were merged, renamed or moved; itself while it has some.
SELECT CASE WHEN p.is_current THEN p.id ELSE (SELECT s.patient_fk FROM study s WHERE s.received_patient_fk = p.id
       GROUP BY s.patient_fk ORDER BY count(*) DESC, s.patient_fk LIMIT 1) END
FROM patient p WHERE p.id = %(patient)s

-- name: studies_of_patient
SELECT {columns} FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE p.id = %(patient)s AND {scope}
ORDER BY s.study_date DESC NULLS LAST, s.study_time DESC NULLS LAST, s.id DESC LIMIT %(limit)s

-- name: series_of_studies
SELECT s.study_instance_uid, e.series_instance_uid, e.modality, e.series_number, e.series_description, e.body_part_examined,
       e.station_name, e.institution_name, e.protocol_name, e.series_date, e.series_time, e.instance_count, e.byte_count, i.sop_instance_uid
FROM series e JOIN study s ON s.id = e.study_fk
     LEFT JOIN LATERAL (SELECT sop_instance_uid FROM instance WHERE series_fk = e.id
                        ORDER BY instance_number, id OFFSET e.instance_count / 2 LIMIT 1) i ON e.instance_count <= 2000
WHERE s.study_instance_uid = ANY (%(studies)s)
ORDER BY s.id, e.series_number NULLS LAST, e.id LIMIT %(limit)s

-- name: instances_of_series
SELECT i.sop_instance_uid, c.uid, t.uid, i.instance_number, i.number_of_frames, i."rows", i."columns", i.size, i.received_at, i.id,
       i.pixel_offset IS NOT NULL
FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
     JOIN uid_code c ON c.id = i.sop_class JOIN uid_code t ON t.id = i.transfer_syntax
WHERE s.study_instance_uid = %(study)s AND e.series_instance_uid = %(series)s
  AND (coalesce(i.instance_number, 2147483647), i.id) > (%(number)s, %(id)s)
ORDER BY coalesce(i.instance_number, 2147483647), i.id LIMIT %(limit)s
