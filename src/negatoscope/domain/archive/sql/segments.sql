-- name: insert_segment
-- A segment file was made and is durable.
INSERT INTO segment (name, volume, state) VALUES (%(name)s, %(volume)s, 'OPEN')
ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id

-- name: seal_segment
UPDATE segment SET state = 'SEALED', length = %(length)s, member_count = %(members)s, sealed_at = now()
WHERE id = %(id)s AND state = 'OPEN'

-- name: open_segments
-- Segments whose writers live or died; the lock of the file tells which.
SELECT id, name, volume FROM segment WHERE state = 'OPEN' ORDER BY id

-- name: known_segments
SELECT name, id, state FROM segment WHERE name = ANY(%(names)s)

-- name: delete_segment_row
UPDATE segment SET state = 'DELETED', length = 0 WHERE id = %(id)s

-- name: rows_of_segment
-- What the index says lies in a segment.
SELECT segment_offset, sop_instance_uid, sha256, 'instance' AS kind, id FROM instance WHERE segment_fk = %(id)s
UNION ALL
SELECT segment_offset, sop_instance_uid, sha256, 'set_aside', id FROM set_aside WHERE segment_fk = %(id)s
UNION ALL
SELECT metadata_offset, series_instance_uid, NULL, 'metadata', id FROM series WHERE metadata_segment = %(id)s

-- name: add_dead_bytes
UPDATE segment SET dead_bytes = dead_bytes + %(bytes)s WHERE id = %(id)s

-- name: set_dead_bytes
UPDATE segment SET dead_bytes = %(bytes)s WHERE id = %(id)s

-- name: forget_metadata
UPDATE series SET metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL WHERE id = %(id)s
