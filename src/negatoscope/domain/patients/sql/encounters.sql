-- name: find
SELECT id, patient_fk FROM encounter WHERE visit_number = %(visit)s AND authority_fk = %(authority)s FOR UPDATE

-- name: add
INSERT INTO encounter (patient_fk, visit_number, authority_fk, state)
VALUES (%(patient)s, %(visit)s, %(authority)s, 'UNKNOWN')
ON CONFLICT (visit_number, authority_fk) DO NOTHING RETURNING id

-- name: set_patient
UPDATE encounter SET patient_fk = %(patient)s, updated_at = now() WHERE id = %(id)s

-- name: set_account
UPDATE encounter SET account_number = %(account)s, account_authority_fk = %(authority)s WHERE id = %(id)s
   AND (account_number, account_authority_fk) IS DISTINCT FROM (%(account)s, %(authority)s::bigint)

-- name: add_statement
INSERT INTO encounter_statement (encounter_fk, sender, control_id, said_at, action, event, movement_number, happened_at,
       facts, source)
VALUES (%(encounter)s, %(sender)s, %(control_id)s, %(said_at)s, %(action)s, %(event)s, %(movement)s, %(happened_at)s,
       %(facts)s, %(source)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: statements
SELECT said_at, control_id, action, event, movement_number, happened_at, facts FROM encounter_statement
WHERE encounter_fk = %(encounter)s ORDER BY id

-- name: write
UPDATE encounter SET state = %(state)s, patient_class = %(patient_class)s, admitted_at = %(admitted_at)s,
       discharged_at = %(discharged_at)s, expected_at = %(expected_at)s, lodging_unit = %(lodging_unit)s,
       medical_unit = %(medical_unit)s, care_unit = %(care_unit)s, room = %(room)s, bed = %(bed)s,
       attending_doctor = %(attending_doctor)s, updated_at = now()
WHERE id = %(id)s

-- name: write_movement
INSERT INTO movement AS m (encounter_fk, key, movement_number, event, nature, happened_at, lodging_unit, medical_unit,
       care_unit, room, bed, is_historic, is_cancelled)
VALUES (%(encounter)s, %(key)s, %(movement)s, %(event)s, %(nature)s, %(happened_at)s, %(lodging_unit)s,
       %(medical_unit)s, %(care_unit)s, %(room)s, %(bed)s, %(is_historic)s, %(is_cancelled)s)
ON CONFLICT (encounter_fk, key) DO UPDATE SET event = excluded.event, nature = excluded.nature,
       happened_at = excluded.happened_at, lodging_unit = excluded.lodging_unit, medical_unit = excluded.medical_unit,
       care_unit = excluded.care_unit, room = excluded.room, bed = excluded.bed, is_historic = excluded.is_historic,
       is_cancelled = excluded.is_cancelled

-- name: drop_movements
-- Movements that no statement makes any more.
DELETE FROM movement WHERE encounter_fk = %(encounter)s AND NOT key = ANY(%(keys)s::text[])

-- name: account_holder
SELECT patient_fk, said_at FROM account_holder WHERE account_number = %(account)s AND authority_fk = %(authority)s

-- name: move_account
INSERT INTO account_holder AS h (account_number, authority_fk, patient_fk, said_at, source)
VALUES (%(account)s, %(authority)s, %(patient)s, %(said_at)s, %(source)s)
ON CONFLICT (account_number, authority_fk) DO UPDATE
    SET patient_fk = excluded.patient_fk, said_at = excluded.said_at, source = excluded.source
    WHERE h.said_at < excluded.said_at
RETURNING patient_fk

-- name: of_account
SELECT id, patient_fk FROM encounter WHERE account_number = %(account)s AND account_authority_fk = %(authority)s
ORDER BY id FOR UPDATE

-- name: of_patients
SELECT e.id, e.patient_fk, e.visit_number, va.namespace, va.universal_id, va.universal_id_type, e.account_number,
       aa.namespace, aa.universal_id, aa.universal_id_type, e.patient_class, e.state, e.admitted_at, e.discharged_at,
       e.expected_at, e.lodging_unit, e.medical_unit, e.care_unit, e.room, e.bed, e.attending_doctor, e.updated_at
FROM encounter e JOIN assigning_authority va ON va.id = e.authority_fk
     LEFT JOIN assigning_authority aa ON aa.id = e.account_authority_fk
WHERE e.patient_fk = ANY(%(patients)s)
ORDER BY coalesce(e.admitted_at, e.expected_at, e.updated_at) DESC, e.id DESC LIMIT %(limit)s

-- name: shown
-- Under which file each goes by now, and what the unit in charge was called when it began.
SELECT e.id, e.patient_fk, e.visit_number, va.namespace, va.universal_id, va.universal_id_type, e.account_number,
       aa.namespace, aa.universal_id, aa.universal_id_type, e.patient_class, e.state, e.admitted_at, e.discharged_at,
       e.expected_at, e.lodging_unit, e.medical_unit, e.care_unit, e.room, e.bed, e.attending_doctor, e.updated_at,
       registered_root(e.patient_fk),
       (SELECT u.label FROM hospital_unit u WHERE u.code = e.medical_unit
        AND daterange(u.valid_from, u.valid_until, '[]') @> coalesce(e.admitted_at, now())::date)
FROM encounter e JOIN assigning_authority va ON va.id = e.authority_fk
     LEFT JOIN assigning_authority aa ON aa.id = e.account_authority_fk
WHERE e.id = ANY(%(ids)s)

-- name: movements
SELECT encounter_fk, key, movement_number, event, nature, happened_at, lodging_unit, medical_unit, care_unit, room, bed,
       is_historic, is_cancelled
FROM movement WHERE encounter_fk = ANY(%(encounters)s) ORDER BY encounter_fk, happened_at, id
