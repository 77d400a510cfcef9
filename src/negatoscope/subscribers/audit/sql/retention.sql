-- name: prefix
-- The longest beginning of a chain, of at most limit records, that is old enough and told to every repository.
WITH first AS (SELECT seq, sealed_at < %(before)s AND position <= coalesce(%(told)s::bigint, position) AS may_go
               FROM audit_record WHERE chain = %(chain)s ORDER BY seq LIMIT %(limit)s),
     stop AS (SELECT min(seq) AS seq FROM first WHERE NOT may_go)
SELECT max(first.seq), count(*) FROM first, stop
WHERE first.may_go AND (stop.seq IS NULL OR first.seq < stop.seq)
HAVING count(*) > 0

-- name: checkpoint
INSERT INTO audit_checkpoint (chain, seq, hash, record_count)
SELECT chain, seq, hash, %(count)s FROM audit_record WHERE chain = %(chain)s AND seq = %(seq)s

-- name: remove
DELETE FROM audit_record WHERE chain = %(chain)s AND seq <= %(seq)s

-- name: checkpoints
SELECT DISTINCT ON (chain) chain, seq, hash FROM audit_checkpoint ORDER BY chain, seq DESC
