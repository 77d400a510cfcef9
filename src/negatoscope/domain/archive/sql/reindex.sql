-- name: empty_index
-- Everything that the segments can tell again.
TRUNCATE patient, patient_identifier, study, study_without_patient, unsettled_study, arrival, series, segment, instance, set_aside RESTART IDENTITY CASCADE

-- name: add_segment
INSERT INTO segment (name, volume, state, length, member_count, sealed_at)
VALUES (%(name)s, %(volume)s, 'SEALED', %(length)s, %(members)s, now()) RETURNING id

-- name: count_dead
-- Bytes of members that nothing points at (copies left by settling).
UPDATE segment g SET dead_bytes = greatest(0, g.length - 4096 - coalesce((
    SELECT sum(l.size + 2048) FROM (
        SELECT size FROM instance WHERE segment_fk = g.id UNION ALL SELECT size FROM set_aside WHERE segment_fk = g.id
    ) AS l), 0))

-- name: forget_events
-- The rebuilt rows are no news to anybody.
DELETE FROM arrival

-- name: list_members
CREATE TEMPORARY TABLE reindex_member (
    at text NOT NULL, name text NOT NULL, segment_id integer NOT NULL, kind text NOT NULL, content_offset bigint NOT NULL
)

-- name: copy_members
COPY reindex_member (at, name, segment_id, kind, content_offset) FROM STDIN

-- name: members_in_order
-- Of copies with one name, that of the younger segment first: it is where settling put it.
SELECT kind, segment_id, content_offset FROM reindex_member ORDER BY at COLLATE "C", name COLLATE "C", segment_id DESC
