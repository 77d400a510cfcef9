-- Where the metadata of a series lie.

-- name: series_version
-- The row's version; it changes with every change of the series.
SELECT xmin::text FROM series WHERE id = %(series)s

-- name: set_metadata
-- Only if the series has not changed since ``version`` was read.
UPDATE series SET metadata_segment = %(segment)s, metadata_offset = %(offset)s, metadata_length = %(length)s
WHERE id = %(series)s AND xmin::text = %(version)s

-- name: add_dead_bytes
UPDATE segment SET dead_bytes = dead_bytes + %(bytes)s WHERE id = %(segment)s
