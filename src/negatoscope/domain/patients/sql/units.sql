-- name: labels
-- What units were called on a day; of a code without a row for that day the nearest.
SELECT DISTINCT ON (code) code, label FROM hospital_unit WHERE code = ANY(%(codes)s::text[])
ORDER BY code, daterange(valid_from, valid_until, '[]') @> %(day)s::date DESC,
         valid_until DESC NULLS FIRST, id DESC

-- name: list
SELECT id, code, label, kind, parent_code, valid_from, valid_until, source, changed_at FROM hospital_unit
WHERE (%(text)s = '' OR text_folded(code || ' ' || label || ' ' || kind || ' ' || parent_code) LIKE %(like)s ESCAPE '\')
  AND (%(day)s::date IS NULL OR daterange(valid_from, valid_until, '[]') @> %(day)s::date)
  AND (%(after)s::text IS NULL OR (code, id) > (%(after)s, %(after_id)s))
ORDER BY code, id LIMIT %(limit)s

-- name: add
INSERT INTO hospital_unit (code, label, kind, parent_code, valid_from, valid_until, source)
VALUES (%(code)s, %(label)s, %(kind)s, %(parent_code)s, %(valid_from)s, %(valid_until)s, %(source)s)

-- name: drop_codes
DELETE FROM hospital_unit WHERE code = ANY(%(codes)s::text[])

-- name: drop_learned
-- What movements told of a unit that the hospital's own list now names.
DELETE FROM hospital_unit WHERE code = %(code)s AND source LIKE 'movement %%'

-- name: learn
-- A unit that a movement names and no list does.
INSERT INTO hospital_unit (code, label, source)
SELECT %(code)s, %(label)s, 'movement ' || %(source)s
WHERE NOT EXISTS (SELECT 1 FROM hospital_unit WHERE code = %(code)s)
ON CONFLICT DO NOTHING

-- name: current
SELECT id, label, kind, parent_code, valid_from, valid_until FROM hospital_unit WHERE code = %(code)s
ORDER BY valid_until DESC NULLS FIRST, id DESC LIMIT 1 FOR UPDATE

-- name: close
UPDATE hospital_unit SET valid_until = %(day)s, source = %(source)s, changed_at = now()
WHERE id = %(id)s AND (valid_from IS NULL OR valid_from <= %(day)s)

-- name: change
UPDATE hospital_unit SET label = %(label)s, kind = %(kind)s, parent_code = %(parent_code)s,
       valid_from = %(valid_from)s, valid_until = %(valid_until)s, source = %(source)s, changed_at = now()
WHERE id = %(id)s
