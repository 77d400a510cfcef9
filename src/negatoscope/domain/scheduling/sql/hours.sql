-- name: resources
SELECT id, kind, name, location, room_fk, modality, ae_title, station_name, is_active FROM resource
WHERE (%(ids)s::bigint[] IS NULL AND is_active) OR id = ANY(%(ids)s)
ORDER BY kind, name, id

-- name: opening_hours
-- Minutes since midnight: 24:00 is a time of PostgreSQL and none of Python.
SELECT resource_fk, weekday, (extract(epoch FROM opens) / 60)::int, (extract(epoch FROM closes) / 60)::int,
       valid_from, valid_until
FROM opening_hours WHERE resource_fk = ANY(%(resources)s) ORDER BY resource_fk, weekday, opens

-- name: downtime_of
SELECT resource_fk, coalesce(lower(during), '1900-01-01'), coalesce(upper(during), '9999-01-01'), kind, reason, id
FROM downtime
WHERE (resource_fk IS NULL OR resource_fk = ANY(%(resources)s))
  AND during && tstzrange(%(start_at)s, %(end_at)s)
ORDER BY lower(during), id

-- name: get_downtime
SELECT id, resource_fk, coalesce(lower(during), '1900-01-01'), coalesce(upper(during), '9999-01-01'), kind, reason,
       created_at, created_by
FROM downtime WHERE id = %(id)s

-- name: downtimes
SELECT id, resource_fk, coalesce(lower(during), '1900-01-01'), coalesce(upper(during), '9999-01-01'), kind, reason,
       created_at, created_by
FROM downtime
WHERE during && tstzrange(%(start_at)s, %(end_at)s)
  AND (%(resources)s::bigint[] IS NULL OR resource_fk IS NULL OR resource_fk = ANY(%(resources)s))
ORDER BY lower(during), id LIMIT %(limit)s

-- name: add_downtime
INSERT INTO downtime (resource_fk, during, kind, reason, created_by)
VALUES (%(resource)s, %(during)s, %(kind)s, %(reason)s, %(by)s) RETURNING id

-- name: change_downtime
UPDATE downtime SET resource_fk = %(resource)s, during = %(during)s, kind = %(kind)s, reason = %(reason)s
WHERE id = %(id)s

-- name: remove_downtime
DELETE FROM downtime WHERE id = %(id)s

-- name: taken
SELECT lower(during), upper(during) FROM booking
WHERE resource_fk = %(resource)s AND during && tstzrange(%(start_at)s, %(end_at)s)
