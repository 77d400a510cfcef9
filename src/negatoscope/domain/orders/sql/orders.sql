-- name: get
SELECT id, patient_fk, accession_number, issuer_of_accession_number, placer_order_number, placer_issuer,
       filler_order_number, filler_issuer, state, state_reason, source, version, created_at, updated_at,
       admission_id, issuer_of_admission_id, current_patient_location, requesting_service, requesting_physician,
       requesting_physician_id, referring_physician_name, priority, clinical_question, justification, comments,
       patient_transport, pregnancy_status, medical_alerts_given, allergies, patient_weight_kg, patient_size_m, wished_at
FROM imaging_service_request WHERE id = ANY(%(ids)s)

-- name: procedures
SELECT p.id, p.request_fk, p.requested_procedure_id, p.study_instance_uid, p.procedure_fk, p.code_value,
       p.coding_scheme_designator, p.code_meaning, p.description, p.modality, p.duration_min, p.vetting,
       p.vetting_reason, p.vetted_by, p.vetted_at, p.protocol, p.replaced_by, p.state, p.version, p.wished_room_fk,
       coalesce(r.name, '')
FROM requested_procedure p LEFT JOIN resource r ON r.id = p.wished_room_fk
WHERE p.request_fk = ANY(%(ids)s) ORDER BY p.id

-- name: steps
SELECT s.id, s.procedure_fk, s.scheduled_procedure_step_id, s.modality, s.description, s.protocol_codes,
       s.scheduled_station_ae_title, s.scheduled_station_name, s.location, s.start_at, s.end_at,
       s.performing_physician_name, s.requested_contrast_agent, s.state, s.arrived_at, s.identity_checked_at,
       s.started_at, s.ended_at, s.acquired_with, s.version
FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk
WHERE p.request_fk = ANY(%(ids)s) ORDER BY s.id

-- name: lock
SELECT id FROM imaging_service_request WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

-- name: request_of_step
SELECT p.request_fk FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk
WHERE s.id = ANY(%(ids)s) GROUP BY p.request_fk

-- name: request_of_procedure
SELECT request_fk FROM requested_procedure WHERE id = %(id)s

-- name: steps_acquired_with
-- Steps of one acquisition: the group has the number of its first step.
SELECT id FROM scheduled_procedure_step WHERE acquired_with = %(group)s ORDER BY id

-- name: by_placer
SELECT id FROM imaging_service_request
WHERE placer_order_number = %(number)s AND placer_issuer = %(issuer)s

-- name: by_filler
SELECT id FROM imaging_service_request
WHERE filler_order_number = %(number)s AND filler_issuer = %(issuer)s

-- name: by_accession
SELECT id FROM imaging_service_request
WHERE accession_number = %(number)s AND issuer_of_accession_number = %(issuer)s

-- name: add
INSERT INTO imaging_service_request (patient_fk, accession_number, issuer_of_accession_number, placer_order_number,
       placer_issuer, filler_order_number, filler_issuer, admission_id, issuer_of_admission_id,
       current_patient_location, requesting_service, requesting_physician, requesting_physician_id,
       referring_physician_name, priority, clinical_question, justification, comments, patient_transport,
       pregnancy_status, medical_alerts, medical_alerts_given, allergies, patient_weight_kg, patient_size_m,
       wished_at, state, source)
VALUES (%(patient)s, %(accession_number)s, %(issuer_of_accession_number)s, %(placer_order_number)s,
       %(placer_issuer)s, %(filler_order_number)s, %(filler_issuer)s, %(admission_id)s, %(issuer_of_admission_id)s,
       %(current_patient_location)s, %(requesting_service)s, %(requesting_physician)s, %(requesting_physician_id)s,
       %(referring_physician_name)s, %(priority)s, %(clinical_question)s, %(justification)s, %(comments)s,
       %(patient_transport)s, %(pregnancy_status)s, %(medical_alerts)s, %(medical_alerts)s, %(allergies)s,
       %(patient_weight_kg)s, %(patient_size_m)s, %(wished_at)s, 'REQUESTED', %(source)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: change
UPDATE imaging_service_request SET admission_id = %(admission_id)s,
       issuer_of_admission_id = %(issuer_of_admission_id)s, current_patient_location = %(current_patient_location)s,
       requesting_service = %(requesting_service)s, requesting_physician = %(requesting_physician)s,
       requesting_physician_id = %(requesting_physician_id)s, referring_physician_name = %(referring_physician_name)s,
       priority = %(priority)s, clinical_question = %(clinical_question)s, justification = %(justification)s,
       comments = %(comments)s, patient_transport = %(patient_transport)s, pregnancy_status = %(pregnancy_status)s,
       medical_alerts_given = %(medical_alerts)s, allergies = %(allergies)s, patient_weight_kg = %(patient_weight_kg)s,
       patient_size_m = %(patient_size_m)s, wished_at = %(wished_at)s, version = version + 1, updated_at = now()
WHERE id = %(id)s

-- name: set_placer
UPDATE imaging_service_request SET placer_order_number = %(number)s, placer_issuer = %(issuer)s,
       version = version + 1, updated_at = now() WHERE id = %(id)s

-- name: set_patient
UPDATE imaging_service_request SET patient_fk = %(patient)s, version = version + 1, updated_at = now() WHERE id = %(id)s

-- name: set_request_state
UPDATE imaging_service_request SET state = %(state)s::text, state_reason = %(reason)s, version = version + 1,
       updated_at = now() WHERE id = %(id)s

-- name: touch
UPDATE imaging_service_request SET version = version + 1, updated_at = now() WHERE id = %(id)s

-- name: add_procedure
INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid, procedure_fk, code_value,
       coding_scheme_designator, code_meaning, description, modality, duration_min, vetting, state)
VALUES (%(request)s, %(requested_procedure_id)s, %(study_instance_uid)s, %(catalogue)s, %(code_value)s,
       %(coding_scheme_designator)s, %(code_meaning)s, %(description)s, %(modality)s, %(duration_min)s,
       %(vetting)s, 'REQUESTED')
ON CONFLICT DO NOTHING RETURNING id

-- name: change_procedure
UPDATE requested_procedure SET procedure_fk = %(catalogue)s, code_value = %(code_value)s,
       coding_scheme_designator = %(coding_scheme_designator)s, code_meaning = %(code_meaning)s,
       description = %(description)s, modality = %(modality)s, duration_min = %(duration_min)s,
       study_instance_uid = %(study_instance_uid)s, vetting = %(vetting)s, version = version + 1
WHERE id = %(id)s

-- name: set_procedure_state
UPDATE requested_procedure SET state = %(state)s::text, version = version + 1 WHERE id = %(id)s

-- name: set_study
UPDATE requested_procedure SET study_instance_uid = %(study_instance_uid)s, version = version + 1 WHERE id = %(id)s

-- name: vet
UPDATE requested_procedure SET vetting = %(vetting)s, vetting_reason = %(reason)s, vetted_by = %(by)s,
       vetted_at = CASE WHEN %(by)s = '' THEN NULL ELSE now() END, protocol = %(protocol)s,
       replaced_by = %(replaced_by)s, version = version + 1
WHERE id = %(id)s

-- name: add_step
INSERT INTO scheduled_procedure_step (procedure_fk, scheduled_procedure_step_id, modality, description,
       protocol_codes, scheduled_station_ae_title, scheduled_station_name, location, start_at, end_at,
       performing_physician_name, requested_contrast_agent, state)
VALUES (%(procedure)s, %(scheduled_procedure_step_id)s, %(modality)s, %(description)s, %(protocol_codes)s,
       %(scheduled_station_ae_title)s, %(scheduled_station_name)s, %(location)s, %(start_at)s, %(end_at)s,
       %(performing_physician_name)s, %(requested_contrast_agent)s, %(state)s::text)
ON CONFLICT DO NOTHING RETURNING id

-- name: change_step
UPDATE scheduled_procedure_step SET modality = %(modality)s, description = %(description)s,
       protocol_codes = %(protocol_codes)s, scheduled_station_ae_title = %(scheduled_station_ae_title)s,
       scheduled_station_name = %(scheduled_station_name)s, location = %(location)s, start_at = %(start_at)s,
       end_at = %(end_at)s, performing_physician_name = %(performing_physician_name)s, version = version + 1
WHERE id = %(id)s

-- name: set_protocol
UPDATE scheduled_procedure_step SET protocol_codes = %(protocol_codes)s, description = %(description)s,
       requested_contrast_agent = %(requested_contrast_agent)s, version = version + 1
WHERE id = %(id)s

-- name: set_modality
UPDATE scheduled_procedure_step SET modality = %(modality)s, version = version + 1
WHERE procedure_fk = %(procedure)s AND state = ANY(%(states)s)

-- name: set_procedure_modality
UPDATE requested_procedure SET modality = %(modality)s, version = version + 1 WHERE id = %(procedure)s

-- name: set_wished_room
UPDATE requested_procedure SET wished_room_fk = %(room)s, version = version + 1 WHERE id = %(procedure)s

-- name: is_room
SELECT 1 FROM resource WHERE id = %(room)s AND kind = 'ROOM'

-- name: last_acceptance
-- What a radiologist's last acceptance put in the place of what.
SELECT detail FROM workflow_event WHERE procedure_fk = %(procedure)s AND kind = 'ACCEPTED' ORDER BY id DESC LIMIT 1

-- name: set_step_state
-- Time stamps follow the state: going back takes away what has not happened.
UPDATE scheduled_procedure_step SET state = %(state)s::text,
       start_at = CASE WHEN %(state)s::text = 'WAITING' THEN NULL ELSE start_at END,
       end_at = CASE WHEN %(state)s::text = 'WAITING' THEN NULL ELSE end_at END,
       arrived_at = CASE WHEN %(state)s::text IN ('WAITING', 'SCHEDULED') THEN NULL
                         WHEN %(state)s::text IN ('ARRIVED', 'READY') THEN coalesce(arrived_at, %(at)s::timestamptz) ELSE arrived_at END,
       started_at = CASE WHEN %(state)s::text IN ('WAITING', 'SCHEDULED', 'ARRIVED', 'READY') THEN NULL
                         WHEN %(state)s::text = 'STARTED' THEN coalesce(started_at, %(at)s::timestamptz) ELSE started_at END,
       ended_at = CASE WHEN %(state)s::text IN ('COMPLETED', 'DISCONTINUED') THEN %(at)s::timestamptz ELSE NULL END,
       identity_checked_at = CASE WHEN %(state)s::text IN ('WAITING', 'SCHEDULED', 'ARRIVED') THEN NULL
                                  WHEN %(state)s::text = 'READY' THEN coalesce(identity_checked_at, %(at)s::timestamptz)
                                  ELSE identity_checked_at END,
       identity_checked_by = CASE WHEN %(state)s::text IN ('WAITING', 'SCHEDULED', 'ARRIVED') THEN ''
                                  WHEN %(state)s::text = 'READY' AND identity_checked_by = '' THEN %(by)s
                                  ELSE identity_checked_by END,
       version = version + 1
WHERE id = %(id)s

-- name: set_group
UPDATE scheduled_procedure_step SET acquired_with = %(group)s, version = version + 1 WHERE id = ANY(%(ids)s)

-- name: catalogue
SELECT id, code_value, coding_scheme_designator, label_fr, label_en, modality, duration_min, contrast,
       contrast_agent, safety_questions, needs_vetting, is_active
FROM catalogue_procedure WHERE id = %(id)s

-- name: catalogue_by_code
-- The scheme decides when it is given; a code that one scheme only has needs none.
SELECT id FROM catalogue_procedure
WHERE code_value = %(code_value)s AND is_active AND (%(scheme)s = '' OR coding_scheme_designator = %(scheme)s)
ORDER BY id LIMIT 2

-- name: catalogue_protocols
SELECT code_value, coding_scheme_designator, code_meaning FROM catalogue_protocol
WHERE procedure_fk = %(id)s ORDER BY position

-- name: asked_questions
-- Of the procedures that are still to be done.
SELECT DISTINCT q FROM requested_procedure p JOIN catalogue_procedure c ON c.id = p.procedure_fk,
       unnest(c.safety_questions) q
WHERE p.request_fk = %(id)s AND p.state NOT IN ('CANCELED', 'REPLACED')

-- name: patient_traits
SELECT p.sex, p.birth_date FROM imaging_service_request r JOIN registered_patient p ON p.id = r.patient_fk
WHERE r.id = %(id)s

-- name: answers
SELECT question, answer, value, detail, answered_by, answered_at, cleared_by, cleared_reason, cleared_at
FROM safety_answer WHERE request_fk = %(id)s ORDER BY question

-- name: answer
INSERT INTO safety_answer (request_fk, question, answer, value, detail, answered_by)
VALUES (%(id)s, %(question)s, %(answer)s, %(value)s, %(detail)s, %(by)s)
ON CONFLICT (request_fk, question) DO UPDATE SET answer = excluded.answer, value = excluded.value,
       detail = excluded.detail, answered_by = excluded.answered_by, answered_at = now(), cleared_by = '',
       cleared_reason = '', cleared_at = NULL

-- name: clear_answer
UPDATE safety_answer SET cleared_by = %(by)s, cleared_reason = %(reason)s,
       cleared_at = CASE WHEN %(by)s = '' THEN NULL ELSE now() END
WHERE request_fk = %(id)s AND question = %(question)s

-- name: set_safety_fields
UPDATE imaging_service_request SET medical_alerts = %(medical_alerts)s, pregnancy_status = %(pregnancy_status)s,
       version = version + 1, updated_at = now()
WHERE id = %(id)s AND (medical_alerts, pregnancy_status) IS DISTINCT FROM (%(medical_alerts)s, %(pregnancy_status)s)

-- name: history
SELECT id, at, kind, procedure_fk, step_fk, appointment_fk, detail, source FROM workflow_event
WHERE request_fk = %(id)s ORDER BY id DESC LIMIT 500

-- name: matching
-- The condition of the list; more is added behind it.
FROM imaging_service_request r JOIN registered_patient t ON t.id = r.patient_fk
WHERE (%(priorities)s::text[] IS NULL OR r.priority = ANY(%(priorities)s))
  AND (%(patient)s::bigint IS NULL OR r.patient_fk = %(patient)s)
  AND (%(created_from)s::timestamptz IS NULL OR r.created_at >= %(created_from)s)
  AND (%(created_until)s::timestamptz IS NULL OR r.created_at < %(created_until)s)
  AND (%(modalities)s::text[] IS NULL AND %(vetting)s::text[] IS NULL AND NOT %(is_not_in_catalogue)s
       OR EXISTS (SELECT 1 FROM requested_procedure p WHERE p.request_fk = r.id
          AND (p.state NOT IN ('CANCELED', 'REPLACED') OR %(vetting)s::text[] IS NOT NULL)
          AND (%(modalities)s::text[] IS NULL OR p.modality = ANY(%(modalities)s))
          AND (%(vetting)s::text[] IS NULL OR p.vetting = ANY(%(vetting)s))
          AND (NOT %(is_not_in_catalogue)s OR p.procedure_fk IS NULL)))
  AND (%(words)s::text[] IS NULL OR NOT EXISTS (SELECT 1 FROM unnest(%(words)s::text[]) w
       WHERE NOT (t.name_folded LIKE '%%' || w || '%%' ESCAPE '\'
          OR lower(r.accession_number) LIKE w || '%%' ESCAPE '\'
          OR lower(r.placer_order_number) LIKE w || '%%' ESCAPE '\'
          OR lower(r.filler_order_number) LIKE w || '%%' ESCAPE '\'
          OR text_folded(r.requesting_service) LIKE '%%' || w || '%%' ESCAPE '\'
          OR EXISTS (SELECT 1 FROM registered_identifier i WHERE i.patient_fk = r.patient_fk
                     AND i.until IS NULL AND lower(i.value) LIKE w || '%%' ESCAPE '\')
          OR EXISTS (SELECT 1 FROM requested_procedure p WHERE p.request_fk = r.id
                     AND (lower(p.code_value) LIKE w || '%%' ESCAPE '\'
                          OR text_folded(p.description) LIKE '%%' || w || '%%' ESCAPE '\')))))

-- name: waiting_for_vetting
-- The radiologist's list: the most urgent first, of these the oldest.
SELECT p.id, p.request_fk, array_position(ARRAY['STAT', 'HIGH', 'MEDIUM', 'ROUTINE', 'LOW'], r.priority) AS rank
FROM requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk
WHERE p.vetting = 'WAITING' AND p.state NOT IN ('CANCELED', 'REPLACED')
  AND (%(modalities)s::text[] IS NULL OR p.modality = ANY(%(modalities)s))
  AND (%(after_rank)s::int IS NULL OR (array_position(ARRAY['STAT', 'HIGH', 'MEDIUM', 'ROUTINE', 'LOW'], r.priority), p.id)
       > (%(after_rank)s, %(after_id)s))
ORDER BY rank, p.id LIMIT %(limit)s

-- name: count_waiting_for_vetting
SELECT p.modality, count(*) FROM requested_procedure p
WHERE p.vetting = 'WAITING' AND p.state NOT IN ('CANCELED', 'REPLACED') GROUP BY p.modality

-- name: studies_of
-- Studies of the archive that were made for an order's procedures.
SELECT b.procedure_fk, b.study_instance_uid FROM study_binding b JOIN requested_procedure p ON p.id = b.procedure_fk
WHERE p.request_fk = %(id)s AND b.state = 'BOUND' ORDER BY b.first_arrival_at

-- name: requests_of_procedures
-- With whose they are by now.
SELECT DISTINCT r.id, registered_root(r.patient_fk) FROM requested_procedure p
JOIN imaging_service_request r ON r.id = p.request_fk WHERE p.id = ANY(%(ids)s)
