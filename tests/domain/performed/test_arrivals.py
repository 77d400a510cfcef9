"""Images are counted for whoever watches, not one by one."""

from datetime import UTC, datetime

import pytest

from negatoscope.domain.performed import arrivals, binding
from negatoscope.infra.events import Event
from negatoscope.subscribers.binding import on_instances_stored, on_workflow_changed
from rows import Rows

UID = "2.25.88001"


@pytest.fixture
def procedure(rows: Rows) -> int:
    patient = rows.patient("DUPONT", "ZOÉ")
    rows.identifier(patient, rows.authority("CHU"), "8001")
    return rows.procedure(rows.order(patient), study_instance_uid=UID)


def arrive(rows: Rows, count: int = 1, uid: str = UID) -> None:
    rows.connection.execute(
        "UPDATE study SET instance_count = instance_count + %s WHERE study_instance_uid = %s",
        (count, uid),
    )
    on_instances_stored(
        rows.connection, event("instances-stored", study_instance_uid=uid, calling_ae_title="CT1")
    )


def event(kind_: str, **payload: object) -> Event:
    return Event(id=1, kind=kind_, payload=payload, created_at=datetime.now(UTC), attempts=0)


def published(rows: Rows) -> list[tuple[str, int | None]]:
    found = rows.connection.execute(
        "SELECT payload->>'kind', (payload->>'procedure')::int FROM outbox"
        " WHERE kind = 'workflow-changed' ORDER BY id"
    ).fetchall()
    return [tuple(row) for row in found]


def test_the_first_image_binds_and_tells_the_next_wait(rows: Rows, procedure: int) -> None:
    rows.study(UID, patient_id="8001", issuer="CHU", images=0)
    arrive(rows)
    assert published(rows) == [("STUDY BOUND", procedure), ("IMAGES ARRIVED", procedure)]
    for _ in range(20):
        arrive(rows, 10)
    assert len(published(rows)) == 2
    assert arrivals.tell_due(rows.connection, source="system:binding") == 0
    rows.connection.execute("UPDATE study_binding SET told_at = now() - interval '5 seconds'")
    assert arrivals.tell_due(rows.connection, source="system:binding") == 1
    assert published(rows)[2:] == [("IMAGES ARRIVED", procedure)]
    assert arrivals.tell_due(rows.connection, source="system:binding") == 0


def test_the_history_has_one_line_for_an_arrival(rows: Rows, procedure: int) -> None:
    rows.study(UID, patient_id="8001", issuer="CHU", images=0)
    arrive(rows)
    for _ in range(3):
        rows.connection.execute("UPDATE study_binding SET told_at = now() - interval '5 seconds'")
        arrive(rows, 100)
    lines = rows.connection.execute(
        "SELECT detail->'instance_count', source FROM workflow_event WHERE kind = 'IMAGES ARRIVED'"
    ).fetchall()
    assert lines == [(301, "dicom:CT1")]


def test_a_study_without_order_is_counted_too(rows: Rows) -> None:
    rows.study("1.2.9", images=0)
    arrive(rows, uid="1.2.9")
    assert published(rows) == [("STUDY UNBOUND", None), ("IMAGES ARRIVED", None)]


def test_objects_that_are_gone_again_decide_nothing(rows: Rows) -> None:
    arrive(rows, uid="1.2.404")
    assert published(rows) == []


def test_an_order_that_comes_later_looks_again(rows: Rows) -> None:
    rows.study("1.2.10", patient_id="8001", issuer="CHU", accession_number="LATE1")
    arrive(rows, uid="1.2.10")
    patient = rows.patient("DUPONT", "ZOÉ")
    rows.identifier(patient, rows.authority("CHU"), "8001")
    request = rows.order(patient, accession="LATE1")
    rows.procedure(request)
    on_workflow_changed(rows.connection, event("workflow-changed", kind="BOOKED", request=request))
    found = binding.find(rows.connection, "1.2.10")
    assert found is not None
    assert found.state == "UNBOUND"
    on_workflow_changed(rows.connection, event("workflow-changed", kind="ORDERED", request=request))
    found = binding.find(rows.connection, "1.2.10")
    assert found is not None
    assert (found.state, found.request) == ("BOUND", request)


def test_a_merge_binds_what_was_another_patients(rows: Rows, procedure: int) -> None:
    other = rows.patient("DUPONT", "ZOÉ")
    rows.identifier(
        other, rows.value("SELECT id FROM assigning_authority WHERE namespace = 'CHU'"), "9"
    )
    rows.study(UID, patient_id="9", issuer="CHU")
    assert binding.decide(rows.connection, UID).reason == "patient-differs"
    kept = rows.value("SELECT patient_fk FROM registered_identifier WHERE value = '8001'")
    rows.connection.execute(
        "UPDATE registered_patient SET merged_into = %s WHERE id = %s", (kept, other)
    )
    rows.connection.execute(
        "UPDATE registered_identifier SET patient_fk = %s WHERE value = '9'", (kept,)
    )
    (found,) = binding.decide_for_patients(rows.connection, [kept, other])
    assert (found.state, found.patient) == ("BOUND", kept)


def test_a_study_moved_by_hand_is_that_patients(rows: Rows, procedure: int) -> None:
    patient = rows.value("SELECT patient_fk FROM registered_identifier WHERE value = '8001'")
    rows.study(UID, patient_id="TYPED BY HAND")
    assert binding.decide(rows.connection, UID).reason == "patient-differs"
    rows.connection.execute("INSERT INTO study_move VALUES (%s, %s)", (UID, patient))
    (found,) = binding.decide_for_patients(rows.connection, [patient])
    assert found.state == "BOUND"


def test_what_is_imported_waits_for_nobody_unless_an_order_fits(rows: Rows, procedure: int) -> None:
    rows.study("1.2.11", patient_id="8001", issuer="CHU", accession_number="OLD1")
    imported = {"calling_ae_title": "", "actor_name": "command line"}
    on_instances_stored(
        rows.connection, event("instances-stored", study_instance_uid="1.2.11", **imported)
    )
    assert published(rows) == []
    rows.study(UID, patient_id="8001", issuer="CHU")
    on_instances_stored(
        rows.connection, event("instances-stored", study_instance_uid=UID, **imported)
    )
    assert published(rows)[0] == ("STUDY BOUND", procedure)
    patient = rows.value("SELECT patient_fk FROM registered_identifier WHERE value = '8001'")
    request = rows.order(patient, accession="OLD1")
    rows.procedure(request)
    (found,) = binding.decide_for_request(rows.connection, request)
    assert (found.state, found.study_instance_uid) == ("BOUND", "1.2.11")
