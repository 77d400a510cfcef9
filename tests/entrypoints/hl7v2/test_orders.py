"""What order messages do to the department's orders."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from negatoscope.domain.messages import Messages, Processor, State, StoredMessage
from negatoscope.domain.orders import (
    Code,
    NewOrder,
    NewProcedure,
    Order,
    Orders,
    Priority,
    RequestState,
    StepState,
    step_changed,
)
from negatoscope.domain.patients import Authority, Identifier, Registry
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.infra.db import Database
from negatoscope.infra.settings import PatientSettings
from ordering import catalogue_entry

_NUMBERS = itertools.count(1)
OBR = "OBR|1|{placer}||ACQH003^Scanner thorax^CCAM||||||||||||||{accession}||||||CT"


class Department:
    """Sends messages and lets them have their effect."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.messages = Messages(database)

    def receive(self, content: bytes) -> StoredMessage:
        site = PatientSettings(accept_test_ins=True)
        arrival, _ = examine(content, peer="127.0.0.1", patients=site)
        (receipt,) = self.messages.store([arrival])
        Processor(self.database, handle).process_waiting()
        return self.messages.get(receipt.id)[0]

    def tell(self, control: str, *, patient: str = "1", **more: Any) -> StoredMessage:
        """An ORM^O01 about one order; what is not given has a usual value."""
        given = {"placer": "P1", "filler": "", "accession": "", "status": "", "name": "DURAND"}
        given |= {"priority": "R", "reason": "", **more}
        segments = (
            f"MSH|^~\\&|DPI|CHU|RIS|CHU|20260102||ORM^O01|{next(_NUMBERS)}|P|2.3.1|||||FRA|UNICODE UTF-8",
            f"PID|||{patient}^^^CHU-X&750&N^PI||{given['name']}^Zoé^^^^^L||19800101|F",
            "PV1||O|CARDIO^12||||",
            "ORC|{control}|{placer}|{filler}||{status}||^^^202601051000^^{priority}|||||||||{reason}".format(
                control=control, **given
            ),
            more.get("obr", OBR).format(**given),
            *more.get("segments", ()),
            "",
        )
        return self.receive("\r".join(segments).encode())

    def order(self, placer: str = "P1") -> Order:
        with self.database.connection() as connection:
            found = Orders(connection).find_by_placer(placer)
            assert found is not None
            return Orders(connection).get(found)

    def count(self) -> int:
        with self.database.connection() as connection:
            row = connection.execute("SELECT count(*) FROM imaging_service_request").fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture
def department(database: Database) -> Department:
    return Department(database)


def test_an_order_before_its_patient_makes_the_patient(department: Department) -> None:
    """The admission comes after and finds the file; an unknown code is taken and flagged."""
    told = department.tell("NW", priority="S")
    assert (told.state, told.verdict.code) == (State.PROCESSED, "AA")
    assert told.effect["orders"][0]["notes"] == ["a procedure is not in the catalogue"]
    order = department.order()
    assert order.details.priority is Priority.STAT
    assert order.details.current_patient_location == "CARDIO 12"
    assert order.source == f"hl7:{told.id}"
    (procedure,) = order.procedures
    assert (procedure.catalogue, procedure.code_value, procedure.code_meaning) == (
        None,
        "ACQH003",
        "Scanner thorax",
    )
    assert (procedure.modality, procedure.steps[0].state) == ("CT", StepState.WAITING)
    adt = (
        "MSH|^~\\&|GAM|CHU|||1||ADT^A28|A1|P|2.5|||||FRA|UNICODE UTF-8\r"
        "PID|||1^^^CHU-X&750&N^PI||DURAND^Zoé^Zoé Anne^^^^L||19800101|F\r"
    )
    assert department.receive(adt.encode()).effect["patients"][0]["patient"] == order.patient


def test_the_catalogue_says_what_the_code_means(department: Department) -> None:
    """Its modality, duration, protocols and whether a radiologist is asked."""
    with department.database.connection() as connection:
        entry = catalogue_entry(
            connection, "ACQH003", protocols=("A", "B"), needs_vetting=True, modality="MR"
        )
    told = department.tell("NW", obr="OBR|1|P1||ACQH003^Scanner^CCAM")
    assert told.effect["orders"] == [{"order": department.order().id, "done": "order"}]
    (procedure,) = department.order().procedures
    assert (procedure.catalogue, procedure.modality, procedure.vetting) == (entry, "MR", "WAITING")
    assert len(procedure.steps) == 2


def test_the_same_order_again_is_a_change_and_a_cancellation_ends_it(
    department: Department,
) -> None:
    """What is asked anew takes the place of what was asked; saying it again does nothing."""
    department.tell("NW")
    department.tell("NW", priority="S")
    department.tell("XO", obr="OBR|1|P1||ACQJ002^IRM^CCAM||||||||||||||||||||MR")
    order = department.order()
    assert department.count() == 1
    assert [(one.code_value, one.modality) for one in order.procedures] == [("ACQJ002", "MR")]
    assert department.tell("CA", reason="^mistake").state is State.PROCESSED
    order = department.order()
    assert (order.state, order.state_reason) == (RequestState.CANCELED, "mistake")
    assert department.tell("CA").state is State.PROCESSED
    again = department.tell("XO")
    assert (again.state, again.state_reason) == (
        State.FAILED,
        f"order {order.id} was called off",
    )


def test_held_released_and_discontinued(department: Department) -> None:
    """HD and RL; DC ends what has begun, CA is refused then."""
    department.tell("NW")
    department.tell("HD", reason="^waits")
    assert department.order().state is RequestState.ON_HOLD
    department.tell("RL")
    assert department.order().state is RequestState.REQUESTED
    with department.database.connection() as connection:
        step_changed(
            connection, department.order().steps[0].id, StepState.STARTED, source="dicom:CT1"
        )
    refused = department.tell("CA")
    assert refused.state is State.FAILED
    assert "cannot become CANCELED" in refused.state_reason
    assert department.tell("DC").state is State.PROCESSED
    assert department.order().state is RequestState.DISCONTINUED


def test_states_that_a_foreign_scheduler_tells(department: Department) -> None:
    """SC gives its steps their time, IP starts them, CM ends them."""
    department.tell("NW", status="SC")
    (step,) = department.order().steps
    assert step.state is StepState.SCHEDULED
    assert step.start_at is not None
    assert step.start_at.isoformat() == "2026-01-05T09:00:00+00:00"
    department.tell("SC", status="IP")
    assert department.order().state is RequestState.IN_PROGRESS
    department.tell("XO", status="CM")
    assert department.order().state is RequestState.COMPLETED
    assert department.tell("OK").state is State.IGNORED


def test_two_orders_with_one_accession_number_are_not_mixed(department: Department) -> None:
    """The second has another placer number, or another patient: for a person, and nothing is changed."""
    department.tell("NW", accession="A1")
    first = department.order()
    other = department.tell("NW", placer="P2", accession="A1")
    assert (other.state, other.verdict.code) == (State.FAILED, "AA")
    assert f"order {first.id}'s, of another placer number" in other.state_reason
    stranger = department.tell("NW", patient="2", name="MARTIN")
    assert stranger.state_reason == f"PID-3: order {first.id} is another patient's"
    assert department.count() == 1
    with department.database.connection() as connection:
        holder = Registry(connection).holder(
            Identifier(value="2", authority=Authority(universal_id="750"))
        )
    assert holder is None  # nothing of it stays


def test_several_orders_in_one_message(department: Department) -> None:
    """One accession number is one order with two procedures; another one is another order."""
    second = "ORC|NW|P2\rOBR|2|P2||B^Abdomen^99X||||||||||||||A1"
    third = "ORC|NW|P3\rOBR|3|P3||C^Pelvis^99X||||||||||||||A3"
    told = department.tell("NW", accession="A1", segments=(second, third))
    assert len(told.effect["orders"]) == 2
    assert [one.code_value for one in department.order("P1").procedures] == ["ACQH003", "B"]
    assert [one.code_value for one in department.order("P3").procedures] == ["C"]


def test_of_a_message_with_an_order_for_a_person_nothing_is_done(department: Department) -> None:
    """All of its orders or none."""
    told = department.tell("NW", segments=("ORC|CA|UNKNOWN",))
    assert told.state_reason == "ORC-2: no order has this number"
    assert department.count() == 0


def test_a_number_is_asked_for_and_given(department: Department) -> None:
    """SN has no number of the placer; NA gives it for our filler number."""
    department.tell("SN", placer="")
    with department.database.connection() as connection:
        (order,) = Orders(connection).get_all([1])
    department.tell("NA", placer="P9", filler=order.filler_order_number)
    assert department.order("P9").id == order.id
    with department.database.connection() as connection:
        new = NewOrder(patient=order.patient, procedures=[NewProcedure(code=Code(code_value="X"))])
        other = Orders(connection).create(new, source="user:a").order
    taken = department.tell("NA", placer="P9", filler=other.filler_order_number)
    assert taken.state is State.FAILED


def test_published_messages_are_carried_out(department: Department, shared_data: Path) -> None:
    """Those of a toolkit and of the French agency; what is no order changes nothing."""
    for name, expected in (
        ("OMG_O19-GeneralClinicalOrder-Eyecare.hl7", State.PROCESSED),
        ("OMI_O23-ImagingOrder.hl7", State.PROCESSED),
        ("ORM_O01-GeneralOrder.hl7", State.PROCESSED),
        ("orm_o01_new.hl7", State.PROCESSED),
        ("orm_o01_cancel.hl7", State.PROCESSED),
        ("omi_o23_post_exam.hl7", State.IGNORED),
    ):
        told = department.receive((shared_data / "hl7" / name).read_bytes())
        assert told.state is expected, (name, told.state_reason)
    assert department.count() == 2
    with department.database.connection() as connection:
        orders = Orders(connection)
        number = orders.find_by_placer("OPN101", "1.2.250.1.748.12345678.12")
        assert number is not None
        assert orders.get(number).state is RequestState.CANCELED
