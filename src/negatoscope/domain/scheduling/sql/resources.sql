-- name: search
-- Rooms first, each kind by name.
SELECT r.id, r.kind, r.name, r.location, r.room_fk, r.modality, r.ae_title, r.station_name,
       r.profession, r.rpps, r.worklist_filter, r.is_active, r.version,
       COALESCE((SELECT jsonb_agg(jsonb_build_array(h.weekday, to_char(h.opens, 'HH24:MI'),
                                                    to_char(LEAST(h.closes, '23:59'), 'HH24:MI'), h.valid_from, h.valid_until)
                                  ORDER BY h.weekday, h.opens, h.valid_from NULLS FIRST)
                 FROM opening_hours h WHERE h.resource_fk = r.id), '[]')
FROM resource r
WHERE (%(ids)s::bigint[] IS NULL OR r.id = ANY(%(ids)s))
  AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
  AND (%(name)s::text IS NULL OR r.name = %(name)s)
  AND (%(is_active)s::boolean IS NULL OR r.is_active = %(is_active)s)
ORDER BY CASE r.kind WHEN 'ROOM' THEN 0 WHEN 'DEVICE' THEN 1 ELSE 2 END, r.name, r.id

-- name: insert
INSERT INTO resource (kind, name, location, room_fk, modality, ae_title, station_name, profession, rpps,
    worklist_filter, is_active)
VALUES (%(kind)s, %(name)s, %(location)s, %(room)s, %(modality)s, %(ae_title)s, %(station_name)s,
    %(profession)s, %(rpps)s, %(worklist_filter)s, %(is_active)s)
RETURNING id

-- name: update
-- Only at the version that was read; the kind stays.
UPDATE resource SET name = %(name)s, location = %(location)s, room_fk = %(room)s, modality = %(modality)s,
    ae_title = %(ae_title)s, station_name = %(station_name)s, profession = %(profession)s,
    rpps = %(rpps)s, worklist_filter = %(worklist_filter)s, is_active = %(is_active)s,
    version = version + 1
WHERE id = %(id)s AND version = %(version)s AND kind = %(kind)s
RETURNING id

-- name: touch
UPDATE resource SET version = version + 1 WHERE id = %(id)s AND version = %(version)s RETURNING id

-- name: remove
DELETE FROM resource WHERE id = %(id)s AND version = %(version)s RETURNING id

-- name: forget_hours
DELETE FROM opening_hours WHERE resource_fk = %(id)s

-- name: insert_hours
-- 23:59 is kept as the midnight that it stands for.
INSERT INTO opening_hours (resource_fk, weekday, opens, closes, valid_from, valid_until)
SELECT %(id)s, h.weekday, h.opens, CASE WHEN h.closes >= '23:59' THEN '24:00' ELSE h.closes END,
       h.valid_from, h.valid_until
FROM unnest(%(weekdays)s::int[], %(opens)s::time[], %(closes)s::time[],
                               %(valid_from)s::date[], %(valid_until)s::date[])
     AS h (weekday, opens, closes, valid_from, valid_until)
