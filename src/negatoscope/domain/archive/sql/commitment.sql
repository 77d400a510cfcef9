-- Storage commitment (PS3.4 Annex J): requests, outcomes, who was told.

-- name: insert
INSERT INTO storage_commitment (role, ae_title, transaction_uid, is_duplicate, next_attempt_at)
VALUES (%(role)s, %(ae_title)s, %(transaction_uid)s, %(is_duplicate)s, now() + make_interval(secs => %(hold_s)s))
ON CONFLICT DO NOTHING
RETURNING id

-- name: insert_items
INSERT INTO storage_commitment_item (commitment_fk, sop_instance_uid, sop_class_uid)
SELECT %(id)s, sop, min(class) FROM unnest(%(instances)s::text[], %(classes)s::text[]) AS u(sop, class) GROUP BY sop

-- name: same_transaction
-- The request that holds this transaction UID, and whether it names the same objects.
SELECT c.id, NOT EXISTS (
    (SELECT i.sop_instance_uid, i.sop_class_uid FROM storage_commitment_item i WHERE i.commitment_fk = c.id)
    EXCEPT (SELECT * FROM unnest(%(instances)s::text[], %(classes)s::text[]))
) AND (SELECT count(*) FROM storage_commitment_item i WHERE i.commitment_fk = c.id)
    = (SELECT count(DISTINCT s) FROM unnest(%(instances)s::text[]) AS u(s))
FROM storage_commitment c
WHERE c.role = %(role)s AND c.ae_title = %(ae_title)s AND c.transaction_uid = %(transaction_uid)s AND NOT c.is_duplicate
FOR UPDATE

-- name: ask_again
-- The same request once more: look again, answer again.
UPDATE storage_commitment SET answered_at = NULL, delivered_at = NULL, given_up_at = NULL, attempt_count = 0,
       last_error = NULL, next_attempt_at = now() + make_interval(secs => %(hold_s)s)
WHERE id = %(id)s

-- name: clear_outcomes
UPDATE storage_commitment_item SET outcome = NULL, failure_reason = NULL WHERE commitment_fk = %(id)s

-- name: claim_due
-- A request somebody must work on, held for a while so that nobody else does.
UPDATE storage_commitment SET next_attempt_at = now() + make_interval(secs => %(hold_s)s)
WHERE id = (SELECT id FROM storage_commitment
             WHERE delivered_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= now() AND role = %(role)s
             ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id

-- name: hold
UPDATE storage_commitment SET next_attempt_at = now() + make_interval(secs => %(hold_s)s)
WHERE id = %(id)s AND delivered_at IS NULL

-- name: request
SELECT ae_title, transaction_uid, is_duplicate, answered_at IS NOT NULL, attempt_count, requested_at
FROM storage_commitment WHERE id = %(id)s

-- name: state
SELECT transaction_uid, delivered_at IS NOT NULL, answered_at IS NOT NULL, last_error FROM storage_commitment WHERE id = %(id)s

-- name: items
SELECT sop_class_uid, sop_instance_uid, outcome, failure_reason FROM storage_commitment_item
WHERE commitment_fk = %(id)s ORDER BY sop_instance_uid COLLATE "C"

-- name: set_outcomes
UPDATE storage_commitment_item i
SET outcome = CASE WHEN u.reason IS NULL THEN 'COMMITTED' ELSE 'FAILED' END, failure_reason = u.reason
FROM unnest(%(instances)s::text[], %(reasons)s::integer[]) AS u(sop, reason)
WHERE i.commitment_fk = %(id)s AND i.sop_instance_uid = u.sop

-- name: set_answered
UPDATE storage_commitment SET answered_at = coalesce(answered_at, now()) WHERE id = %(id)s

-- name: set_delivered
UPDATE storage_commitment SET delivered_at = now(), attempt_count = attempt_count + 1, last_error = NULL
WHERE id = %(id)s AND delivered_at IS NULL

-- name: set_failed
UPDATE storage_commitment SET attempt_count = attempt_count + 1, last_error = %(error)s,
       next_attempt_at = now() + make_interval(secs => %(wait_s)s),
       given_up_at = CASE WHEN requested_at < now() - make_interval(secs => %(give_up_s)s) THEN now() END
WHERE id = %(id)s AND delivered_at IS NULL
RETURNING given_up_at IS NOT NULL, transaction_uid, ae_title

-- name: add_task
INSERT INTO task (kind, subject, detail) VALUES (%(kind)s, %(subject)s, %(detail)s) ON CONFLICT DO NOTHING

-- name: set_aside_from
-- Objects under these UIDs that this AE sent and that were not taken as the archived ones.
SELECT DISTINCT sop_instance_uid FROM set_aside
WHERE sop_instance_uid = ANY (%(instances)s) AND state <> 'ACCEPTED' AND calling_ae_title = %(ae_title)s

-- name: unanswered
-- The request of ours an N-EVENT-REPORT speaks of.
SELECT id FROM storage_commitment
WHERE role = 'SCU' AND ae_title = %(ae_title)s AND transaction_uid = %(transaction_uid)s FOR UPDATE
