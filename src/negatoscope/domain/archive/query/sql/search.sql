-- Matching goes in two steps: candidates are row ids only, in their final order; rows are then read by id, a batch at a time.
-- The names in braces are filled from constants of the package; every value is bound.

-- name: prepare
-- Bounds of one transaction. Values are planned for, never a generic plan: a prefix can then use its index.
SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true), set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: patients
-- Which patients a condition finds, as long as they are few.
SELECT patient.id FROM patient WHERE {conditions} LIMIT %s

-- name: patient_candidates
SELECT patient.id FROM patient
{joins} WHERE patient.is_current AND {conditions}
ORDER BY patient.id DESC LIMIT %s OFFSET %s

-- name: study_candidates
SELECT study.id FROM study
{joins} WHERE {conditions}
ORDER BY study.study_date DESC NULLS LAST, study.id DESC LIMIT %s OFFSET %s

-- name: series_candidates
SELECT series.id FROM series JOIN study ON study.id = series.study_fk
{joins} WHERE {conditions}
ORDER BY study.study_date DESC NULLS LAST, study.id DESC, series.series_number NULLS LAST, series.id LIMIT %s OFFSET %s

-- name: image_candidates
SELECT instance.id FROM instance JOIN series ON series.id = instance.series_fk JOIN study ON study.id = series.study_fk
{joins} WHERE {conditions}
ORDER BY study.study_date DESC NULLS LAST, study.id DESC, series.series_number NULLS LAST, series.id,
         instance.instance_number NULLS LAST, instance.id LIMIT %s OFFSET %s

-- name: patient_rows
SELECT patient.id{columns} FROM unnest(%s::bigint[]) WITH ORDINALITY AS hit (id, place)
JOIN patient ON patient.id = hit.id
ORDER BY hit.place

-- name: study_rows
SELECT study.id{columns} FROM unnest(%s::bigint[]) WITH ORDINALITY AS hit (id, place)
JOIN study ON study.id = hit.id
JOIN patient ON patient.id = study.patient_fk
ORDER BY hit.place

-- name: series_rows
SELECT series.id{columns} FROM unnest(%s::bigint[]) WITH ORDINALITY AS hit (id, place)
JOIN series ON series.id = hit.id
JOIN study ON study.id = series.study_fk
JOIN patient ON patient.id = study.patient_fk
ORDER BY hit.place

-- name: image_rows
SELECT instance.id{columns} FROM unnest(%s::bigint[]) WITH ORDINALITY AS hit (id, place)
JOIN instance ON instance.id = hit.id
JOIN series ON series.id = instance.series_fk
JOIN study ON study.id = series.study_fk
JOIN patient ON patient.id = study.patient_fk
ORDER BY hit.place
