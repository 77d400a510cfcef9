-- name: lock_orders
-- As whoever changes an order does it: the orders first, in one order.
SELECT id FROM imaging_service_request WHERE id IN (
    SELECT p.request_fk FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk
    WHERE s.id = ANY(%(steps)s))
ORDER BY id FOR UPDATE

-- name: lock_steps
-- What a step is and what is asked for, locked in one order against two bookings of it.
SELECT s.id, s.state, s.modality, s.procedure_fk, p.request_fk, registered_root(r.patient_fk), r.state AS request_state,
       p.vetting, p.duration_min, s.scheduled_procedure_step_id, s.acquired_with
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE s.id = ANY(%(steps)s) ORDER BY s.id FOR UPDATE OF s

-- name: appointments_of_steps
-- Appointments that hold a step; those that ended hold none.
SELECT l.step_fk, a.id, a.state FROM appointment_step l JOIN appointment a ON a.id = l.appointment_fk
WHERE l.step_fk = ANY(%(steps)s) AND a.state NOT IN ('CANCELLED', 'NOSHOW')

-- name: lock
SELECT id, version, state, registered_root(patient_fk), state_reason, overbooking_reason, note, wished_from, wished_until
FROM appointment WHERE id = %(id)s FOR UPDATE

-- name: add
INSERT INTO appointment (patient_fk, state, note, placer_appointment_id, placer_issuer, source, wished_from,
       wished_until)
VALUES (%(patient)s, 'WAITING', %(note)s, %(placer_appointment_id)s, %(placer_issuer)s, %(source)s, %(wished_from)s,
       %(wished_until)s)
RETURNING id

-- name: set
UPDATE appointment SET state = %(state)s, state_reason = %(state_reason)s, during = %(during)s,
       overbooking_reason = %(overbooking_reason)s, version = version + 1, updated_at = now()
WHERE id = %(id)s

-- name: set_note
UPDATE appointment SET note = %(note)s, wished_from = %(wished_from)s, wished_until = %(wished_until)s,
       version = version + 1, updated_at = now()
WHERE id = %(id)s

-- name: places
SELECT step_fk, start_at, end_at, room_fk, device_fk, staff FROM appointment_step
WHERE appointment_fk = %(id)s ORDER BY start_at, step_fk

-- name: remove_places
DELETE FROM appointment_step WHERE appointment_fk = %(id)s

-- name: add_place
INSERT INTO appointment_step (appointment_fk, step_fk, start_at, end_at, room_fk, device_fk, staff)
VALUES (%(id)s, %(step)s, %(start_at)s, %(end_at)s, %(room)s, %(device)s, %(staff)s)

-- name: lock_resources
-- In one order, so that two who want the same room and device never wait for each other.
SELECT id FROM resource WHERE id = ANY(%(resources)s) ORDER BY id FOR NO KEY UPDATE

-- name: take
INSERT INTO booking (appointment_fk, resource_fk, during, is_overbooked)
VALUES (%(id)s, %(resource)s, tstzrange(%(start_at)s, %(end_at)s), %(is_overbooked)s)

-- name: release
DELETE FROM booking WHERE appointment_fk = %(id)s RETURNING resource_fk, lower(during), upper(during)

-- name: overbooked_over
-- Bookings that only another one had made overbookings.
SELECT b.id FROM booking b
WHERE b.is_overbooked AND b.resource_fk = %(resource)s AND b.during && tstzrange(%(start_at)s, %(end_at)s)
  AND NOT EXISTS (SELECT 1 FROM booking o WHERE NOT o.is_overbooked AND o.resource_fk = b.resource_fk
                  AND o.during && b.during)
ORDER BY b.id

-- name: promote
UPDATE booking SET is_overbooked = false WHERE id = %(id)s

-- name: in_the_way
SELECT b.resource_fk, lower(b.during), upper(b.during), b.appointment_fk FROM booking b
WHERE b.resource_fk = %(resource)s AND b.during && tstzrange(%(start_at)s, %(end_at)s)
  AND b.appointment_fk <> %(id)s
ORDER BY lower(b.during), b.id LIMIT 20

-- name: of_the_patient
SELECT lower(during), upper(during), id FROM appointment
WHERE patient_fk = ANY(ARRAY(SELECT registered_family(%(patient)s))) AND id <> %(id)s AND state = 'BOOKED'
  AND during && tstzrange(%(start_at)s, %(end_at)s)
ORDER BY lower(during), id LIMIT 20

-- name: shown
-- ARRIVED and FULFILLED follow from the steps: they are received and performed one by one.
SELECT a.id, a.version, registered_root(a.patient_fk),
       CASE WHEN a.state <> 'BOOKED' THEN a.state
            WHEN s.done = s.total AND s.total > 0 THEN 'FULFILLED'
            WHEN s.begun > 0 THEN 'ARRIVED'
            ELSE a.state END,
       a.state_reason, lower(a.during), upper(a.during), a.overbooking_reason, a.wished_from, a.wished_until,
       a.note, a.placer_appointment_id, a.source, a.created_at, a.updated_at, coalesce(s.steps, '[]'), b.overbooked,
       b.resources
FROM appointment a
LEFT JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE s.state IN ('COMPLETED', 'DISCONTINUED')) AS done,
           count(*) FILTER (WHERE s.state IN ('ARRIVED', 'READY', 'STARTED', 'COMPLETED', 'DISCONTINUED')) AS begun,
           jsonb_agg(jsonb_build_array(s.id, s.scheduled_procedure_step_id, s.state, extract(epoch FROM l.start_at),
               extract(epoch FROM l.end_at), l.room_fk, l.device_fk, to_jsonb(l.staff), r.id, r.accession_number,
               r.priority, p.id, coalesce(nullif(s.description, ''), nullif(p.description, ''), p.code_meaning),
               s.modality, p.duration_min) ORDER BY l.start_at, s.id) AS steps
    FROM appointment_step l
    JOIN scheduled_procedure_step s ON s.id = l.step_fk
    JOIN requested_procedure p ON p.id = s.procedure_fk
    JOIN imaging_service_request r ON r.id = p.request_fk
    WHERE l.appointment_fk = a.id
) s ON true
LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT resource_fk) FILTER (WHERE is_overbooked), '{}') AS overbooked,
           coalesce(array_agg(DISTINCT resource_fk), '{}') AS resources
    FROM booking WHERE appointment_fk = a.id
) b ON true
WHERE a.id = ANY(%(ids)s)
ORDER BY a.during, a.created_at, a.id

-- name: in_range
SELECT a.id FROM appointment a
WHERE a.during && tstzrange(%(start_at)s, %(end_at)s) AND a.state NOT IN ('WAITING', 'CANCELLED')
  AND (%(resources)s::bigint[] IS NULL OR EXISTS (
      SELECT 1 FROM appointment_step l WHERE l.appointment_fk = a.id
      AND (l.room_fk = ANY(%(resources)s) OR l.device_fk = ANY(%(resources)s) OR l.staff && %(resources)s::bigint[])))
ORDER BY a.during, a.id LIMIT %(limit)s

-- name: of_patient
SELECT id FROM appointment WHERE patient_fk = ANY(ARRAY(SELECT registered_family(%(patient)s)))
ORDER BY id DESC LIMIT %(limit)s

-- name: waiting
SELECT a.id FROM appointment a
WHERE a.state = 'WAITING' AND a.id > %(after)s
  AND (%(day)s::date IS NULL OR (coalesce(a.wished_from <= %(day)s, true) AND coalesce(a.wished_until >= %(day)s, true)))
  AND (%(modality)s = '' OR EXISTS (
      SELECT 1 FROM appointment_step l JOIN scheduled_procedure_step s ON s.id = l.step_fk
      WHERE l.appointment_fk = a.id AND s.modality = %(modality)s))
ORDER BY a.id LIMIT %(limit)s

-- name: by_placer
SELECT id FROM appointment
WHERE placer_appointment_id = %(placer_appointment_id)s AND placer_issuer = %(placer_issuer)s

-- name: holding_canceled
-- Appointments that still hold a step whose order, or procedure, was called off.
SELECT DISTINCT a.id FROM appointment a
JOIN appointment_step l ON l.appointment_fk = a.id
JOIN scheduled_procedure_step s ON s.id = l.step_fk
JOIN requested_procedure p ON p.id = s.procedure_fk
WHERE p.request_fk = %(request)s AND s.state = 'CANCELED' AND a.state IN ('WAITING', 'BOOKED')
ORDER BY a.id

-- name: remove_place
DELETE FROM appointment_step WHERE appointment_fk = %(id)s AND step_fk = %(step)s

-- name: history
SELECT id, at, kind, source, detail FROM workflow_event WHERE appointment_fk = %(id)s ORDER BY id

-- name: place_step
UPDATE scheduled_procedure_step
SET start_at = %(start_at)s, end_at = %(end_at)s, device_fk = %(device)s, scheduled_station_ae_title = %(ae_title)s,
    scheduled_station_name = %(station_name)s, location = %(location)s, version = version + 1
WHERE id = %(step)s

-- name: clear_step
UPDATE scheduled_procedure_step
SET start_at = NULL, end_at = NULL, device_fk = NULL, scheduled_station_ae_title = '', scheduled_station_name = '',
    location = ''
WHERE id = %(step)s

-- name: steps_of_group
SELECT id, scheduled_procedure_step_id FROM scheduled_procedure_step
WHERE acquired_with = %(group)s AND state = 'WAITING' ORDER BY id

-- name: affected
-- Appointments still to come or under way that a downtime touches.
SELECT DISTINCT a.id, lower(a.during) FROM booking b JOIN appointment a ON a.id = b.appointment_fk
WHERE (%(resource)s::bigint IS NULL OR b.resource_fk = %(resource)s)
  AND b.during && tstzrange(%(start_at)s, %(end_at)s) AND a.state = 'BOOKED'
ORDER BY lower(a.during), a.id LIMIT %(limit)s
