-- Delivery of the outbox.

-- name: due
SELECT id, kind, payload, created_at, attempts, handled
FROM outbox
WHERE parked_at IS NULL AND (not_before IS NULL OR not_before <= now())
ORDER BY id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: delete
DELETE FROM outbox WHERE id = ANY (%(ids)s)

-- name: postpone
UPDATE outbox
SET attempts = %(attempts)s, not_before = now() + make_interval(secs => %(delay_s)s), last_error = %(error)s, handled = %(handled)s
WHERE id = %(id)s

-- name: park
UPDATE outbox
SET attempts = %(attempts)s, parked_at = now(), last_error = %(error)s, handled = %(handled)s
WHERE id = %(id)s

-- name: task
INSERT INTO task (kind, subject, detail) VALUES ('event-parked', %(subject)s, %(detail)s) ON CONFLICT DO NOTHING

-- name: waiting
SELECT count(*) FROM outbox WHERE parked_at IS NULL
