-- name: destination
SELECT name, host, port, tls, check_host, sending_application, sending_facility,
       receiving_application, receiving_facility, character_set, order_profile, adt_profile, kinds,
       modalities, requesting_services, authorities, patient_classes, actions, acknowledgment_mode,
       connect_timeout_s, answer_timeout_s, holds_after_refusal, is_active, is_paused, id, version
FROM hl7_destination WHERE id = %(id)s

-- name: active_destinations
SELECT name, host, port, tls, check_host, sending_application, sending_facility,
       receiving_application, receiving_facility, character_set, order_profile, adt_profile, kinds,
       modalities, requesting_services, authorities, patient_classes, actions, acknowledgment_mode,
       connect_timeout_s, answer_timeout_s, holds_after_refusal, is_active, is_paused, id, version
FROM hl7_destination WHERE is_active ORDER BY id

-- name: destinations_with_state
SELECT d.name, d.host, d.port, d.tls, d.check_host, d.sending_application, d.sending_facility,
       d.receiving_application, d.receiving_facility, d.character_set, d.order_profile,
       d.adt_profile, d.kinds, d.modalities, d.requesting_services, d.authorities, d.patient_classes,
       d.actions, d.acknowledgment_mode, d.connect_timeout_s, d.answer_timeout_s,
       d.holds_after_refusal, d.is_active, d.is_paused, d.id, d.version, d.seen_at, d.connected_at,
       d.last_error, d.last_error_at, d.next_attempt_at, w.count, w.oldest, w.held,
       (SELECT count(*) FROM outbound_message m WHERE m.destination_fk = d.id AND m.state = 'REFUSED'),
       (SELECT count(*) FROM outbound_message m WHERE m.destination_fk = d.id
        AND m.state = 'ACKNOWLEDGED' AND m.finished_at > now() - interval '24 hours'),
       (SELECT max(m.finished_at) FROM outbound_message m WHERE m.destination_fk = d.id
        AND m.state = 'ACKNOWLEDGED')
FROM hl7_destination d,
     LATERAL (SELECT count(*) AS count, min(m.created_at) AS oldest,
              count(*) FILTER (WHERE m.attempt_count > 0) AS held
              FROM outbound_message m WHERE m.destination_fk = d.id AND m.state = 'WAITING') w
ORDER BY d.name

-- name: add_destination
INSERT INTO hl7_destination (
       name, host, port, tls, check_host, sending_application, sending_facility,
       receiving_application, receiving_facility, character_set, order_profile, adt_profile, kinds,
       modalities, requesting_services, authorities, patient_classes, actions, acknowledgment_mode,
       connect_timeout_s, answer_timeout_s, holds_after_refusal, is_active, is_paused)
VALUES (%(name)s, %(host)s, %(port)s, %(tls)s, %(check_host)s, %(sending_application)s,
       %(sending_facility)s, %(receiving_application)s, %(receiving_facility)s, %(character_set)s,
       %(order_profile)s, %(adt_profile)s, %(kinds)s, %(modalities)s, %(requesting_services)s,
       %(authorities)s, %(patient_classes)s, %(actions)s, %(acknowledgment_mode)s,
       %(connect_timeout_s)s, %(answer_timeout_s)s, %(holds_after_refusal)s, %(is_active)s,
       %(is_paused)s)
RETURNING id

-- name: change_destination
UPDATE hl7_destination SET
       name = %(name)s, host = %(host)s, port = %(port)s, tls = %(tls)s,
       check_host = %(check_host)s, sending_application = %(sending_application)s,
       sending_facility = %(sending_facility)s, receiving_application = %(receiving_application)s,
       receiving_facility = %(receiving_facility)s, character_set = %(character_set)s,
       order_profile = %(order_profile)s, adt_profile = %(adt_profile)s, kinds = %(kinds)s,
       modalities = %(modalities)s, requesting_services = %(requesting_services)s,
       authorities = %(authorities)s, patient_classes = %(patient_classes)s, actions = %(actions)s,
       acknowledgment_mode = %(acknowledgment_mode)s, connect_timeout_s = %(connect_timeout_s)s,
       answer_timeout_s = %(answer_timeout_s)s, holds_after_refusal = %(holds_after_refusal)s,
       is_active = %(is_active)s, is_paused = %(is_paused)s,
       version = version + 1
WHERE id = %(id)s AND version = %(version)s

-- name: has_waiting
SELECT 1 FROM outbound_message WHERE destination_fk = %(id)s AND state = 'WAITING' LIMIT 1

-- name: remove_destination
DELETE FROM hl7_destination WHERE id = %(id)s

-- name: pause
UPDATE hl7_destination SET is_paused = %(is_paused)s, version = version + 1 WHERE id = %(id)s

-- name: lock_order_key
SELECT pg_advisory_xact_lock(hashtextextended('hl7-out:' || %(key)s, 0))

-- name: enqueue
INSERT INTO outbound_message (
       destination_fk, origin, kind, action, subject, order_keys, patient_fk, request_fk,
       appointment_fk, message_code, trigger_event, control_id, version_id, patient_identifiers,
       content, state, reason, finished_at)
VALUES (%(destination)s, %(origin)s, %(kind)s, %(action)s, %(subject)s, %(order_keys)s, %(patient)s,
        %(request)s, %(appointment)s, %(message_code)s, %(trigger_event)s, %(control_id)s,
        %(version_id)s, %(patient_identifiers)s, %(content)s,
        CASE WHEN %(reason)s = '' THEN 'WAITING' ELSE 'REFUSED' END, %(reason)s,
        CASE WHEN %(reason)s = '' THEN NULL ELSE now() END)
ON CONFLICT (destination_fk, origin) DO NOTHING
RETURNING id

-- name: last_action
SELECT action FROM outbound_message
WHERE destination_fk = %(destination)s AND subject = %(subject)s AND kind = %(kind)s
  AND state IN ('WAITING', 'ACKNOWLEDGED')
ORDER BY id DESC LIMIT 1

-- name: next_due
-- The oldest that is due and that no earlier message of the same patient holds back.
SELECT m.id, m.control_id, m.content, m.attempt_count, m.kind, m.request_fk
FROM outbound_message m
WHERE m.destination_fk = %(destination)s AND m.state = 'WAITING' AND m.not_before <= now()
  AND NOT EXISTS (SELECT 1 FROM outbound_message e
      WHERE e.destination_fk = m.destination_fk AND e.id < m.id AND e.state = 'WAITING'
        AND e.order_keys && m.order_keys)
  AND (NOT %(holds)s OR NOT EXISTS (SELECT 1 FROM outbound_message e
      WHERE e.destination_fk = m.destination_fk AND e.id < m.id AND e.state = 'REFUSED'
        AND e.order_keys && m.order_keys))
ORDER BY m.id LIMIT 1

-- name: note_attempt
UPDATE outbound_message SET attempt_count = attempt_count + 1, last_sent_at = clock_timestamp()
WHERE id = %(id)s

-- name: postpone
UPDATE outbound_message SET last_error = %(reason)s,
       not_before = clock_timestamp() + make_interval(secs => %(delay_s)s)
WHERE id = %(id)s AND state = 'WAITING'

-- name: finish_sent
UPDATE outbound_message SET state = %(state)s, acknowledgment_code = %(code)s,
       error_code = %(error_code)s, reason = %(reason)s, answer = %(answer)s, last_error = '',
       finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'WAITING'

-- name: note_connection
UPDATE hl7_destination SET seen_at = clock_timestamp(),
       connected_at = CASE WHEN %(is_connected)s THEN coalesce(connected_at, clock_timestamp()) END,
       last_error = CASE WHEN %(error)s <> '' THEN %(error)s ELSE last_error END,
       last_error_at = CASE WHEN %(error)s <> '' THEN clock_timestamp() ELSE last_error_at END,
       next_attempt_at = clock_timestamp() + make_interval(secs => %(next_attempt_s)s)
WHERE id = %(id)s

-- name: note_alive
UPDATE hl7_destination SET seen_at = clock_timestamp() WHERE id = %(id)s

-- name: figures
SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision,
       (SELECT count(*) FROM outbound_message
        WHERE destination_fk = %(destination)s AND state = 'REFUSED')
FROM outbound_message WHERE destination_fk = %(destination)s AND state = 'WAITING'

-- name: outbound
SELECT m.id, m.created_at, m.destination_fk, d.name, m.origin, m.kind, m.action, m.subject,
       m.patient_fk, m.request_fk, m.appointment_fk, m.message_code, m.trigger_event, m.control_id,
       m.version_id, m.patient_identifiers, m.state, m.attempt_count, m.last_sent_at, m.last_error,
       m.acknowledgment_code, m.error_code, m.reason, m.finished_at, length(m.content), m.content,
       m.answer
FROM outbound_message m JOIN hl7_destination d ON d.id = m.destination_fk WHERE m.id = %(id)s

-- name: waiting_of
SELECT id FROM outbound_message WHERE destination_fk = %(destination)s AND state = 'WAITING'
ORDER BY id LIMIT 500

-- name: newer_taken
SELECT n.id FROM outbound_message m JOIN outbound_message n
    ON n.destination_fk = m.destination_fk AND n.subject = m.subject AND n.kind = m.kind AND n.id > m.id
WHERE m.id = %(id)s AND m.subject <> '' AND n.state = 'ACKNOWLEDGED' LIMIT 1

-- name: replay_outbound
UPDATE outbound_message SET state = 'WAITING', finished_at = NULL, not_before = now(),
       attempt_count = 0, acknowledgment_code = '', error_code = '', reason = '', last_error = ''
WHERE id = %(id)s AND state IN ('REFUSED', 'GIVEN UP')

-- name: give_up
UPDATE outbound_message SET state = 'GIVEN UP', finished_at = now()
WHERE id = %(id)s AND state IN ('WAITING', 'REFUSED')
