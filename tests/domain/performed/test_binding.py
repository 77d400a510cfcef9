"""Which procedure a study is bound to, and when it is left to a person."""

from dataclasses import dataclass

import pytest
from psycopg.types.json import Jsonb

from negatoscope.domain.performed import binding
from negatoscope.domain.performed.binding import BindingState, Reason
from negatoscope.domain.performed.errors import OtherPatient, UnknownProcedure, UnknownStudy
from rows import Rows

UID = "2.25.77001"


@dataclass
class Ordered:
    patient: int
    request: int
    procedure: int
    chu: int


@pytest.fixture
def ordered(rows: Rows) -> Ordered:
    chu = rows.authority("CHU", "1.2.250.1.71.9")
    patient = rows.patient("DUPONT", "ZOÉ")
    rows.identifier(patient, chu, "8001")
    request = rows.order(patient, accession="26000001", issuer_of_accession_number="RIS")
    procedure = rows.procedure(request, study_instance_uid=UID)
    rows.step(procedure)
    return Ordered(patient, request, procedure, chu)


def decide(rows: Rows, uid: str = UID) -> tuple[str, str]:
    found = binding.decide(rows.connection, uid)
    return found.state, found.reason


BOUND_BY_UID = (BindingState.BOUND, Reason.STUDY_INSTANCE_UID)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"patient_id": "8001", "issuer": "CHU"}, BOUND_BY_UID),
        ({"patient_id": "8001", "issuer": "1.2.250.1.71.9"}, BOUND_BY_UID),
        ({"patient_id": "8001"}, BOUND_BY_UID),
        ({"patient_id": "8001", "born": None}, BOUND_BY_UID),
        ({"name": "Dupont^Zoe"}, BOUND_BY_UID),
        (
            {"patient_id": "8001", "born": "1990-01-01"},
            (BindingState.UNBOUND, Reason.PATIENT_DIFFERS),
        ),
        ({"patient_id": "8002"}, (BindingState.UNBOUND, Reason.PATIENT_DIFFERS)),
        ({"patient_id": "8002", "issuer": "CHU"}, (BindingState.UNBOUND, Reason.PATIENT_DIFFERS)),
        (
            {"patient_id": "8001", "issuer": "CLINIQUE"},
            (BindingState.UNBOUND, Reason.PATIENT_UNCLEAR),
        ),
        ({"name": "MARTIN^LEA"}, (BindingState.UNBOUND, Reason.PATIENT_DIFFERS)),
        ({"name": "", "born": None}, (BindingState.UNBOUND, Reason.PATIENT_UNCLEAR)),
    ],
)
def test_our_uid_binds_unless_the_patient_speaks_against_it(
    rows: Rows, ordered: Ordered, study: dict[str, object], expected: tuple[str, str]
) -> None:
    rows.study(UID, **study)
    assert decide(rows) == expected


def test_our_uid_with_the_number_of_another_patient_is_not_bound(
    rows: Rows, ordered: Ordered
) -> None:
    rows.identifier(rows.patient("AUTRE", "ANNE"), ordered.chu, "9009")
    rows.study(UID, patient_id="9009", issuer="CHU")
    found = binding.decide(rows.connection, UID)
    assert (found.state, found.reason, found.procedure) == ("UNBOUND", "patient-differs", None)


def test_a_merged_file_is_the_one_it_was_merged_into(rows: Rows, ordered: Ordered) -> None:
    other = rows.patient("DUPOND", "ZOE")
    rows.connection.execute(
        "UPDATE registered_patient SET merged_into = %s WHERE id = %s", (other, ordered.patient)
    )
    rows.connection.execute("UPDATE registered_identifier SET patient_fk = %s", (other,))
    rows.study(UID, patient_id="8001", issuer="CHU")
    found = binding.decide(rows.connection, UID)
    assert (found.state, found.patient) == ("BOUND", other)


ISSUER = {"00080051": {"vr": "SQ", "Value": [{"00400031": {"vr": "UT", "Value": ["RIS"]}}]}}
FOREIGN = {"00080051": {"vr": "SQ", "Value": [{"00400031": {"vr": "UT", "Value": ["VILLE"]}}]}}


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"patient_id": "8001", "issuer": "CHU"}, ("BOUND", "accession-number")),
        (
            {"patient_id": "8001", "issuer": "CHU", "attributes": ISSUER},
            ("BOUND", "accession-number"),
        ),
        (
            {"patient_id": "8001", "issuer": "CHU", "attributes": FOREIGN},
            ("UNBOUND", "accession-unknown"),
        ),
        ({"patient_id": "8001"}, ("UNBOUND", "patient-unclear")),
        ({"patient_id": "8002", "issuer": "CHU"}, ("UNBOUND", "patient-differs")),
        ({}, ("UNBOUND", "patient-unclear")),
    ],
)
def test_an_accession_number_binds_with_the_patient_only(
    rows: Rows, ordered: Ordered, study: dict[str, object], expected: tuple[str, str]
) -> None:
    rows.study("1.2.3.9", accession_number="26000001", **study)
    assert decide(rows, "1.2.3.9") == expected


def test_a_study_without_order_says_why(rows: Rows, ordered: Ordered) -> None:
    rows.study("1.2.3.1", patient_id="8001", issuer="CHU")
    rows.study("1.2.3.2", patient_id="8001", issuer="CHU", accession_number="NOBODY")
    assert decide(rows, "1.2.3.1") == ("UNBOUND", "no-order")
    assert decide(rows, "1.2.3.2") == ("UNBOUND", "accession-unknown")


def test_one_number_of_two_issuers_is_not_chosen_between(rows: Rows, ordered: Ordered) -> None:
    other = rows.order(ordered.patient, accession="26000001", issuer_of_accession_number="VILLE")
    rows.procedure(other)
    given = {"patient_id": "8001", "issuer": "CHU", "accession_number": "26000001"}
    rows.study("1.2.3.3", **given)
    rows.study("1.2.3.4", **given, attributes=FOREIGN)
    assert decide(rows, "1.2.3.3") == ("UNBOUND", "accession-ambiguous")
    assert binding.decide(rows.connection, "1.2.3.4").request == other


def test_of_several_procedures_the_request_attributes_name_one(
    rows: Rows, ordered: Ordered
) -> None:
    second = rows.procedure(ordered.request, requested_procedure_id="RPX")
    given = {"patient_id": "8001", "issuer": "CHU", "accession_number": "26000001"}
    rows.study("1.2.3.5", **given)
    study = rows.study("1.2.3.6", **given)
    item = {"00401001": {"vr": "SH", "Value": ["RPX"]}}
    rows.add(
        "series",
        study_fk=study,
        series_instance_uid="1.2.3.6.1",
        attributes=Jsonb({"00400275": {"vr": "SQ", "Value": [item, {}]}}),
    )
    assert decide(rows, "1.2.3.5") == ("UNBOUND", "several-procedures")
    assert binding.decide(rows.connection, "1.2.3.6").procedure == second


def test_a_replaced_procedure_is_not_in_doubt(rows: Rows, ordered: Ordered) -> None:
    rows.procedure(ordered.request, state="REPLACED")
    rows.study("1.2.3.7", patient_id="8001", issuer="CHU", accession_number="26000001")
    assert binding.decide(rows.connection, "1.2.3.7").procedure == ordered.procedure


def test_the_order_that_comes_later_binds_what_waits(rows: Rows) -> None:
    rows.study("1.2.3.8", patient_id="8001", issuer="CHU", accession_number="LATE")
    assert decide(rows, "1.2.3.8") == ("UNBOUND", "accession-unknown")
    patient = rows.patient("DUPONT", "ZOE")
    rows.identifier(patient, rows.authority("CHU"), "8001")
    request = rows.order(patient, accession="LATE")
    procedure = rows.procedure(request)
    (found,) = binding.decide_for_request(rows.connection, request)
    assert (found.state, found.procedure, found.patient) == ("BOUND", procedure, patient)
    kinds = rows.connection.execute("SELECT kind FROM workflow_event ORDER BY id").fetchall()
    assert kinds == [("STUDY UNBOUND",), ("STUDY BOUND",)]


def test_a_decision_said_again_writes_nothing(rows: Rows, ordered: Ordered) -> None:
    rows.study(UID, patient_id="8001", issuer="CHU")
    first = binding.decide(rows.connection, UID)
    assert binding.decide(rows.connection, UID) == first
    assert rows.value("SELECT count(*) FROM workflow_event") == 1


def test_what_a_person_decides_stays(rows: Rows, ordered: Ordered) -> None:
    rows.study(UID, patient_id="8001", issuer="CHU")
    binding.decide(rows.connection, UID)
    unbound = binding.unbind(rows.connection, UID, source="user:anne")
    assert (unbound.state, unbound.decided_by, unbound.procedure) == ("UNBOUND", "user:anne", None)
    assert binding.decide(rows.connection, UID) == unbound
    assert binding.decide_for_request(rows.connection, ordered.request) == []
    aside = binding.put_aside(rows.connection, UID, source="user:anne")
    assert aside.state is BindingState.PUT_ASIDE
    again = binding.release(rows.connection, UID)
    assert (again.state, again.reason) == BOUND_BY_UID


def test_a_person_binds_what_is_no_other_patients(rows: Rows, ordered: Ordered) -> None:
    rows.study("1.2.4.1", patient_id="8001")
    rows.study("1.2.4.2", patient_id="77", issuer="VILLE")
    with pytest.raises(OtherPatient):
        binding.bind(rows.connection, "1.2.4.1", ordered.procedure, source="user:anne")
    found = binding.bind(
        rows.connection, "1.2.4.1", ordered.procedure, source="user:anne", is_patient_confirmed=True
    )
    assert (found.state, found.reason, found.procedure) == ("BOUND", "by-hand", ordered.procedure)
    with pytest.raises(OtherPatient):
        binding.bind(
            rows.connection,
            "1.2.4.2",
            ordered.procedure,
            source="user:anne",
            is_patient_confirmed=True,
        )
    with pytest.raises(UnknownProcedure):
        binding.bind(rows.connection, "1.2.4.1", 10**9, source="user:anne")
    with pytest.raises(UnknownStudy):
        binding.decide(rows.connection, "1.2.4.999")


def test_a_binding_moved_by_hand_is_told_to_both_orders(rows: Rows, ordered: Ordered) -> None:
    other = rows.procedure(rows.order(ordered.patient))
    rows.study(UID, patient_id="8001", issuer="CHU")
    binding.decide(rows.connection, UID)
    binding.bind(rows.connection, UID, other, source="user:anne")
    told = rows.connection.execute(
        "SELECT kind, procedure_fk FROM workflow_event ORDER BY id"
    ).fetchall()
    assert told == [
        ("STUDY BOUND", ordered.procedure),
        ("STUDY UNBOUND", ordered.procedure),
        ("STUDY BOUND", other),
    ]
