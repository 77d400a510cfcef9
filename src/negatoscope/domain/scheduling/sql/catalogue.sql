-- name: search
-- By label; every word in code or labels, case and accents aside.
SELECT p.id, p.code_value, p.coding_scheme_designator, p.label_fr, p.label_en, p.modality,
       p.body_part_examined, p.duration_min, p.preparation_fr, p.preparation_en, p.contrast,
       p.contrast_agent, p.safety_questions, p.needs_vetting, p.default_room_fk, p.is_active, p.version,
       COALESCE((SELECT jsonb_agg(jsonb_build_array(c.code_value, c.coding_scheme_designator,
                                                    c.code_meaning) ORDER BY c.position)
                 FROM catalogue_protocol c WHERE c.procedure_fk = p.id), '[]'),
       ARRAY(SELECT r.room_fk FROM catalogue_room r WHERE r.procedure_fk = p.id ORDER BY r.room_fk)
FROM catalogue_procedure p
WHERE (%(words)s::text[] IS NULL OR NOT EXISTS (
          SELECT FROM unnest(%(words)s::text[]) AS w WHERE p.name_folded NOT LIKE '%%' || w || '%%'))
  AND (%(modality)s = '' OR p.modality = %(modality)s)
  AND (%(is_active)s::boolean IS NULL OR p.is_active = %(is_active)s)
  AND (%(after)s::bigint IS NULL OR (lower(p.label_fr), p.id) >
       (SELECT lower(a.label_fr), a.id FROM catalogue_procedure a WHERE a.id = %(after)s))
  AND (%(ids)s::bigint[] IS NULL OR p.id = ANY(%(ids)s))
  AND (%(code_value)s::text IS NULL OR (p.code_value = %(code_value)s
       AND (%(coding_scheme_designator)s::text IS NULL
            OR p.coding_scheme_designator = %(coding_scheme_designator)s)))
ORDER BY lower(p.label_fr), p.id
LIMIT %(limit)s

-- name: protocols
-- Every protocol code with the modalities it is for, the one of most procedures first.
SELECT c.code_value, c.coding_scheme_designator, mode() WITHIN GROUP (ORDER BY c.code_meaning),
       array_agg(DISTINCT p.modality)
FROM catalogue_protocol c JOIN catalogue_procedure p ON p.id = c.procedure_fk
WHERE p.is_active
GROUP BY c.code_value, c.coding_scheme_designator
HAVING %(modality)s = '' OR %(modality)s = ANY(array_agg(p.modality))
ORDER BY count(*) DESC, 3, 1, 2

-- name: insert
INSERT INTO catalogue_procedure (code_value, coding_scheme_designator, label_fr, label_en, name_folded,
    modality, body_part_examined, duration_min, preparation_fr, preparation_en, contrast,
    contrast_agent, safety_questions, needs_vetting, default_room_fk, is_active)
VALUES (%(code_value)s, %(coding_scheme_designator)s, %(label_fr)s, %(label_en)s, %(name_folded)s,
    %(modality)s, %(body_part_examined)s, %(duration_min)s, %(preparation_fr)s, %(preparation_en)s,
    %(contrast)s, %(contrast_agent)s, %(safety_questions)s, %(needs_vetting)s, %(default_room)s,
    %(is_active)s)
ON CONFLICT (code_value, coding_scheme_designator) DO NOTHING
RETURNING id

-- name: update
-- Only at the version that was read.
UPDATE catalogue_procedure SET code_value = %(code_value)s,
    coding_scheme_designator = %(coding_scheme_designator)s, label_fr = %(label_fr)s,
    label_en = %(label_en)s, name_folded = %(name_folded)s, modality = %(modality)s,
    body_part_examined = %(body_part_examined)s, duration_min = %(duration_min)s,
    preparation_fr = %(preparation_fr)s, preparation_en = %(preparation_en)s,
    contrast = %(contrast)s, contrast_agent = %(contrast_agent)s,
    safety_questions = %(safety_questions)s, needs_vetting = %(needs_vetting)s,
    default_room_fk = %(default_room)s, is_active = %(is_active)s, version = version + 1
WHERE id = %(id)s AND version = %(version)s
RETURNING id

-- name: forget_protocols
DELETE FROM catalogue_protocol WHERE procedure_fk = %(id)s

-- name: forget_rooms
DELETE FROM catalogue_room WHERE procedure_fk = %(id)s

-- name: insert_protocols
INSERT INTO catalogue_protocol (procedure_fk, position, code_value, coding_scheme_designator, code_meaning)
SELECT %(id)s, c.position, c.code_value, c.coding_scheme_designator, c.code_meaning
FROM unnest(%(code_values)s::text[], %(designators)s::text[], %(meanings)s::text[])
     WITH ORDINALITY AS c (code_value, coding_scheme_designator, code_meaning, position)

-- name: insert_rooms
INSERT INTO catalogue_room (procedure_fk, room_fk) SELECT %(id)s, unnest(%(rooms)s::bigint[])

-- name: count_rooms
SELECT count(*) FROM resource WHERE kind = 'ROOM' AND id = ANY(%(rooms)s::bigint[])

-- name: remove
DELETE FROM catalogue_procedure WHERE id = %(id)s AND version = %(version)s RETURNING id
