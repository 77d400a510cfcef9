-- Pairs of files that may be one person's.

-- name: blocks
SELECT key FROM patient_block WHERE patient_fk = %(patient)s

-- name: drop_blocks
DELETE FROM patient_block WHERE patient_fk = %(patient)s AND key = ANY (%(keys)s)

-- name: add_blocks
INSERT INTO patient_block (patient_fk, key) SELECT %(patient)s, k FROM unnest(%(keys)s::text[]) AS k ON CONFLICT DO NOTHING

-- name: neighbours
-- Who shares a key; of a key that very many have, nobody: it tells nothing.
SELECT DISTINCT n.patient_fk FROM unnest(%(keys)s::text[]) AS k,
    LATERAL (SELECT b.patient_fk, count(*) OVER () AS together FROM (
        SELECT patient_fk FROM patient_block WHERE key = k LIMIT %(most)s + 1) b) n
WHERE n.together <= %(most)s AND n.patient_fk <> %(patient)s ORDER BY 1 LIMIT 500

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('duplicates', 0))

-- name: forget
-- What was found before and is not any more; what a person decided stays.
DELETE FROM duplicate_pair WHERE state = 'OPEN' AND %(patient)s IN (first_fk, second_fk)
  AND CASE WHEN first_fk = %(patient)s THEN second_fk ELSE first_fk END <> ALL (%(kept)s::bigint[])

-- name: put
INSERT INTO duplicate_pair AS d (first_fk, second_fk, score, reasons)
VALUES (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s), %(score)s, %(reasons)s)
ON CONFLICT (first_fk, second_fk) DO UPDATE SET score = excluded.score, reasons = excluded.reasons
WHERE (d.score, d.reasons) IS DISTINCT FROM (excluded.score, excluded.reasons)

-- name: open
SELECT d.first_fk, d.second_fk, d.score, d.reasons, d.found_at FROM duplicate_pair d
     JOIN registered_patient a ON a.id = d.first_fk AND a.merged_into IS NULL
     JOIN registered_patient b ON b.id = d.second_fk AND b.merged_into IS NULL
WHERE d.state = %(state)s AND (%(after_score)s::integer IS NULL
      OR (-d.score, d.first_fk, d.second_fk) > (-%(after_score)s, %(after_first)s, %(after_second)s))
ORDER BY d.score DESC, d.first_fk, d.second_fk LIMIT %(limit)s

-- name: pair
SELECT score, reasons, state FROM duplicate_pair WHERE first_fk = least(%(a)s, %(b)s) AND second_fk = greatest(%(a)s, %(b)s)

-- name: decide
INSERT INTO duplicate_pair (first_fk, second_fk, score, reasons, state, decided_by, decided_at)
VALUES (least(%(a)s, %(b)s), greatest(%(a)s, %(b)s), %(score)s, %(reasons)s, %(state)s, %(by)s, now())
ON CONFLICT (first_fk, second_fk) DO UPDATE SET state = excluded.state, decided_by = excluded.decided_by, decided_at = now()
