-- What was set aside, for the person who decides.

-- name: aside
SELECT s.id, s.reason, s.state, s.sop_instance_uid, s.study_instance_uid, s.series_instance_uid, s.patient_id,
       s.calling_ae_title, s.received_at, s.resolved_at, s.resolved_by, encode(s.sha256, 'hex'), s.segment_fk,
       s.segment_offset, s.size, (s.record->>'dso')::integer, (s.record->>'po')::bigint
FROM set_aside s WHERE s.id = %(id)s

-- name: decided
SELECT id, reason, state, sop_instance_uid, study_instance_uid, series_instance_uid, calling_ae_title, received_at,
       resolved_at, resolved_by, encode(sha256, 'hex'), size
FROM set_aside WHERE state <> 'PENDING' ORDER BY resolved_at DESC NULLS LAST, id DESC LIMIT %(limit)s

-- name: reopen
UPDATE set_aside SET state = 'PENDING', resolved_at = NULL, resolved_by = NULL
WHERE id = %(id)s AND state = 'DISMISSED' RETURNING sop_instance_uid

-- name: reopened_task
INSERT INTO task (kind, subject, detail) VALUES ('object-set-aside', %(subject)s, jsonb_build_object('reopened_by', %(by)s::text))
ON CONFLICT DO NOTHING
