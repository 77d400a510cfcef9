-- name: ingest
-- Index a batch; one row per record in their order.
SELECT outcome, study_id, series_id FROM archive_ingest(%s::jsonb) ORDER BY ordinal

-- name: find_uid_code
SELECT id FROM uid_code WHERE uid = %(uid)s

-- name: add_uid_code
INSERT INTO uid_code (uid) VALUES (%(uid)s) ON CONFLICT DO NOTHING

-- name: location
-- Where the current version of an instance lies.
SELECT i.id, i.segment_offset, i.size, i.data_set_offset, i.sha256, g.name, g.volume, i.series_fk
FROM instance i JOIN segment g ON g.id = i.segment_fk WHERE i.sop_instance_uid = %(uid)s

-- name: move_instance
-- Point an instance at another copy of the same data set.
UPDATE instance SET segment_fk = %(segment)s, segment_offset = %(offset)s, size = %(size)s,
       data_set_offset = %(dso)s, verified_at = now()
WHERE id = %(id)s AND sha256 = %(sha256)s

-- name: forget_at
-- The row of an object whose bytes did not become durable: it was never acknowledged.
WITH gone AS (
    DELETE FROM instance WHERE segment_fk = %(segment)s AND segment_offset = %(offset)s RETURNING series_fk, size
), of_series AS (
    UPDATE series e SET instance_count = instance_count - 1, byte_count = byte_count - gone.size,
           metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL
    FROM gone WHERE e.id = gone.series_fk RETURNING e.study_fk, gone.size
), aside AS (
    DELETE FROM set_aside WHERE segment_fk = %(segment)s AND segment_offset = %(offset)s
)
UPDATE study s SET instance_count = instance_count - 1, byte_count = byte_count - of_series.size
FROM of_series WHERE s.id = of_series.study_fk

-- name: open_task
INSERT INTO task (kind, subject, detail) VALUES (%(kind)s, %(subject)s, %(detail)s) ON CONFLICT DO NOTHING
