-- Which registered patient objects and performed steps are of.

-- name: holders
-- Who has an identifier in force, by the authority that its issuer names.
SELECT DISTINCT i.patient_fk FROM registered_identifier i JOIN assigning_authority a ON a.id = i.authority_fk
WHERE i.value = %(value)s AND i.until IS NULL AND i.type_code NOT IN ('AN', 'VN')
  AND CASE WHEN a.universal_id <> '' AND %(universal)s <> '' THEN a.universal_id = %(universal)s
      ELSE %(issuer)s IN (nullif(a.namespace, ''), nullif(a.universal_id, '')) END

-- name: root
-- The file that goes on after merges.
WITH RECURSIVE up (id, into_fk, depth) AS (
    SELECT id, merged_into, 0 FROM registered_patient WHERE id = %(patient)s
    UNION ALL SELECT p.id, p.merged_into, up.depth + 1 FROM up JOIN registered_patient p ON p.id = up.into_fk WHERE up.depth < 100
) SELECT id FROM up WHERE into_fk IS NULL

-- name: has_number
-- Whether a patient has, or had, a number: it joins nothing, it can contradict.
SELECT 1 FROM registered_identifier WHERE patient_fk = %(patient)s AND value = %(value)s AND type_code NOT IN ('AN', 'VN') LIMIT 1

-- name: traits
SELECT birth_family_name, birth_given_name, birth_further, used_family_name, used_given_name, birth_date
FROM registered_patient WHERE id = %(patient)s

-- name: default_issuer
-- Whose numbers a sender means that names no issuer.
SELECT issuer FROM default_issuer WHERE calling_ae_title IN (%(ae_title)s, '') ORDER BY calling_ae_title DESC LIMIT 1
