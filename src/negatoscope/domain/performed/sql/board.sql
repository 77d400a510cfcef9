-- The department board: what is done on a day, a row for each scheduled procedure step.

-- name: rows
-- Rows of a day by its two instants, in the order of their times. The filters are all optional; "only" restricts to what changed.
SELECT s.id, s.scheduled_procedure_step_id, s.version, s.state, s.modality, s.description,
       s.start_at, s.end_at, s.arrived_at, s.identity_checked_at, s.identity_checked_by, s.started_at, s.ended_at,
       s.scheduled_station_ae_title, s.requested_contrast_agent,
       p.id, p.requested_procedure_id, p.study_instance_uid, p.state, p.vetting, p.protocol <> '',
       coalesce(nullif(p.description, ''), nullif(p.code_meaning, ''), c.label_fr, p.code_value),
       coalesce(c.label_fr, ''), coalesce(c.label_en, ''),
       r.id, r.accession_number, r.priority, r.state, r.requesting_service, r.current_patient_location,
       r.patient_transport, r.clinical_question <> '',
       x.id, x.birth_family_name, x.birth_given_name, x.used_family_name, x.used_given_name, x.birth_date, x.sex,
       x.identity_status, x.identity_attributes, x.is_deceased,
       coalesce(i.value, ''), coalesce(i.namespace, ''),
       a.id, a.state, coalesce(a.is_overbooked, false),
       room.id, coalesce(room.name, ''), coalesce(room.location, ''), d.id, coalesce(d.name, ''),
       coalesce(m.series_count, 0), coalesce(m.instance_count, 0), coalesce(m.uids, '{}'),
       mpps.state, mpps.started_at, mpps.ended_at, coalesce(mpps.instance_count, 0), coalesce(mpps.is_overdue, false),
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', w.id, 'text', w.text, 'noted_at', w.noted_at, 'noted_by', w.noted_by)
                                  ORDER BY w.id)
                 FROM step_note w WHERE w.step_fk = s.id AND w.removed_at IS NULL), '[]'),
       ARRAY(SELECT q FROM unnest(c.safety_questions) q
             WHERE NOT EXISTS (SELECT 1 FROM safety_answer t WHERE t.request_fk = r.id AND t.question = q) ORDER BY q),
       ARRAY(SELECT t.question FROM safety_answer t
             WHERE t.request_fk = r.id AND t.answer <> 'NO' AND t.cleared_at IS NULL
               AND t.question = ANY(c.safety_questions) ORDER BY t.question)
FROM scheduled_procedure_step s
JOIN requested_procedure p ON p.id = s.procedure_fk
JOIN imaging_service_request r ON r.id = p.request_fk
JOIN registered_patient x ON x.id = r.patient_fk
LEFT JOIN catalogue_procedure c ON c.id = p.procedure_fk
LEFT JOIN resource d ON d.id = s.device_fk
LEFT JOIN LATERAL (
    SELECT n.value, o.namespace FROM registered_identifier n JOIN assigning_authority o ON o.id = n.authority_fk
    WHERE n.patient_fk = x.id AND n.until IS NULL AND n.type_code IN ('PI', '')
    ORDER BY n.type_code DESC, n.id LIMIT 1) i ON true
LEFT JOIN LATERAL (
    SELECT t.id, t.state, k.resource_fk AS room_fk, k.is_overbooked
    FROM appointment_step j JOIN appointment t ON t.id = j.appointment_fk
    LEFT JOIN LATERAL (
        SELECT b.resource_fk, b.is_overbooked FROM booking b JOIN resource z ON z.id = b.resource_fk AND z.kind = 'ROOM'
        WHERE b.appointment_fk = t.id ORDER BY b.id LIMIT 1) k ON true
    WHERE j.step_fk = s.id AND t.state <> 'CANCELLED' ORDER BY t.id DESC LIMIT 1) a ON true
LEFT JOIN resource room ON room.id = coalesce(a.room_fk, d.room_fk)
LEFT JOIN LATERAL (
    SELECT sum(u.series_count)::int AS series_count, sum(u.instance_count)::int AS instance_count,
           array_agg(u.study_instance_uid ORDER BY u.id) AS uids
    FROM study u
    WHERE u.study_instance_uid = ANY(p.study_instance_uid || ARRAY(
        SELECT e.study_instance_uid FROM study_binding e WHERE e.procedure_fk = p.id AND e.state = 'BOUND'))) m ON true
LEFT JOIN LATERAL (
    SELECT f.state, f.started_at, f.ended_at, f.instance_count, 'NOT ENDED' = ANY(f.flags) AS is_overdue
    FROM performed_for g JOIN performed_procedure_step f ON f.id = g.performed_fk
    WHERE g.step_fk = s.id ORDER BY f.id DESC LIMIT 1) mpps ON true
WHERE s.start_at >= %(from)s AND s.start_at < %(until)s
  AND (s.state <> 'CANCELED' OR %(canceled)s)
  AND (%(modality)s::text[] IS NULL OR s.modality = ANY(%(modality)s))
  AND (%(state)s::text[] IS NULL OR s.state = ANY(%(state)s))
  AND (%(priority)s::text[] IS NULL OR r.priority = ANY(%(priority)s))
  AND (%(unit)s = '' OR r.requesting_service = %(unit)s OR r.current_patient_location = %(unit)s)
  AND (%(room)s::bigint[] IS NULL OR room.id = ANY(%(room)s))
  AND (%(device)s::bigint[] IS NULL OR d.id = ANY(%(device)s))
  AND (%(words)s::text[] IS NULL OR NOT EXISTS (
        SELECT 1 FROM unnest(%(words)s::text[]) w
        WHERE x.name_folded NOT LIKE '%%' || w || '%%' ESCAPE '\'
          AND lower(r.accession_number) NOT LIKE w || '%%' ESCAPE '\'
          AND coalesce(c.name_folded, '') NOT LIKE '%%' || w || '%%' ESCAPE '\'
          AND lower(p.description) NOT LIKE '%%' || w || '%%' ESCAPE '\'
          AND lower(coalesce(i.value, '')) NOT LIKE w || '%%' ESCAPE '\'))
  AND (NOT %(is_delta)s OR s.id = ANY(%(steps)s) OR p.id = ANY(%(procedures)s) OR r.id = ANY(%(requests)s)
       OR a.id = ANY(%(appointments)s)
       OR EXISTS (SELECT 1 FROM appointment_step y WHERE y.step_fk = s.id AND y.appointment_fk = ANY(%(appointments)s)))
ORDER BY s.start_at, s.id
LIMIT %(limit)s

-- name: unordered
-- Studies that came on the day and belong to no order.
SELECT b.study_instance_uid, b.reason, b.first_arrival_at, u.accession_number, u.study_description,
       u.modalities_in_study, u.series_count, u.instance_count, t.id, t.patient_name, t.patient_birth_date, t.patient_sex
FROM study_binding b
JOIN study u ON u.study_instance_uid = b.study_instance_uid
JOIN patient t ON t.id = u.patient_fk
WHERE b.state = 'UNBOUND' AND b.first_arrival_at >= %(from)s AND b.first_arrival_at < %(until)s
  AND (%(modality)s::text[] IS NULL OR u.modalities_in_study && %(modality)s)
ORDER BY b.first_arrival_at DESC LIMIT %(limit)s

-- name: places
-- Rooms and devices a filter can name.
SELECT id, kind, name, location, modality, room_fk, ae_title FROM resource
WHERE kind IN ('ROOM', 'DEVICE') AND is_active ORDER BY kind DESC, name
