-- Everything that was asked for and done for one patient, across time.

-- name: procedures
SELECT p.id, r.id, r.accession_number, r.priority, r.state, p.state,
       coalesce(nullif(p.description, ''), nullif(p.code_meaning, ''), c.label_fr, p.code_value),
       coalesce(c.label_fr, ''), coalesce(c.label_en, ''), p.modality, p.study_instance_uid, r.requesting_service,
       r.created_at, s.state, s.start_at, s.started_at, s.ended_at
FROM imaging_service_request r
JOIN requested_procedure p ON p.request_fk = r.id
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
LEFT JOIN LATERAL (
    SELECT t.state, t.start_at, t.started_at, t.ended_at FROM scheduled_procedure_step t
    WHERE t.procedure_fk = p.id ORDER BY (t.state = 'CANCELED'), coalesce(t.started_at, t.start_at) NULLS LAST, t.id LIMIT 1) s ON true
WHERE r.patient_fk = ANY(%(patients)s) AND p.replaced_by IS NULL
ORDER BY coalesce(s.started_at, s.start_at, r.created_at) DESC, p.id DESC LIMIT %(limit)s

-- name: studies
-- Studies that are the patient's for certain (an identifier with its issuer, or a person's word), and those bound to a procedure
-- of theirs. What objects say and the admission office agrees with is shown under the objects' own row.
SELECT s.study_instance_uid, s.study_date, s.study_time, coalesce(s.study_description, ''), s.modalities_in_study,
       coalesce(s.accession_number, ''), s.series_count, s.instance_count, s.patient_fk, b.procedure_fk
FROM study s
LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid AND b.state = 'BOUND'
WHERE s.id IN (
    SELECT c.id FROM (
        SELECT x.id FROM study x JOIN patient y ON y.id = x.patient_fk WHERE y.registered_fk = ANY(%(patients)s)
        UNION
        SELECT x.id FROM registered_identifier i JOIN patient y ON y.patient_id = i.value AND y.registered_fk IS NULL
        JOIN study x ON x.patient_fk = y.id WHERE i.patient_fk = ANY(%(patients)s)) c
    WHERE archive_registered_of(c.id) = ANY(%(patients)s)
    UNION
    SELECT x.id FROM study x JOIN study_binding z ON z.study_instance_uid = x.study_instance_uid
    WHERE z.patient_fk = ANY(%(patients)s) AND z.state = 'BOUND')
ORDER BY s.study_date DESC NULLS LAST, s.study_time DESC NULLS LAST, s.id DESC LIMIT %(limit)s
