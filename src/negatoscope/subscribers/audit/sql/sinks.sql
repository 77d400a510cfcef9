-- name: lock
SELECT pg_try_advisory_lock(hashtextextended(%s, 0))

-- name: add
-- A repository that is new is told from now on, and of the last hour.
INSERT INTO audit_sink (name, position)
SELECT %s, coalesce((SELECT min(position) - 1 FROM audit_record WHERE sealed_at > now() - interval '1 hour'),
                    (SELECT max(position) FROM audit_record), 0)
ON CONFLICT (name) DO NOTHING

-- name: state
SELECT position, next_attempt_at <= now(), attempt_count FROM audit_sink WHERE name = %s

-- name: next
SELECT position, id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name, actor_roles, credential,
       peer, door, action, outcome, reason, study_instance_uid, patient_id, issuer_of_patient_id, accession_number,
       destination, detail, chain, seq
FROM audit_record WHERE position > %(after)s ORDER BY position LIMIT %(limit)s

-- name: told
UPDATE audit_sink SET position = %(position)s, sent_count = sent_count + %(count)s, last_sent_at = now()
WHERE name = %(name)s

-- name: failed
UPDATE audit_sink SET attempt_count = attempt_count + 1, failed_since = coalesce(failed_since, now()),
       next_attempt_at = now() + make_interval(secs => %(pause_s)s), last_error = %(error)s
WHERE name = %(name)s

-- name: back
UPDATE audit_sink SET attempt_count = 0, failed_since = NULL, next_attempt_at = now(), last_error = NULL WHERE name = %s

-- name: forget
DELETE FROM audit_sink WHERE name <> ALL(%s)

-- name: least
SELECT min(position) FROM audit_sink

-- name: waiting
SELECT name, (SELECT count(*) FROM (SELECT FROM audit_record r WHERE r.position > s.position LIMIT 100000) AS rest)
FROM audit_sink s

-- name: set_back
WITH since AS (SELECT coalesce(min(position) - 1, (SELECT max(position) FROM audit_record), 0) AS position
               FROM audit_record WHERE sealed_at >= %(since)s),
     moved AS (UPDATE audit_sink s SET position = least(s.position, since.position) FROM since
               WHERE s.name = %(name)s RETURNING s.position)
SELECT count(r.*) FROM moved LEFT JOIN audit_record r ON r.position > moved.position GROUP BY moved.position
