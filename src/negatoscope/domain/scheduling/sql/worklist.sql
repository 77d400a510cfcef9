-- What a modality's worklist shows.

-- name: device
-- The device that calls under a title, with the room it stands in.
SELECT id, modality, room_fk, worklist_filter FROM resource
WHERE kind = 'DEVICE' AND ae_title = %(ae_title)s AND is_active

-- name: candidates
-- Steps that may match, urgent ones first. Whatever is given narrows; matching decides afterwards.
SELECT s.id
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
LEFT JOIN resource d ON d.id = s.device_fk
WHERE s.start_at IS NOT NULL AND s.state IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
  AND (s.state = 'STARTED' OR (r.state <> 'ON HOLD' AND p.vetting NOT IN ('WAITING', 'REFUSED', 'REPLACED')))
  AND (%(from)s::timestamptz IS NULL OR s.start_at >= %(from)s)
  AND (%(until)s::timestamptz IS NULL OR s.start_at < %(until)s)
  AND CASE %(shows)s
      WHEN 'STATION' THEN s.scheduled_station_ae_title = %(own)s
           OR (s.scheduled_station_ae_title = '' AND s.device_fk IS NULL AND s.modality = %(own_modality)s)
      WHEN 'ROOM' THEN s.scheduled_station_ae_title = %(own)s OR d.room_fk = %(own_room)s
           OR EXISTS (SELECT 1 FROM appointment_step j JOIN appointment t ON t.id = j.appointment_fk AND t.state <> 'CANCELLED'
                      JOIN booking b ON b.appointment_fk = t.id WHERE j.step_fk = s.id AND b.resource_fk = %(own_room)s)
      WHEN 'MODALITY' THEN s.scheduled_station_ae_title = %(own)s OR s.modality = %(own_modality)s
      ELSE true END
  AND (%(only_modalities)s::text[] IS NULL OR s.modality = ANY(%(only_modalities)s))
  AND (%(modality)s::text[] IS NULL OR s.modality = ANY(%(modality)s))
  AND (%(station)s::text[] IS NULL OR coalesce(nullif(s.scheduled_station_ae_title, ''), %(own)s) = ANY(%(station)s))
  AND (%(step_id)s::text[] IS NULL OR s.scheduled_procedure_step_id = ANY(%(step_id)s))
  AND (%(state)s::text[] IS NULL OR s.state = ANY(%(state)s))
  AND (%(procedure_id)s::text[] IS NULL OR p.requested_procedure_id = ANY(%(procedure_id)s))
  AND (%(study)s::text[] IS NULL OR p.study_instance_uid = ANY(%(study)s))
  AND (%(accession)s::text[] IS NULL OR r.accession_number = ANY(%(accession)s))
  AND (%(admission)s::text[] IS NULL OR r.admission_id = ANY(%(admission)s))
  AND (%(patient_id)s::text[] IS NULL OR r.patient_fk IN (
        SELECT i.patient_fk FROM registered_identifier i WHERE i.value = ANY(%(patient_id)s) AND i.until IS NULL))
  AND (%(words)s::text[] IS NULL OR EXISTS (
        SELECT 1 FROM registered_patient x WHERE x.id = r.patient_fk AND NOT EXISTS (
            SELECT 1 FROM unnest(%(words)s::text[]) w WHERE x.name_folded NOT LIKE '%%' || w || '%%' ESCAPE '\')))
ORDER BY CASE r.priority WHEN 'STAT' THEN 0 WHEN 'HIGH' THEN 1 ELSE 2 END, s.start_at, s.id
LIMIT %(limit)s

-- name: items
-- Everything an answer says of some steps, in the order of their numbers' list.
SELECT s.id, s.scheduled_procedure_step_id, s.modality, s.description, s.protocol_codes,
       s.scheduled_station_ae_title, s.scheduled_station_name, s.location, s.start_at, s.end_at,
       s.performing_physician_name, s.pre_medication, s.requested_contrast_agent, s.comments, s.state,
       p.requested_procedure_id, p.study_instance_uid, p.code_value, p.coding_scheme_designator, p.code_meaning,
       p.description, p.protocol,
       r.patient_fk, r.accession_number, r.issuer_of_accession_number, r.placer_order_number, r.placer_issuer,
       r.filler_order_number, r.filler_issuer, r.admission_id, r.issuer_of_admission_id, r.current_patient_location,
       r.requesting_service, r.requesting_physician, r.referring_physician_name, r.priority, r.clinical_question,
       r.justification, r.comments, r.patient_transport, r.pregnancy_status, r.medical_alerts, r.allergies,
       r.patient_weight_kg, r.patient_size_m, r.created_at
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS hit (id, place)
JOIN scheduled_procedure_step s ON s.id = hit.id
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
ORDER BY hit.place

-- name: standing
-- How a step stands, and whether worklists show it.
SELECT s.state, s.start_at IS NOT NULL AND s.state IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
       AND (s.state = 'STARTED' OR (r.state <> 'ON HOLD' AND p.vetting NOT IN ('WAITING', 'REFUSED', 'REPLACED'))),
       s.started_at, s.ended_at
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
WHERE s.id = %(step)s

-- name: steps_concerned
-- Steps that an event about an order may change.
SELECT s.id FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk
WHERE s.id = %(step)s OR (%(step)s::bigint IS NULL AND (p.id = %(procedure)s OR (%(procedure)s::bigint IS NULL AND (
      p.request_fk = %(request)s OR s.id IN (SELECT step_fk FROM appointment_step WHERE appointment_fk = %(appointment)s)))))
ORDER BY s.id
