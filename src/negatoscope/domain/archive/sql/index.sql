-- name: ingest
-- Index a batch; one row per record in their order.
SELECT outcome, study_id, series_id FROM archive_ingest(%s::jsonb) ORDER BY ordinal

-- name: ingest_after
-- The same after a wait for what the first attempt met: {"records": …, "keys": …}.
SELECT outcome, study_id, series_id FROM archive_ingest(%s::jsonb->'records',
    ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(%s::jsonb->'keys') k)) ORDER BY ordinal

-- name: ingest_known
-- Index objects whose patient, study and series have rows already: the path of every image but a series' first.
-- Answers the places of those that went in; the others are there already, and are told again with all their attributes.
-- (By place, not by UID: one batch may hold the same object from two senders.)
-- PostgreSQL runs the parts that nothing reads from the last to the first: study, unsettled_study, series, arrival, each sorted.
-- That is the order of locks of archive_ingest too.
WITH input AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS x (
        sop text, cls smallint, ts smallint, sha text, seg integer, off bigint, size bigint, po bigint, dso smallint, num integer,
        frames integer, fl integer, nrows integer, ncols integer, bits smallint, crc integer, fi text, received timestamptz, ae text,
        actor text, study_fk bigint, series_fk bigint)
), added AS (
    INSERT INTO instance (series_fk, segment_fk, segment_offset, size, pixel_offset, data_set_offset, sop_class,
        transfer_syntax, instance_number, number_of_frames, frame_length, "rows", "columns", bits_allocated, crc32, received_at,
        sop_instance_uid, sha256, frame_index)
    SELECT series_fk, seg, off, size, po, dso, cls, ts, num, frames, fl, nrows, ncols, bits, crc, received, sop,
        decode(sha, 'hex'), decode(fi, 'base64')
    FROM input ORDER BY sop, seg, off ON CONFLICT (sop_instance_uid) DO NOTHING RETURNING segment_fk, segment_offset
), stored AS MATERIALIZED (
    SELECT i.* FROM input i JOIN added a ON a.segment_fk = i.seg AND a.segment_offset = i.off
), arrived AS (
    INSERT INTO arrival (study_fk, calling_ae_title, actor_name, instance_count)
    SELECT study_fk, coalesce(ae, ''), coalesce(actor, ''), count(*) FROM stored GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (study_fk, calling_ae_title, actor_name)
    DO UPDATE SET instance_count = arrival.instance_count + excluded.instance_count
), counted_series AS (
    UPDATE series e SET instance_count = instance_count + d.added, byte_count = byte_count + d.bytes,
           metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL
    FROM (SELECT series_fk, count(*) AS added, sum(size) AS bytes FROM stored GROUP BY series_fk ORDER BY series_fk) d
    WHERE e.id = d.series_fk
), unsettled AS (
    INSERT INTO unsettled_study (study_fk) SELECT DISTINCT study_fk FROM stored ORDER BY study_fk
    ON CONFLICT (study_fk) DO UPDATE SET changed_at = now()
), counted_study AS (
    UPDATE study s SET instance_count = instance_count + d.added, byte_count = byte_count + d.bytes
    FROM (SELECT study_fk, count(*) AS added, sum(size) AS bytes FROM stored GROUP BY study_fk ORDER BY study_fk) d
    WHERE s.id = d.study_fk
)
SELECT segment_fk, segment_offset FROM added

-- name: ingest_one
-- The same for one object, its columns as parameters: half the work for the database. Same order of locks.
WITH added AS (
    INSERT INTO instance (series_fk, segment_fk, segment_offset, size, pixel_offset, data_set_offset, sop_class,
        transfer_syntax, instance_number, number_of_frames, frame_length, "rows", "columns", bits_allocated, crc32, received_at,
        sop_instance_uid, sha256, frame_index)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, decode($18, 'hex'), decode($19, 'base64'))
    ON CONFLICT (sop_instance_uid) DO NOTHING RETURNING segment_fk, segment_offset
), arrived AS (
    INSERT INTO arrival (study_fk, calling_ae_title, actor_name, instance_count)
    SELECT $20::bigint, coalesce($21::text, ''), coalesce($22::text, ''), 1 FROM added
    ON CONFLICT (study_fk, calling_ae_title, actor_name) DO UPDATE SET instance_count = arrival.instance_count + 1
), counted_series AS (
    UPDATE series e SET instance_count = instance_count + 1, byte_count = byte_count + $4,
           metadata_segment = NULL, metadata_offset = NULL, metadata_length = NULL
    FROM added WHERE e.id = $1
), unsettled AS (
    INSERT INTO unsettled_study (study_fk) SELECT $20 FROM added
    ON CONFLICT (study_fk) DO UPDATE SET changed_at = now()
), counted_study AS (
    UPDATE study s SET instance_count = instance_count + 1, byte_count = byte_count + $4
    FROM added WHERE s.id = $20
)
SELECT segment_fk, segment_offset FROM added

-- name: announce_arrivals
-- From counts to events, once a second or so.
WITH told AS (
    DELETE FROM arrival WHERE (study_fk, calling_ae_title, actor_name) IN (
        SELECT study_fk, calling_ae_title, actor_name FROM arrival ORDER BY first_at LIMIT 500 FOR UPDATE SKIP LOCKED)
    RETURNING study_fk, calling_ae_title, actor_name, instance_count
)
INSERT INTO outbox (kind, payload)
SELECT 'instances-stored', jsonb_build_object('study_instance_uid', s.study_instance_uid, 'calling_ae_title', t.calling_ae_title,
       'actor_name', t.actor_name, 'count', t.instance_count)
FROM told t JOIN study s ON s.id = t.study_fk

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
WITH held AS MATERIALIZED (
    SELECT i.id FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk
    WHERE i.segment_fk = %(segment)s AND i.segment_offset = %(offset)s FOR NO KEY UPDATE OF s
), gone AS (
    DELETE FROM instance i USING held WHERE i.id = held.id RETURNING i.series_fk, i.size
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
