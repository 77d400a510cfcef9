"""Orders are made, changed, held, called off; numbers are never given twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from negatoscope.domain.orders import (
    Code,
    InvalidOrder,
    NewOrder,
    NewProcedure,
    NewStep,
    Numbering,
    NumberTaken,
    OrderDetails,
    OrderOnHold,
    Orders,
    Priority,
    ProcedureState,
    RequestState,
    StaleOrder,
    StepState,
    TransitionRefused,
    groups,
    step_changed,
)
from negatoscope.infra.db import Database
from ordering import catalogue_entry, register

CONNECTION = psycopg.Connection[Any]
CHEST = NewProcedure(code=Code(code_value="ZBQK002", code_meaning="Thorax"), modality="CR")


def test_an_order_has_a_step_for_each_protocol(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """Its procedure and steps have identifiers of ours, the study a UID of ours."""
    chosen = catalogue_entry(connection, "ACQH003", protocols=("A", "B"), contrast="REQUIRED")
    order = orders.create(
        NewOrder(patient=patient, procedures=[NewProcedure(catalogue=chosen)]), source="user:a"
    ).order
    (procedure,) = order.procedures
    assert [one.protocol_codes[0]["code_value"] for one in procedure.steps] == ["A", "B"]
    assert {one.requested_contrast_agent for one in procedure.steps} == {"Iode"}
    assert procedure.study_instance_uid.startswith("2.25.")
    assert procedure.modality == "CT"
    assert procedure.duration_min == 25
    assert len(order.accession_number) <= 16
    assert order.filler_order_number
    assert order.state is RequestState.REQUESTED
    assert [one.kind for one in orders.history(order.id)] == ["ORDERED"]


def test_two_orders_with_one_accession_number_are_never_mixed(orders: Orders, patient: int) -> None:
    """The second is refused; another issuer's same number is another one."""
    new = NewOrder(
        patient=patient,
        procedures=[CHEST],
        accession_number="A1",
        issuer_of_accession_number="X",
    )
    first = orders.create(new, source="user:a").order
    with pytest.raises(NumberTaken, match=f"order {first.id}"):
        orders.create(new, source="user:a")
    other = NewOrder(
        patient=patient,
        procedures=[CHEST],
        accession_number="A1",
        issuer_of_accession_number="Y",
    )
    assert orders.create(other, source="user:a").order.id != first.id


def test_a_number_that_a_foreign_order_took_is_passed_over(
    connection: CONNECTION, patient: int
) -> None:
    """Ours come from a sequence; what is taken already is left out."""
    orders = Orders(connection, Numbering(pattern="N{n}"))
    row = connection.execute("SELECT last_value, is_called FROM accession_number_seq").fetchone()
    assert row is not None
    coming = row[0] + (1 if row[1] else 0)
    orders.create(
        NewOrder(
            patient=patient,
            procedures=[CHEST],
            accession_number=f"N{coming + 1}",
            filler_order_number="F",
        ),
        source="hl7:1",
    )
    made = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    assert made.accession_number == f"N{coming + 2}"


@pytest.mark.parametrize(
    "pattern", ["{yy}", "A", "{n:20}", "{yyyy}ABCDEFGHIJ{n:08}", "A\\{n}", "{x}{n}", " {n}"]
)
def test_a_pattern_that_gives_no_number_is_refused(pattern: str) -> None:
    """No running number, too long, or signs that DICOM has not."""
    with pytest.raises(ValueError):
        Numbering(pattern=pattern)


def test_numbers_are_written_as_the_pattern_says() -> None:
    """Year and running number."""
    assert Numbering(pattern="R{yyyy}-{n:06}").format(42, year=2026) == "R2026-000042"
    assert Numbering().format(42, year=2026) == "2600000042"
    with pytest.raises(ValueError, match="16"):
        Numbering(pattern="{yyyy}{n:12}").format(10**12, year=2026)


def test_a_change_names_what_changed_and_needs_the_version(orders: Orders, patient: int) -> None:
    """Free texts are not in the history, an old version is refused."""
    order = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    changed = orders.change(
        order.id,
        {"priority": Priority.STAT, "clinical_question": "Fracture ?"},
        source="user:b",
        version=order.version,
    )
    assert changed.details == OrderDetails(priority=Priority.STAT, clinical_question="Fracture ?")
    line = orders.history(order.id)[0]
    assert line.detail["changed"] == ["priority", "clinical_question"]
    assert line.detail["after"] == {"priority": "STAT"}
    with pytest.raises(StaleOrder):
        orders.change(order.id, {"comments": "x"}, source="user:c", version=order.version)


def test_a_held_order_does_not_go_on_by_hand(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """It is not booked; what a modality does all the same releases it."""
    order = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    orders.hold(order.id, reason="waits for consent", source="user:a")
    (step,) = orders.get(order.id).steps
    with pytest.raises(OrderOnHold):
        step_changed(connection, step.id, StepState.SCHEDULED, source="user:a")
    assert step_changed(connection, step.id, StepState.STARTED, source="dicom:CT1")
    assert orders.get(order.id).state is RequestState.IN_PROGRESS
    kinds = [one.kind for one in orders.history(order.id)]
    assert kinds == ["STARTED", "ORDER RELEASED", "ORDER HELD", "ORDERED"]


def test_the_order_follows_its_steps(connection: CONNECTION, orders: Orders, patient: int) -> None:
    """From booked to done, and back; an absent pair is refused."""
    order = orders.create(
        NewOrder(patient=patient, procedures=[CHEST, CHEST]), source="user:a"
    ).order
    one, other = (step.id for step in order.steps)

    def go(step: int, to: StepState) -> RequestState:
        step_changed(connection, step, to, source="user:a")
        return orders.get(order.id).state

    assert go(one, StepState.SCHEDULED) is RequestState.REQUESTED
    assert go(other, StepState.SCHEDULED) is RequestState.SCHEDULED
    assert go(one, StepState.ARRIVED) is RequestState.SCHEDULED
    assert go(one, StepState.STARTED) is RequestState.IN_PROGRESS
    assert go(one, StepState.COMPLETED) is RequestState.IN_PROGRESS
    assert go(other, StepState.CANCELED) is RequestState.COMPLETED
    assert go(one, StepState.STARTED) is RequestState.IN_PROGRESS
    found = orders.get(order.id)
    assert [p.state for p in found.procedures] == [
        ProcedureState.IN_PROGRESS,
        ProcedureState.CANCELED,
    ]
    assert found.steps[0].arrived_at is not None
    assert found.steps[0].ended_at is None
    assert not step_changed(connection, one, StepState.STARTED, source="user:a")
    with pytest.raises(TransitionRefused, match="CANCELED and cannot become STARTED"):
        step_changed(connection, other, StepState.STARTED, source="dicom:CT1")


def test_a_canceled_order_can_be_taken_back(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """What has begun is not called off but discontinued."""
    order = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    orders.cancel(order.id, reason="by mistake", source="user:a")
    found = orders.get(order.id)
    assert (found.state, found.state_reason) == (RequestState.CANCELED, "by mistake")
    orders.cancel(order.id, reason="again", source="user:a")
    orders.reopen(order.id, source="user:a")
    (step,) = orders.get(order.id).steps
    assert step.state is StepState.WAITING
    step_changed(connection, step.id, StepState.STARTED, source="dicom:CT1")
    with pytest.raises(TransitionRefused):
        orders.cancel(order.id, reason="", source="user:a")
    orders.discontinue(order.id, reason="patient left", source="user:a")
    assert orders.get(order.id).state is RequestState.DISCONTINUED


def test_steps_of_one_acquisition_go_together(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """They share a study; a second patient's step does not join."""
    first = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    second = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
    steps = [first.steps[0].id, second.steps[0].id]
    study = groups.group(connection, steps, source="user:a")
    for number in steps:
        step_changed(connection, number, StepState.SCHEDULED, source="user:a")
    step_changed(connection, steps[1], StepState.STARTED, source="dicom:CT1")
    for one in (first, second):
        found = orders.get(one.id)
        assert found.state is RequestState.IN_PROGRESS
        assert found.procedures[0].study_instance_uid == study
    with pytest.raises(TransitionRefused):
        groups.ungroup(connection, steps[0], source="user:a")
    for number in steps:
        step_changed(connection, number, StepState.SCHEDULED, source="user:a")
    groups.ungroup(connection, steps[0], source="user:a")
    studies = {orders.get(o.id).procedures[0].study_instance_uid for o in (first, second)}
    assert len(studies) == 2
    assert study in studies
    with pytest.raises(InvalidOrder, match="different times"):
        late = orders.create(
            NewOrder(
                patient=patient,
                procedures=[
                    NewProcedure(
                        code=CHEST.code,
                        modality="CR",
                        steps=[NewStep(start_at=datetime(2027, 3, 2, 9, tzinfo=UTC))],
                    )
                ],
            ),
            source="hl7:1",
        ).order
        fresh = orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
        groups.group(connection, [fresh.steps[0].id, late.steps[0].id], source="user:a")
    stranger = register(connection, "P2")
    third = orders.create(NewOrder(patient=stranger, procedures=[CHEST]), source="user:a").order
    with pytest.raises(InvalidOrder, match="several patients"):
        groups.group(connection, [steps[0], third.steps[0].id], source="user:a")


def test_an_order_joins_a_group_that_is_there(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """A third order named with one member is acquired with all; taken apart, each has its own study."""
    made = [
        orders.create(NewOrder(patient=patient, procedures=[CHEST]), source="user:a").order
        for _ in range(3)
    ]
    first, second, third = (one.steps[0].id for one in made)
    study = groups.group(connection, [first, second], source="user:a")
    assert groups.group(connection, [second, third], source="user:a") == study
    found = [orders.get(one.id) for one in made]
    assert len({one.steps[0].acquired_with for one in found}) == 1
    assert {one.procedures[0].study_instance_uid for one in found} == {study}
    groups.ungroup(connection, first, source="user:a")
    found = [orders.get(one.id) for one in made]
    assert {one.steps[0].acquired_with for one in found} == {None}
    assert len({one.procedures[0].study_instance_uid for one in found}) == 3


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ({"procedures": []}, "at least"),
        ({"accession_number": "A" * 17}, "accession number"),
        ({"accession_number": "A\\B"}, "backslash"),
        ({"details": OrderDetails(pregnancy_status="9")}, "pregnancy"),
        ({"details": OrderDetails(requesting_service="a\x01")}, "control"),
        ({"procedures": [NewProcedure()]}, "code or a description"),
        ({"procedures": [NewProcedure(description="x", study_instance_uid="1..2")]}, "UID"),
    ],
)
def test_what_no_order_can_hold_is_refused(
    orders: Orders, patient: int, order: dict[str, Any], word: str
) -> None:
    """Said with the value's name; nothing is made."""
    with pytest.raises(InvalidOrder, match=word):
        orders.create(
            NewOrder(**{"patient": patient, "procedures": [CHEST], **order}), source="user:a"
        )


def test_a_hundred_orders_at_once_have_a_hundred_numbers(database: Database) -> None:
    """Four clerks, each with a connection of their own."""

    with database.connection() as connection:
        patient = register(connection, "P1")

    def one(_: int) -> str:
        with database.connection() as connection:
            made = Orders(connection).create(
                NewOrder(patient=patient, procedures=[CHEST]), source="user:a"
            )
            return made.order.accession_number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(one, range(100)))
    assert len(set(numbers)) == 100
