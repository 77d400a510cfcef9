-- Performed steps on their way to other systems. Each receiver gets them in their order.

-- name: due
-- Receivers whose first waiting one may be tried now.
SELECT ae_title FROM (
    SELECT DISTINCT ON (ae_title) ae_title, not_before FROM performed_forwarding WHERE refused_at IS NULL ORDER BY ae_title, id) x
WHERE not_before <= now() ORDER BY not_before

-- name: next
SELECT id, sop_instance_uid, command, data_set FROM performed_forwarding
WHERE ae_title = %(ae_title)s AND refused_at IS NULL ORDER BY id LIMIT 50

-- name: lock
-- One worker for each receiver at a time.
SELECT pg_try_advisory_lock(hashtextextended('performed forwarding ' || %(ae_title)s, 0))

-- name: delivered
DELETE FROM performed_forwarding WHERE id = %(id)s

-- name: put_off
UPDATE performed_forwarding SET attempts = attempts + 1, last_error = %(error)s,
    not_before = now() + make_interval(secs => least(600, 5 * power(2, least(attempts, 7))))
WHERE id = (SELECT id FROM performed_forwarding WHERE ae_title = %(ae_title)s AND refused_at IS NULL ORDER BY id LIMIT 1)

-- name: refused
UPDATE performed_forwarding SET refused_at = now(), last_error = %(error)s WHERE id = %(id)s

-- name: give_up
UPDATE performed_forwarding SET refused_at = now(), last_error = 'given up: ' || last_error
WHERE refused_at IS NULL AND created_at < now() - make_interval(secs => %(age_s)s)

-- name: forget
DELETE FROM performed_forwarding WHERE refused_at < now() - interval '30 days'
