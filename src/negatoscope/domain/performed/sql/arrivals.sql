-- Images that arrive, told to whoever watches an order: now and then, one line in its history.

-- name: note
UPDATE study_binding SET is_told = false WHERE study_instance_uid = %(study)s
RETURNING told_at IS NULL OR told_at < now() - make_interval(secs => %(pause_s)s)

-- name: due
-- Studies whose images were not told of for a while. Several workers share them.
SELECT study_instance_uid FROM study_binding
WHERE NOT is_told AND (told_at IS NULL OR told_at < now() - make_interval(secs => %(pause_s)s))
ORDER BY told_at NULLS FIRST LIMIT 200 FOR UPDATE SKIP LOCKED

-- name: counts
SELECT b.procedure_fk, p.request_fk, s.series_count, s.instance_count, b.told_event
FROM study_binding b JOIN study s ON s.study_instance_uid = b.study_instance_uid
LEFT JOIN requested_procedure p ON p.id = b.procedure_fk
WHERE b.study_instance_uid = %(study)s

-- name: grown
-- The line of the history that counts the images of this arrival.
UPDATE workflow_event SET detail = detail || %(detail)s WHERE id = %(event)s AND at > now() - interval '1 hour' RETURNING id

-- name: told
UPDATE study_binding SET is_told = true, told_at = now(), told_event = %(event)s WHERE study_instance_uid = %(study)s
