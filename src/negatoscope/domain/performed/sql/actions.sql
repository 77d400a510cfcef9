-- What people say about steps.

-- name: lock
-- The order first, as everybody does who changes one of its steps.
WITH o AS (SELECT r.id FROM imaging_service_request r WHERE r.id = (
               SELECT p.request_fk FROM requested_procedure p JOIN scheduled_procedure_step t ON t.procedure_fk = p.id
               WHERE t.id = %(step)s) FOR UPDATE)
SELECT s.state, s.version, s.identity_checked_at, s.arrived_at, s.procedure_fk, o.id, s.modality
FROM o, scheduled_procedure_step s WHERE s.id = %(step)s

-- name: identity
UPDATE scheduled_procedure_step SET identity_checked_at = %(at)s, identity_checked_by = %(by)s, version = version + 1
WHERE id = %(step)s

-- name: device
SELECT name, modality FROM resource WHERE id = %(device)s AND kind = 'DEVICE' AND is_active

-- name: assign
UPDATE scheduled_procedure_step s SET device_fk = d.id, scheduled_station_ae_title = d.ae_title,
       scheduled_station_name = d.station_name, location = coalesce(nullif(left(r.name, 16), ''), s.location),
       version = s.version + 1
FROM resource d LEFT JOIN resource r ON r.id = d.room_fk
WHERE s.id = %(step)s AND d.id = %(device)s

-- name: lasts
UPDATE scheduled_procedure_step SET end_at = %(end)s::timestamptz + make_interval(mins => %(minutes)s) WHERE id = %(step)s

-- name: note
INSERT INTO step_note (step_fk, text, noted_by) VALUES (%(step)s, %(text)s, %(by)s) RETURNING id

-- name: remove_note
UPDATE step_note SET removed_at = now(), removed_by = %(by)s
WHERE id = %(note)s AND step_fk = %(step)s AND removed_at IS NULL RETURNING id

-- name: notes
SELECT count(*) FROM step_note WHERE step_fk = %(step)s AND removed_at IS NULL
