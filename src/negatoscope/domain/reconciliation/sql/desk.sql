-- What actions touch, and the journal.

-- name: state
-- Changes with whatever concerns these patients and studies: what a preview showed is then not so any more.
SELECT md5(concat_ws('|',
    (SELECT string_agg(p.id || ':' || p.version || ':' || coalesce(p.merged_into::text, ''), ',' ORDER BY p.id)
     FROM registered_patient p WHERE p.id = ANY (%(patients)s)),
    (SELECT max(c.id) FROM patient_change c WHERE c.patient_fk = ANY (%(patients)s)),
    (SELECT string_agg(b.study_instance_uid || b.state || coalesce(b.procedure_fk::text, '') || b.decided_at, ',' ORDER BY b.study_instance_uid)
     FROM study_binding b WHERE b.study_instance_uid = ANY (%(studies)s)),
    (SELECT string_agg(m.study_instance_uid || m.registered_fk || m.moved_at, ',' ORDER BY m.study_instance_uid)
     FROM study_move m WHERE m.study_instance_uid = ANY (%(studies)s)),
    (SELECT count(*) FROM imaging_service_request r WHERE r.patient_fk = ANY (%(patients)s)),
    (SELECT count(*) FROM appointment r WHERE r.patient_fk = ANY (%(patients)s))))

-- name: follow_now
SET CONSTRAINTS archive_follows IMMEDIATE

-- name: studies_of
-- Studies of patients, by what is known for certain, and some more; with the row that they are shown under.
SELECT s.study_instance_uid, s.patient_fk, p.patient_id, p.issuer_of_patient_id, p.patient_name
FROM study s JOIN patient p ON p.id = s.patient_fk WHERE s.id IN (
    SELECT s.id FROM patient p JOIN study s ON s.patient_fk = p.id WHERE p.registered_fk = ANY (%(patients)s)
    UNION SELECT s.id FROM registered_identifier i JOIN patient p ON p.patient_id = i.value JOIN study s ON s.patient_fk = p.id
        WHERE i.patient_fk = ANY (%(patients)s) AND archive_registered_of(s.id) = ANY (%(patients)s)
    UNION SELECT s.id FROM study s WHERE s.study_instance_uid = ANY (%(studies)s))

-- name: last_event
SELECT coalesce(max(id), 0) FROM outbox

-- name: merged_rows_since
SELECT table_name, row_key FROM merged_row WHERE change_fk > %(change)s OR returned_at >= %(at)s ORDER BY id

-- name: last_change
SELECT coalesce(max(id), 0), clock_timestamp() FROM patient_change

-- name: accession_numbers
SELECT accession_number FROM imaging_service_request WHERE id = ANY (%(ids)s) ORDER BY id

-- name: worklist_entries
SELECT s.scheduled_procedure_step_id FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk
WHERE p.request_fk = ANY (%(ids)s) AND s.start_at IS NOT NULL AND s.state IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
ORDER BY s.start_at, s.id

-- name: destinations
SELECT name FROM hl7_destination WHERE is_active AND kinds && %(kinds)s::text[] ORDER BY name

-- name: move_of
SELECT registered_fk FROM study_move WHERE study_instance_uid = %(study)s FOR UPDATE

-- name: put_move
INSERT INTO study_move (study_instance_uid, registered_fk, moved_by) VALUES (%(study)s, %(patient)s, %(by)s)
ON CONFLICT (study_instance_uid) DO UPDATE SET registered_fk = excluded.registered_fk, moved_by = excluded.moved_by, moved_at = now()

-- name: drop_move
DELETE FROM study_move WHERE study_instance_uid = %(study)s

-- name: known_studies
SELECT s.study_instance_uid, archive_registered_of(s.id) FROM study s WHERE s.study_instance_uid = ANY (%(studies)s)

-- name: follow
SELECT archive_follow(%(patients)s::bigint[])

-- name: follow_with_studies
-- All at once; a study that nobody has now goes back under the patient that its objects name.
SELECT archive_follow(ARRAY(SELECT unnest(%(patients)s::bigint[])
    UNION SELECT archive_registered_of(id) FROM study WHERE study_instance_uid = ANY (%(studies)s)))

-- name: request_patient
SELECT registered_root(r.patient_fk) FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk
WHERE p.id = %(procedure)s

-- name: last_of_merge
SELECT max(id) FROM patient_change WHERE patient_fk = %(patient)s AND kind IN ('MERGED', 'SPLIT')

-- name: add
INSERT INTO reconciliation_action (kind, done_by, reason, asked, effect)
VALUES (%(kind)s, %(by)s, %(reason)s, %(asked)s, %(effect)s) RETURNING id

-- name: lock
SELECT id, kind, done_at, done_by, reason, asked, effect, undone_at, undone_by FROM reconciliation_action
WHERE id = %(id)s FOR UPDATE

-- name: undone
UPDATE reconciliation_action SET undone_at = now(), undone_by = %(by)s WHERE id = %(id)s

-- name: journal
SELECT id, kind, done_at, done_by, reason, asked, effect, undone_at, undone_by FROM reconciliation_action
WHERE %(before)s::bigint IS NULL OR id < %(before)s ORDER BY id DESC LIMIT %(limit)s

-- name: touch
SELECT pg_notify('negatoscope_outbox', '')
