-- name: lock
SELECT pg_advisory_xact_lock(%s)

-- name: due
-- In the order of ids. A row that is being counted at this moment waits for the next batch.
SELECT id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name, actor_roles, credential, peer,
       door, action, outcome, reason, study_instance_uid, patient_id, issuer_of_patient_id, accession_number,
       destination, detail
FROM audit_pending
WHERE coalesce_key IS NULL OR occurred_at <= now() - make_interval(secs => %(counting_s)s)
ORDER BY id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: heads
SELECT chain, seq, hash FROM audit_chain

-- name: append
COPY audit_record (chain, seq, hash, sealed_at, id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name,
                   actor_roles, credential, peer, door, action, outcome, reason, study_instance_uid, patient_id,
                   issuer_of_patient_id, accession_number, destination, detail)
FROM STDIN

-- name: advance
UPDATE audit_chain SET seq = %(seq)s, hash = %(hash)s WHERE chain = %(chain)s

-- name: forget_pending
DELETE FROM audit_pending WHERE id = ANY(%s)

-- name: waiting
SELECT count(*),
       coalesce(extract(epoch FROM now() - min(occurred_at) FILTER (WHERE coalesce_key IS NULL)), 0)
FROM audit_pending
