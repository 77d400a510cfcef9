-- name: records
SELECT position, seq, hash, sealed_at, id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name,
       actor_roles, credential, peer, door, action, outcome, reason, study_instance_uid, patient_id,
       issuer_of_patient_id, accession_number, destination, detail
FROM audit_record WHERE chain = %(chain)s AND seq > %(after)s ORDER BY seq

-- name: checkpoint
SELECT seq, hash FROM audit_checkpoint WHERE chain = %s ORDER BY seq DESC LIMIT 1

-- name: attested
SELECT EXISTS (SELECT FROM audit_event WHERE event_class = 'audit' AND action = 'audit purge' AND detail @> %s::jsonb)

-- name: head
SELECT seq, hash FROM audit_chain WHERE chain = %s

-- name: anchors
SELECT number, made_at, heads, hash FROM audit_anchor ORDER BY number

-- name: request
WITH waiting AS (SELECT id FROM audit_verification WHERE started_at IS NULL ORDER BY id LIMIT 1),
     made AS (
         INSERT INTO audit_verification (requested_by) SELECT %(by)s WHERE NOT EXISTS (SELECT FROM waiting) RETURNING id)
SELECT id FROM waiting UNION ALL SELECT id FROM made

-- name: last
SELECT id, requested_at, requested_by, started_at, ended_at, record_count, findings
FROM audit_verification ORDER BY id DESC LIMIT 10

-- name: take
-- What is asked for; what is due; what a worker that died had begun long ago.
WITH due AS (
    INSERT INTO audit_verification (requested_by)
    SELECT 'schedule'
    WHERE NOT EXISTS (SELECT FROM audit_verification
                      WHERE requested_at > now() - make_interval(secs => %(every_s)s) OR ended_at IS NULL)
    RETURNING id),
open AS (
    SELECT id FROM audit_verification
    WHERE ended_at IS NULL AND (started_at IS NULL OR started_at < now() - interval '12 hours')
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE audit_verification SET started_at = now() WHERE id = (SELECT id FROM open) RETURNING id

-- name: finish
UPDATE audit_verification SET ended_at = %(ended_at)s, record_count = %(records)s, findings = %(findings)s::jsonb
WHERE id = %(id)s
