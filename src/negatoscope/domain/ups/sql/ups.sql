-- Unified procedure steps (PS3.4 Annex CC): workitems, subscriptions, events.

-- name: insert
INSERT INTO ups_workitem (sop_instance_uid, attributes) VALUES (%(uid)s, %(attributes)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: get
SELECT id, sop_instance_uid, state, transaction_uid, attributes FROM ups_workitem WHERE sop_instance_uid = %(uid)s

-- name: get_locked
-- Whoever changes a workitem holds its row: of two performers that claim it at once, one comes second.
SELECT id, sop_instance_uid, state, transaction_uid, attributes FROM ups_workitem WHERE sop_instance_uid = %(uid)s FOR NO KEY UPDATE

-- name: update
UPDATE ups_workitem SET state = %(state)s, transaction_uid = %(transaction_uid)s, attributes = %(attributes)s,
       finished_at = CASE WHEN %(state)s IN ('CANCELED', 'COMPLETED') THEN coalesce(finished_at, now()) END
WHERE id = %(id)s

-- name: page
-- Candidates of a search, a page at a time, in the order of their creation; ups_workitem_attributes narrows them.
SELECT id, sop_instance_uid, state, transaction_uid, attributes FROM ups_workitem
WHERE id > %(after)s AND attributes @> %(contained)s::jsonb
ORDER BY id LIMIT %(count)s

-- name: forget
-- Workitems in a final state whose time is over and that nobody holds by a deletion lock.
DELETE FROM ups_workitem w
WHERE w.finished_at < now() - make_interval(secs => %(age_s)s)
  AND NOT EXISTS (SELECT FROM ups_subscription s WHERE s.workitem_fk = w.id AND s.deletion_lock)
RETURNING w.sop_instance_uid

-- name: subscriber_count
SELECT count(*) FROM ups_subscriber WHERE ae_title <> %(ae)s

-- name: enroll
-- Remember a subscriber and by what it is told; one that was given up is tried again at once.
INSERT INTO ups_subscriber (ae_title, transport) VALUES (%(ae)s, %(transport)s)
ON CONFLICT (ae_title) DO UPDATE SET transport = excluded.transport, next_attempt_at = now(), attempt_count = 0

-- name: subscribe
INSERT INTO ups_subscription (workitem_fk, ae_title, deletion_lock) VALUES (%(id)s, %(ae)s, %(lock)s)
ON CONFLICT (workitem_fk, ae_title) DO UPDATE SET deletion_lock = excluded.deletion_lock

-- name: subscribe_missing
-- A global subscription reaches the workitems that the AE is not subscribed to yet.
INSERT INTO ups_subscription (workitem_fk, ae_title, deletion_lock)
SELECT w.id, %(ae)s, %(lock)s FROM ups_workitem w WHERE %(ids)s::bigint[] IS NULL OR w.id = ANY (%(ids)s::bigint[])
ON CONFLICT DO NOTHING

-- name: subscribe_globally
INSERT INTO ups_global_subscription (ae_title, is_filtered, deletion_lock, filter)
VALUES (%(ae)s, %(is_filtered)s, %(lock)s, %(filter)s)
ON CONFLICT (ae_title, is_filtered) DO UPDATE SET deletion_lock = excluded.deletion_lock, filter = excluded.filter

-- name: report_states
-- The initial event of workitems: their state and input readiness as they are (event 1); of too many, the newest.
INSERT INTO ups_event (ae_title, sop_instance_uid, event_type_id, information)
SELECT %(ae)s, n.sop_instance_uid, 1,
       jsonb_build_object('00741000', n.attributes -> '00741000', '00404041', n.attributes -> '00404041')
FROM (SELECT w.* FROM ups_workitem w JOIN ups_subscription s ON s.workitem_fk = w.id
       WHERE s.ae_title = %(ae)s AND (%(ids)s::bigint[] IS NULL OR w.id = ANY (%(ids)s::bigint[]))
       ORDER BY w.id DESC LIMIT %(most)s) n
ORDER BY n.id

-- name: unsubscribe
DELETE FROM ups_subscription WHERE workitem_fk = %(id)s AND ae_title = %(ae)s

-- name: unsubscribe_all
DELETE FROM ups_subscription WHERE ae_title = %(ae)s

-- name: end_global
DELETE FROM ups_global_subscription WHERE ae_title = %(ae)s AND (%(is_filtered)s::boolean IS NULL OR is_filtered = %(is_filtered)s)

-- name: global_subscriptions
SELECT ae_title, is_filtered, deletion_lock, filter FROM ups_global_subscription ORDER BY ae_title, is_filtered

-- name: subscribers_of
SELECT ae_title FROM ups_subscription WHERE workitem_fk = %(id)s ORDER BY ae_title

-- name: subscription
SELECT deletion_lock FROM ups_subscription WHERE workitem_fk = %(id)s AND ae_title = %(ae)s

-- name: lock_events
-- Whoever adds events waits for the one before: their ids rise in the order of commits, and no reader passes one by.
SELECT pg_advisory_xact_lock(5640554433411072004)

-- name: add_event
INSERT INTO ups_event (ae_title, sop_instance_uid, event_type_id, information)
SELECT ae, %(uid)s, %(type)s, %(information)s FROM unnest(%(aes)s::text[]) AS u(ae)

-- name: add_status_event
INSERT INTO ups_event (ae_title, sop_instance_uid, event_type_id, information)
SELECT s.ae_title, %(uid)s, 4, %(information)s FROM ups_subscriber s
WHERE EXISTS (SELECT FROM ups_subscription i WHERE i.ae_title = s.ae_title)
   OR EXISTS (SELECT FROM ups_global_subscription g WHERE g.ae_title = s.ae_title)
RETURNING ae_title

-- name: trim
-- A queue that grows beyond its bound loses its oldest events.
DELETE FROM ups_event e WHERE e.ae_title = ANY (%(aes)s::text[]) AND e.id <= (
    SELECT o.id FROM ups_event o WHERE o.ae_title = e.ae_title ORDER BY o.id DESC OFFSET %(most)s LIMIT 1)

-- name: notify
SELECT pg_notify('negatoscope_ups', ae) FROM unnest(%(aes)s::text[]) AS u(ae)

-- name: claim_subscriber
-- A DIMSE subscriber with something to be told, held for a while so that nobody else delivers.
UPDATE ups_subscriber SET next_attempt_at = now() + make_interval(secs => %(hold_s)s)
WHERE ae_title = (SELECT s.ae_title FROM ups_subscriber s
                   WHERE s.transport = 'DIMSE' AND s.next_attempt_at <= now()
                     AND EXISTS (SELECT FROM ups_event e WHERE e.ae_title = s.ae_title)
                   ORDER BY s.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING ae_title

-- name: let_go
UPDATE ups_subscriber SET next_attempt_at = now(), attempt_count = 0, last_error = NULL WHERE ae_title = %(ae)s

-- name: put_off
UPDATE ups_subscriber SET attempt_count = attempt_count + 1, last_error = %(error)s,
       next_attempt_at = now() + make_interval(secs => (%(waits)s::float8[])[least(attempt_count + 1, cardinality(%(waits)s::float8[]))])
WHERE ae_title = %(ae)s

-- name: events
SELECT id, sop_instance_uid, event_type_id, information FROM ups_event
WHERE ae_title = %(ae)s AND id > %(after)s ORDER BY id LIMIT %(count)s

-- name: event_told
DELETE FROM ups_event WHERE id = %(id)s

-- name: event_refused
-- The subscriber answered a failure; after a few it is left out, or it would hold up all behind it.
UPDATE ups_event SET attempt_count = attempt_count + 1 WHERE id = %(id)s RETURNING attempt_count

-- name: cursor
SELECT told_event_id FROM ups_subscriber WHERE ae_title = %(ae)s AND transport = 'HTTP'

-- name: move_cursor
UPDATE ups_subscriber SET told_event_id = greatest(told_event_id, %(id)s) WHERE ae_title = %(ae)s

-- name: forget_events
-- What every open channel was given, and what nobody fetched for long.
DELETE FROM ups_event e USING ups_subscriber s
WHERE s.ae_title = e.ae_title
  AND (e.created_at < now() - make_interval(secs => %(age_s)s)
       OR (s.transport = 'HTTP' AND e.id <= s.told_event_id AND e.created_at < now() - interval '10 minutes'))

-- name: forget_subscribers
-- Who has no subscription left and nothing to be told.
DELETE FROM ups_subscriber s
WHERE NOT EXISTS (SELECT FROM ups_subscription i WHERE i.ae_title = s.ae_title)
  AND NOT EXISTS (SELECT FROM ups_global_subscription g WHERE g.ae_title = s.ae_title)
  AND NOT EXISTS (SELECT FROM ups_event e WHERE e.ae_title = s.ae_title AND e.id > s.told_event_id)
