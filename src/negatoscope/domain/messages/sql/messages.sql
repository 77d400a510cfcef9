-- name: store
-- A batch in one transaction; a repetition (same sender, same MSH-10) is left out.
INSERT INTO hl7_message (
    peer, sending_application, sending_facility, message_code, trigger_event, control_id,
    version_id, patient_identifiers, notes, content, sha256, acknowledgment_code, error_code,
    error_segment, error_field, reason, state, state_reason, processed_at, is_first)
SELECT m.peer, m.sending_application, m.sending_facility, m.message_code, m.trigger_event,
       m.control_id, m.version_id,
       ARRAY(SELECT jsonb_array_elements_text(m.lists -> 0)),
       ARRAY(SELECT jsonb_array_elements_text(m.lists -> 1)),
       m.content, m.sha256, m.acknowledgment_code, m.error_code, m.error_segment, m.error_field,
       m.reason, m.state, m.reason,
       CASE WHEN m.state = 'PENDING' THEN NULL ELSE now() END,
       %(is_first)s
FROM unnest(%(peer)s::text[], %(sending_application)s::text[], %(sending_facility)s::text[],
            %(message_code)s::text[], %(trigger_event)s::text[], %(control_id)s::text[],
            %(version_id)s::text[], %(lists)s::jsonb[], %(content)s::bytea[], %(sha256)s::bytea[],
            %(acknowledgment_code)s::text[], %(error_code)s::text[], %(error_segment)s::text[],
            %(error_field)s::int[], %(reason)s::text[], %(state)s::text[])
     WITH ORDINALITY AS m (peer, sending_application, sending_facility, message_code,
            trigger_event, control_id, version_id, lists, content, sha256, acknowledgment_code,
            error_code, error_segment, error_field, reason, state, ordinal)
ORDER BY m.ordinal
ON CONFLICT (sending_application, sending_facility, control_id)
    WHERE is_first AND control_id <> '' DO NOTHING
RETURNING id, sending_application, sending_facility, control_id, sha256

-- name: first_ones
-- What was kept before under the same sender and MSH-10.
SELECT id, sending_application, sending_facility, control_id, sha256,
       acknowledgment_code, error_code, error_segment, error_field, reason
FROM hl7_message
WHERE is_first AND control_id <> ''
  AND (sending_application, sending_facility, control_id) IN
      (SELECT * FROM unnest(%(sending_application)s::text[], %(sending_facility)s::text[],
                            %(control_id)s::text[]))

-- name: window
-- The oldest that wait, with the identifiers of the patients that they name.
SELECT id, patient_identifiers FROM hl7_message WHERE state = 'PENDING' ORDER BY id LIMIT %(limit)s

-- name: claim
-- Unless another processor has it, or it is done.
SELECT content FROM hl7_message WHERE id = %(id)s AND state = 'PENDING' FOR UPDATE SKIP LOCKED

-- name: finish
-- Where somebody wants admission messages forwarded, the outbox is told of those carried out.
WITH finished AS (
    UPDATE hl7_message SET state = %(state)s, state_reason = %(state_reason)s, effect = %(effect)s,
           attempt_count = attempt_count + 1, processed_at = now()
    WHERE id = %(id)s AND state = 'PENDING'
    RETURNING id, state, message_code)
INSERT INTO outbox (kind, payload)
SELECT 'hl7-processed', jsonb_build_object('message', f.id) FROM finished f
WHERE f.state = 'PROCESSED' AND f.message_code = 'ADT'
  AND EXISTS (SELECT 1 FROM hl7_destination WHERE is_active AND 'ADT FORWARD' = ANY (kinds))

-- name: replay
UPDATE hl7_message SET state = 'PENDING', state_reason = '', processed_at = NULL
WHERE id = %(id)s AND state IN ('FAILED', 'IGNORED')

-- name: search
SELECT id, stored_at, peer, sending_application, sending_facility, message_code, trigger_event,
       control_id, version_id, patient_identifiers, notes, acknowledgment_code, error_code,
       error_segment, error_field, reason, state, state_reason, effect, attempt_count,
       processed_at, length(content)
FROM hl7_message
WHERE (%(before_id)s::bigint IS NULL OR id < %(before_id)s)
  AND (%(id)s::bigint IS NULL OR id = %(id)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(message_code)s = '' OR message_code = %(message_code)s)
  AND (%(trigger_event)s = '' OR trigger_event = %(trigger_event)s)
  AND (%(sending_application)s = '' OR sending_application = %(sending_application)s)
  AND (%(control_id)s = '' OR control_id = %(control_id)s)
  AND (%(stored_from)s::timestamptz IS NULL OR stored_at >= %(stored_from)s)
  AND (%(stored_until)s::timestamptz IS NULL OR stored_at < %(stored_until)s)
  AND (%(patient_identifiers)s::text[] IS NULL OR patient_identifiers && %(patient_identifiers)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: content
SELECT content FROM hl7_message WHERE id = %(id)s

-- name: senders
SELECT sending_application, sending_facility, count(*),
       count(*) FILTER (WHERE state = 'PENDING'), count(*) FILTER (WHERE state = 'FAILED'),
       max(stored_at), (array_agg(peer ORDER BY id DESC))[1]
FROM hl7_message WHERE stored_at > now() - interval '30 days'
GROUP BY 1, 2 ORDER BY 1, 2

-- name: depth
-- How many wait, and since when the oldest does.
SELECT count(*), min(stored_at) FROM hl7_message WHERE state = 'PENDING'

-- name: journal
-- Both directions in one list, newest first. A place in it is the instant, the direction, the number.
SELECT * FROM (
    (SELECT 'in' AS direction, m.id, m.stored_at AS at, m.message_code, m.trigger_event, m.control_id,
            m.version_id, m.sending_application AS partner, m.sending_facility AS partner_facility, m.peer,
            NULL::bigint AS destination, '' AS kind, '' AS action, m.patient_identifiers,
            m.acknowledgment_code, m.error_code, m.state, coalesce(nullif(m.state_reason, ''), m.reason) AS reason,
            m.effect, m.attempt_count, m.processed_at AS finished_at, length(m.content) AS byte_count,
            NULL::bigint AS patient, NULL::bigint AS request, NULL::bigint AS appointment
     FROM hl7_message m
     WHERE %(direction)s IN ('', 'in') AND %(destination)s::bigint IS NULL AND %(request)s::bigint IS NULL
       AND (%(before_at)s::timestamptz IS NULL OR m.stored_at < %(before_at)s
            OR (m.stored_at = %(before_at)s AND ('in' > %(before_direction)s
                OR ('in' = %(before_direction)s AND m.id < %(before_id)s))))
       AND (%(in_states)s::text[] IS NULL OR m.state = ANY (%(in_states)s))
       AND (%(message_code)s = '' OR m.message_code = %(message_code)s)
       AND (%(trigger_event)s = '' OR m.trigger_event = %(trigger_event)s)
       AND (%(partner)s = '' OR m.sending_application = %(partner)s)
       AND (%(control_id)s = '' OR m.control_id = %(control_id)s)
       AND (%(stored_from)s::timestamptz IS NULL OR m.stored_at >= %(stored_from)s)
       AND (%(stored_until)s::timestamptz IS NULL OR m.stored_at < %(stored_until)s)
       AND (%(patient_identifiers)s::text[] IS NULL OR m.patient_identifiers && %(patient_identifiers)s)
     ORDER BY m.stored_at DESC, m.id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT 'out', m.id, m.created_at, m.message_code, m.trigger_event, m.control_id, m.version_id,
            d.name, d.receiving_facility, d.host || ':' || d.port, d.id, m.kind, m.action, m.patient_identifiers,
            m.acknowledgment_code, m.error_code, m.state, coalesce(nullif(m.reason, ''), m.last_error),
            '{}'::jsonb, m.attempt_count, m.finished_at, length(m.content), m.patient_fk, m.request_fk,
            m.appointment_fk
     FROM outbound_message m JOIN hl7_destination d ON d.id = m.destination_fk
     WHERE %(direction)s IN ('', 'out') AND (%(destination)s::bigint IS NULL OR d.id = %(destination)s)
       AND (%(request)s::bigint IS NULL OR m.request_fk = %(request)s)
       AND (%(before_at)s::timestamptz IS NULL OR m.created_at < %(before_at)s
            OR (m.created_at = %(before_at)s AND ('out' > %(before_direction)s
                OR ('out' = %(before_direction)s AND m.id < %(before_id)s))))
       AND (%(out_states)s::text[] IS NULL OR m.state = ANY (%(out_states)s))
       AND (%(message_code)s = '' OR m.message_code = %(message_code)s)
       AND (%(trigger_event)s = '' OR m.trigger_event = %(trigger_event)s)
       AND (%(partner)s = '' OR d.name = %(partner)s)
       AND (%(control_id)s = '' OR m.control_id = %(control_id)s)
       AND (%(stored_from)s::timestamptz IS NULL OR m.created_at >= %(stored_from)s)
       AND (%(stored_until)s::timestamptz IS NULL OR m.created_at < %(stored_until)s)
       AND (%(patient_identifiers)s::text[] IS NULL OR m.patient_identifiers && %(patient_identifiers)s)
     ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s)
) AS j
ORDER BY j.at DESC, j.direction, j.id DESC LIMIT %(limit)s
