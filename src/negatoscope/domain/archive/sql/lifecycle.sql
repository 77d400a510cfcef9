-- name: due_studies
-- Studies to which nothing was added for a while.
SELECT study_fk, changed_at FROM unsettled_study WHERE changed_at < now() - make_interval(secs => %(idle_s)s)
ORDER BY changed_at LIMIT 200

-- name: begin_settling
-- To the end of the queue before the work: a study that kills whoever settles it must not keep the others waiting.
UPDATE unsettled_study SET changed_at = clock_timestamp()
WHERE study_fk = %(study)s AND changed_at = %(changed_at)s RETURNING changed_at

-- name: study_members
-- Where the instances of a study lie, in reading order.
SELECT i.id, i.segment_fk, i.segment_offset, i.size, i.data_set_offset, i.sha256, g.name, g.volume, g.state
FROM series e JOIN instance i ON i.series_fk = e.id JOIN segment g ON g.id = i.segment_fk
WHERE e.study_fk = %(study)s
ORDER BY e.series_number NULLS LAST, e.id, i.instance_number NULLS LAST, i.id

-- name: move
-- Point an instance at its new place, unless it moved meanwhile.
UPDATE instance SET segment_fk = %(segment)s, segment_offset = %(offset)s
WHERE id = %(id)s AND segment_fk = %(old_segment)s AND segment_offset = %(old_offset)s

-- name: move_set_aside
UPDATE set_aside SET segment_fk = %(segment)s, segment_offset = %(offset)s
WHERE id = %(id)s AND segment_fk = %(old_segment)s AND segment_offset = %(old_offset)s

-- name: series_without_metadata
SELECT id FROM series WHERE study_fk = %(study)s AND metadata_segment IS NULL AND instance_count > 0 ORDER BY id

-- name: settled
-- The study's row first, as ingest does it.
WITH held AS MATERIALIZED (
    SELECT id FROM study WHERE id = %(study)s FOR NO KEY UPDATE
), done AS (
    DELETE FROM unsettled_study u USING held WHERE u.study_fk = held.id AND u.changed_at = %(changed_at)s RETURNING u.study_fk
)
UPDATE study SET settled_at = now() FROM done WHERE id = done.study_fk

-- name: sparse_segments
-- Sealed segments of which at least half is dead, or that nothing points into.
SELECT id, name, volume, length, dead_bytes FROM segment
WHERE state = 'SEALED' AND dead_bytes > 0 AND dead_bytes * 2 >= length
ORDER BY dead_bytes DESC LIMIT 20

-- name: live_members
SELECT id, 'instance' AS kind, segment_offset, size, data_set_offset, sha256 FROM instance WHERE segment_fk = %(segment)s
UNION ALL
SELECT id, 'set_aside', segment_offset, size, (record->>'dso')::smallint, sha256 FROM set_aside WHERE segment_fk = %(segment)s
ORDER BY segment_offset

-- name: drop_metadata_of_segment
-- The studies settle again, which writes the metadata elsewhere.
WITH cleared AS (
    UPDATE series SET metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL
    WHERE metadata_segment = %(segment)s RETURNING study_fk
)
INSERT INTO unsettled_study (study_fk) SELECT DISTINCT study_fk FROM cleared ON CONFLICT DO NOTHING

-- name: segment_deleted
UPDATE segment SET state = 'DELETED', length = 0, dead_bytes = 0 WHERE id = %(segment)s

-- name: verify_batch
-- Instances by place on disk, so that a pass reads segments from start to end.
SELECT i.id, i.segment_fk, i.segment_offset, i.size, i.data_set_offset, i.sha256, g.name, g.volume, i.sop_instance_uid
FROM instance i JOIN segment g ON g.id = i.segment_fk
WHERE (i.segment_fk, i.segment_offset) > (%(segment)s, %(offset)s)
  AND (%(study)s::text IS NULL OR i.series_fk IN (
        SELECT e.id FROM series e JOIN study s ON s.id = e.study_fk WHERE s.study_instance_uid = %(study)s))
  AND (%(older_than)s::timestamptz IS NULL OR coalesce(i.verified_at, i.received_at) < %(older_than)s)
ORDER BY i.segment_fk, i.segment_offset LIMIT 500

-- name: verified
UPDATE instance SET verified_at = now() WHERE id = ANY(%(ids)s)

-- name: pending_set_aside
SELECT id, reason, sop_instance_uid, study_instance_uid, series_instance_uid, calling_ae_title, received_at, encode(sha256, 'hex'), size
FROM set_aside WHERE state = 'PENDING' ORDER BY received_at LIMIT %(limit)s

-- name: lock_set_aside
SELECT reason, state, sop_instance_uid, sha256, segment_fk, segment_offset, size, record FROM set_aside WHERE id = %(id)s FOR UPDATE

-- name: pending_version
-- What a journaled decision is about, while it is not carried out.
SELECT id, reason, segment_fk, segment_offset, size, sha256, record FROM set_aside
WHERE sop_instance_uid = %(uid)s AND sha256 = %(sha256)s AND state = 'PENDING' ORDER BY id LIMIT 1 FOR UPDATE

-- name: swap_version
-- The version that was aside becomes the current one; the current one goes aside in its place.
UPDATE instance SET segment_fk = %(segment)s, segment_offset = %(offset)s, size = %(size)s, sha256 = %(sha256)s,
       data_set_offset = (%(record)s::jsonb->>'dso')::smallint, pixel_offset = (%(record)s::jsonb->>'po')::bigint,
       transfer_syntax = (%(record)s::jsonb->>'ts')::smallint, sop_class = (%(record)s::jsonb->>'cls')::smallint,
       instance_number = (%(record)s::jsonb->>'num')::integer, number_of_frames = (%(record)s::jsonb->>'frames')::integer,
       frame_length = (%(record)s::jsonb->>'fl')::integer, "rows" = (%(record)s::jsonb->>'nrows')::integer,
       "columns" = (%(record)s::jsonb->>'ncols')::integer, bits_allocated = (%(record)s::jsonb->>'bits')::smallint,
       crc32 = (%(record)s::jsonb->>'crc')::integer,
       frame_index = decode(%(record)s::jsonb->>'fi', 'base64'), verified_at = NULL
WHERE sop_instance_uid = %(uid)s

-- name: current_version
SELECT i.segment_fk, i.segment_offset, i.size, i.sha256, i.data_set_offset, i.series_fk,
       s.study_instance_uid, e.series_instance_uid, i.pixel_offset, i.transfer_syntax, i.sop_class, i.instance_number,
       i.number_of_frames, i.frame_length, i."rows", i."columns", i.bits_allocated, encode(i.frame_index, 'base64'), i.crc32
FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
WHERE i.sop_instance_uid = %(uid)s FOR UPDATE OF i

-- name: put_aside
INSERT INTO set_aside (reason, state, sop_instance_uid, study_instance_uid, series_instance_uid, sha256, segment_fk, segment_offset,
    size, record, resolved_at, resolved_by)
VALUES ('CONTENT DIFFERS', 'DISMISSED', %(uid)s, %(study)s, %(series)s, %(sha256)s, %(segment)s, %(offset)s, %(size)s, %(record)s,
    now(), %(by)s)
ON CONFLICT (sop_instance_uid, sha256, reason) DO UPDATE SET state = 'DISMISSED'

-- name: resolve_set_aside
UPDATE set_aside SET state = %(state)s, resolved_at = now(), resolved_by = %(by)s WHERE id = %(id)s

-- name: remove_set_aside
DELETE FROM set_aside WHERE id = %(id)s

-- name: touch_series
UPDATE series SET metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL WHERE id = %(series)s

-- name: close_tasks
UPDATE task SET done_at = now(), done_by = %(by)s WHERE kind = %(kind)s AND subject = %(subject)s AND done_at IS NULL

-- name: open_tasks
SELECT id, kind, subject, detail, created_at FROM task WHERE done_at IS NULL ORDER BY created_at LIMIT %(limit)s

-- name: close_task
UPDATE task SET done_at = now(), done_by = %(by)s WHERE id = %(id)s AND done_at IS NULL
