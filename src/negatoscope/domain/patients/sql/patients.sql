-- name: authority_by_universal_id
SELECT id FROM assigning_authority WHERE universal_id = %(universal_id)s

-- name: authorities_by_namespace
SELECT id, universal_id FROM assigning_authority WHERE namespace = %(namespace)s ORDER BY id

-- name: add_authority
INSERT INTO assigning_authority (namespace, universal_id, universal_id_type)
VALUES (%(namespace)s, %(universal_id)s, %(universal_id_type)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: name_authority
-- What was known by its local name only turns out to have a universal one.
UPDATE assigning_authority SET universal_id = %(universal_id)s, universal_id_type = %(universal_id_type)s
WHERE id = %(id)s AND universal_id = ''

-- name: lock_identifier
-- Two messages about one new identifier make one patient: the second waits for the first.
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))

-- name: holder
SELECT patient_fk FROM registered_identifier
WHERE value = %(value)s AND authority_fk = %(authority)s AND until IS NULL

-- name: get
SELECT id, birth_family_name, birth_given_name, birth_further, used_family_name, used_given_name,
       birth_date, sex, birth_place_code, identity_status, identity_attributes, died_at,
       is_deceased, merged_into, created_at, updated_at, lunar_birth_date, birth_place_name, address,
       telephone, version
FROM registered_patient WHERE id = ANY(%(ids)s)

-- name: lock
SELECT id FROM registered_patient WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

-- name: identifiers
-- A patient's own before those of files that were merged into theirs.
SELECT i.patient_fk, i.value, i.type_code, a.namespace, a.universal_id, a.universal_id_type
FROM registered_identifier i JOIN assigning_authority a ON a.id = i.authority_fk
WHERE i.patient_fk = ANY(%(ids)s) AND i.until IS NULL
ORDER BY i.patient_fk, EXISTS (SELECT FROM patient_change c WHERE c.other_patient_fk = i.patient_fk AND c.kind = 'MERGED'
                               AND c.after->'identifier_rows' @> to_jsonb(i.id)), i.id

-- name: add
INSERT INTO registered_patient (birth_family_name, birth_given_name, birth_further,
       used_family_name, used_given_name, name_folded, birth_date, sex, birth_place_code,
       identity_status, identity_attributes, died_at, is_deceased, lunar_birth_date, birth_place_name,
       address, telephone)
VALUES (%(birth_family_name)s, %(birth_given_name)s, %(birth_further)s, %(used_family_name)s,
       %(used_given_name)s, %(name_folded)s, %(birth_date)s, %(sex)s, %(birth_place_code)s,
       %(identity_status)s, %(identity_attributes)s, %(died_at)s, %(is_deceased)s, %(lunar_birth_date)s,
       %(birth_place_name)s, %(address)s, %(telephone)s)
RETURNING id

-- name: change
UPDATE registered_patient SET birth_family_name = %(birth_family_name)s,
       birth_given_name = %(birth_given_name)s, birth_further = %(birth_further)s,
       used_family_name = %(used_family_name)s, used_given_name = %(used_given_name)s,
       name_folded = %(name_folded)s, birth_date = %(birth_date)s, sex = %(sex)s,
       birth_place_code = %(birth_place_code)s, identity_status = %(identity_status)s,
       identity_attributes = %(identity_attributes)s, died_at = %(died_at)s,
       is_deceased = %(is_deceased)s, lunar_birth_date = %(lunar_birth_date)s,
       birth_place_name = %(birth_place_name)s, address = %(address)s, telephone = %(telephone)s,
       version = version + 1, updated_at = now()
WHERE id = %(id)s

-- name: add_identifier
INSERT INTO registered_identifier (patient_fk, authority_fk, value, type_code)
VALUES (%(patient)s, %(authority)s, %(value)s, %(type_code)s)
ON CONFLICT (value, authority_fk) WHERE until IS NULL DO NOTHING RETURNING id

-- name: end_identifier
UPDATE registered_identifier SET until = now()
WHERE patient_fk = %(patient)s AND value = %(value)s AND authority_fk = %(authority)s AND until IS NULL

-- name: move_identifiers
UPDATE registered_identifier SET patient_fk = %(to)s WHERE patient_fk = %(from)s AND until IS NULL
RETURNING id

-- name: return_identifiers
UPDATE registered_identifier SET patient_fk = %(to)s WHERE id = ANY(%(ids)s) AND until IS NULL

-- name: end_file
UPDATE registered_patient SET merged_into = %(into)s, updated_at = now() WHERE id = %(id)s

-- name: last_merge
SELECT id, after FROM patient_change
WHERE patient_fk = %(patient)s AND kind = 'MERGED' ORDER BY id DESC LIMIT 1

-- name: search
-- A condition for each word (the index of names serves what is rare, the newest files what is common).
SELECT id FROM registered_patient p
WHERE merged_into IS NULL
  AND (%(identifier)s = '' OR EXISTS (SELECT 1 FROM registered_identifier i
       WHERE i.patient_fk = p.id AND i.value = %(identifier)s AND i.until IS NULL))
  {words}
  AND (%(birth_date)s = '' OR birth_date = %(birth_date)s)
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: search_typed
-- By what somebody types: every word is part of a name; every number begins an identifier in force or a birth date.
SELECT id FROM registered_patient p
WHERE merged_into IS NULL
  AND id IN (
      SELECT i.patient_fk FROM registered_identifier i
      WHERE i.until IS NULL AND i.value COLLATE "C" >= %(number)s AND i.value COLLATE "C" < %(number)s || U&'\+10FFFF'
      UNION
      SELECT b.id FROM registered_patient b
      WHERE %(date)s <> '' AND b.birth_date <> ''
        AND b.birth_date COLLATE "C" >= %(date)s AND b.birth_date COLLATE "C" < %(date)s || U&'\+10FFFF')
  AND NOT EXISTS (SELECT 1 FROM unnest(%(more)s::text[], %(more_dates)s::text[]) AS m(number, date)
      WHERE NOT (m.date <> '' AND starts_with(p.birth_date, m.date)) AND NOT EXISTS (
          SELECT 1 FROM registered_identifier i
          WHERE i.patient_fk = p.id AND i.until IS NULL AND starts_with(i.value, m.number)))
  {words}
  AND (%(identifier)s = '' OR EXISTS (SELECT 1 FROM registered_identifier i
       WHERE i.patient_fk = p.id AND i.value = %(identifier)s AND i.until IS NULL))
  AND (%(birth_date)s = '' OR birth_date = %(birth_date)s)
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: own_number
SELECT nextval('own_patient_number_seq')

-- name: every_identifier
-- In force and ended, the newest last.
SELECT i.value, i.type_code, a.namespace, a.universal_id, a.universal_id_type, i.since, i.until
FROM registered_identifier i JOIN assigning_authority a ON a.id = i.authority_fk
WHERE i.patient_fk = %(patient)s ORDER BY (i.until IS NOT NULL), i.id

-- name: absorbed
-- Patients whose file goes on in this one, in one step or several, with their number of steps.
WITH RECURSIVE chain(id, into_fk, depth) AS (
    SELECT id, merged_into, 1 FROM registered_patient WHERE merged_into = %(patient)s
    UNION ALL
    SELECT p.id, p.merged_into, chain.depth + 1
    FROM registered_patient p JOIN chain ON p.merged_into = chain.id WHERE chain.depth < 100)
SELECT id FROM chain ORDER BY depth, id LIMIT 1000

-- name: goes_on_as
-- The patient whose file goes on for this one, at the end of its merges.
WITH RECURSIVE chain(id, into_fk, depth) AS (
    SELECT id, merged_into, 0 FROM registered_patient WHERE id = %(patient)s
    UNION ALL
    SELECT p.id, p.merged_into, chain.depth + 1
    FROM registered_patient p JOIN chain ON p.id = chain.into_fk WHERE chain.depth < 100)
SELECT id FROM chain ORDER BY depth DESC LIMIT 1

-- name: same_birth
-- Who was born on the same day and is not merged away: a few, compared by name by the caller.
SELECT id FROM registered_patient
WHERE merged_into IS NULL AND birth_date <> '' AND birth_date COLLATE "C" = %(birth_date)s
ORDER BY id LIMIT 2000
