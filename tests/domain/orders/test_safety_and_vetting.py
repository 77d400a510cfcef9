"""Questions that block, a radiologist's word."""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from negatoscope.domain.orders import (
    Answer,
    Code,
    InvalidOrder,
    NewOrder,
    NewProcedure,
    Orders,
    ProcedureState,
    ProtocolChoice,
    Question,
    RequestState,
    SafetyBlocked,
    StaleOrder,
    StepState,
    TransitionRefused,
    Vetting,
    VettingNeeded,
    safety,
    step_changed,
    vetting,
)
from ordering import catalogue_entry, register

CONNECTION = psycopg.Connection[Any]
RADIOLOGIST = "user:radiologist"


def shown(connection: CONNECTION, order: int) -> tuple[str, str]:
    """Medical Alerts and Pregnancy Status as the worklist has them."""
    row = connection.execute(
        "SELECT medical_alerts, pregnancy_status FROM imaging_service_request WHERE id = %s",
        (order,),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_nothing_is_ready_by_hand_before_the_questions_are_answered(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """YES blocks too until a radiologist clears it; the modality sees what was answered."""
    chosen = catalogue_entry(
        connection, "ACQH003", questions=("PREGNANCY", "CONTRAST_REACTION", "RENAL_FUNCTION")
    )
    order = orders.create(
        NewOrder(patient=patient, procedures=[NewProcedure(catalogue=chosen)]), source="user:a"
    ).order
    (step,) = order.steps
    step_changed(connection, step.id, StepState.SCHEDULED, source="user:a")
    step_changed(connection, step.id, StepState.ARRIVED, source="user:a")
    with pytest.raises(SafetyBlocked) as refused:
        step_changed(connection, step.id, StepState.READY, source="user:a")
    assert refused.value.questions == (
        Question.PREGNANCY,
        Question.CONTRAST_REACTION,
        Question.RENAL_FUNCTION,
    )
    safety.answer(connection, order.id, Question.PREGNANCY, answer=Answer.NO, source="user:a")
    safety.answer(
        connection,
        order.id,
        Question.CONTRAST_REACTION,
        answer=Answer.YES,
        detail="urticaria 2019",
        source="user:a",
    )
    safety.answer(connection, order.id, Question.RENAL_FUNCTION, value=Decimal(25), source="user:a")
    assert shown(connection, order.id) == (
        "EARLIER CONTRAST REACTION: urticaria 2019; RENAL IMPAIRMENT: EGFR 25 mL/min/1.73m2",
        "0001",
    )
    blocked = safety.blocking(connection, order.id)
    assert blocked == (Question.CONTRAST_REACTION, Question.RENAL_FUNCTION)
    for one in blocked:
        safety.clear(connection, order.id, one, reason="premedication", source=RADIOLOGIST)
    step_changed(connection, step.id, StepState.READY, source="user:a")
    kinds = [one.kind for one in orders.history(order.id)]
    assert kinds.count("SAFETY ANSWERED") == 3
    assert kinds.count("SAFETY CLEARED") == 2
    safety.answer(connection, order.id, Question.RENAL_FUNCTION, value=Decimal(24), source="user:a")
    assert safety.blocking(connection, order.id) == (Question.RENAL_FUNCTION,)
    with pytest.raises(SafetyBlocked):
        step_changed(connection, step.id, StepState.STARTED, source="user:a")
    assert step_changed(connection, step.id, StepState.STARTED, source="dicom:CT1")


def test_pregnancy_is_not_asked_of_men_nor_of_children(
    connection: CONNECTION, orders: Orders
) -> None:
    """From 12 to 55 years; unknown sex or age counts as if."""
    chosen = catalogue_entry(connection, "ACQH003", questions=("PREGNANCY",))
    for value, sex, born, is_asked in (
        ("P1", "M", "19900101", False),
        ("P2", "F", "20200101", False),
        ("P3", "F", "1950", False),
        ("P4", "F", "", True),
        ("P5", "", "19900101", True),
    ):
        made = orders.create(
            NewOrder(
                patient=register(connection, value, sex=sex, birth_date=born),
                procedures=[NewProcedure(catalogue=chosen)],
            ),
            source="user:a",
        )
        assert bool(safety.asked(connection, made.order.id)) is is_asked, value


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("20141125", False),
        ("20141124", True),
        ("2014", True),
        ("1970", True),
        ("19701124", False),
        ("19701125", True),
        ("1969", False),
        ("196911", False),
        ("18", True),
    ],
)
def test_the_age_is_counted_to_the_day(born: str, expected: bool) -> None:
    """Where only the year is known both ages count."""
    assert safety.may_be_pregnant("F", born, date(2026, 11, 24)) is expected


def test_answers_that_cannot_be_are_refused(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """Renal function without eGFR, a clearance of nothing."""
    chosen = catalogue_entry(connection, "X", questions=("RENAL_FUNCTION",))
    number = orders.create(
        NewOrder(patient=patient, procedures=[NewProcedure(catalogue=chosen)]), source="user:a"
    ).order.id
    for arguments in (
        {"question": Question.RENAL_FUNCTION, "answer": Answer.NO},
        {"question": Question.RENAL_FUNCTION, "value": Decimal(0)},
        {"question": Question.PREGNANCY, "value": Decimal(3)},
        {"question": Question.PREGNANCY},
    ):
        with pytest.raises(InvalidOrder):
            safety.answer(connection, number, source="user:a", **arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder):
        safety.clear(connection, number, Question.RENAL_FUNCTION, reason="x", source=RADIOLOGIST)


def ordered(connection: CONNECTION, orders: Orders, patient: int) -> tuple[int, int]:
    """An order whose procedure waits for a radiologist; its row and the procedure's."""
    chosen = catalogue_entry(connection, "ACQH003", needs_vetting=True, protocols=("A", "B"))
    order = orders.create(
        NewOrder(patient=patient, procedures=[NewProcedure(catalogue=chosen)]), source="user:a"
    ).order
    assert order.procedures[0].vetting is Vetting.WAITING
    return order.id, order.procedures[0].id


def test_what_waits_for_a_radiologist_is_not_booked(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """Accepted with a protocol it is; taken back it waits again."""
    number, procedure = ordered(connection, orders, patient)
    first = orders.get(number).steps[0].id
    with pytest.raises(VettingNeeded):
        step_changed(connection, first, StepState.SCHEDULED, source="fhir:portal")
    vetting.accept(
        connection,
        procedure,
        ProtocolChoice(
            text="Low dose",
            codes=[Code(code_value="LOWDOSE", code_meaning="Low dose")],
            contrast_agent="Iomeron 350",
        ),
        source=RADIOLOGIST,
    )
    found = orders.get(number).procedures[0]
    assert (found.vetting, found.vetted_by, found.protocol) == (
        Vetting.ACCEPTED,
        "radiologist",
        "Low dose",
    )
    assert [one.state for one in found.steps] == [StepState.WAITING, StepState.CANCELED]
    assert found.steps[0].protocol_codes[0]["code_value"] == "LOWDOSE"
    assert found.steps[0].requested_contrast_agent == "Iomeron 350"
    vetting.reconsider(connection, procedure, source=RADIOLOGIST)
    assert orders.get(number).procedures[0].vetting is Vetting.WAITING
    vetting.accept(connection, procedure, source=RADIOLOGIST)
    step_changed(connection, first, StepState.SCHEDULED, source="user:a")
    with pytest.raises(TransitionRefused):
        vetting.reconsider(connection, procedure, source=RADIOLOGIST)


def test_what_was_chosen_is_taken_back_with_the_acceptance(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """Codes, steps, contrast agent, modality, room and instructions are as before; a room must be one."""
    number, procedure = ordered(connection, orders, patient)
    before = orders.get(number).procedures[0]
    room = connection.execute(
        "INSERT INTO resource (kind, name) VALUES ('ROOM', 'Salle 2') RETURNING id"
    ).fetchone()
    assert room is not None
    chosen = ProtocolChoice(
        text="In prone position",
        codes=[
            Code(code_value=one, code_meaning=f"Protocol {one}") for one in ("ONE", "TWO", "THREE")
        ],
        contrast_agent="",
        modality="PT",
        wished_room=room[0],
    )
    vetting.accept(connection, procedure, chosen, source=RADIOLOGIST)
    found = orders.get(number).procedures[0]
    assert (found.modality, found.wished_room, found.wished_room_name) == ("PT", room[0], "Salle 2")
    assert [
        (one.description, one.modality, one.requested_contrast_agent) for one in found.steps
    ] == [(f"Protocol {one}", "PT", "") for one in ("ONE", "TWO", "THREE")]
    vetting.reconsider(connection, procedure, source=RADIOLOGIST)
    after = orders.get(number).procedures[0]
    assert (after.modality, after.wished_room, after.protocol) == (before.modality, None, "")
    live = [one for one in after.steps if one.state is StepState.WAITING]
    for old, new in zip(before.steps, live, strict=True):
        for name in ("id", "description", "protocol_codes", "requested_contrast_agent"):
            assert getattr(new, name) == getattr(old, name)
    # Fewer codes than steps, and none at all: then the procedure's own name describes its step.
    vetting.accept(connection, procedure, ProtocolChoice(codes=[]), source=RADIOLOGIST)
    found = orders.get(number).procedures[0]
    (step,) = (one for one in found.steps if one.state is StepState.WAITING)
    assert (step.protocol_codes, step.description) == ((), found.description)
    vetting.reconsider(connection, procedure, source=RADIOLOGIST)
    assert len([s for s in orders.get(number).steps if s.state is StepState.WAITING]) == 2
    for wrong in (
        ProtocolChoice(wished_room=987654),
        ProtocolChoice(codes=[Code(code_value="A"), Code(code_value="A")]),
        ProtocolChoice(text="x" * 4001),
    ):
        with pytest.raises(InvalidOrder):
            vetting.accept(connection, procedure, wrong, source=RADIOLOGIST)


def test_a_refusal_calls_the_order_off_and_can_be_taken_back(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """It needs a reason; an old version is refused."""
    number, procedure = ordered(connection, orders, patient)
    with pytest.raises(InvalidOrder):
        vetting.refuse(connection, procedure, reason=" ", source=RADIOLOGIST)
    vetting.refuse(connection, procedure, reason="not indicated", source=RADIOLOGIST, version=1)
    found = orders.get(number)
    assert (found.state, found.procedures[0].vetting) == (RequestState.CANCELED, Vetting.REFUSED)
    with pytest.raises(StaleOrder):
        vetting.reconsider(connection, procedure, source=RADIOLOGIST, version=1)
    vetting.reconsider(connection, procedure, source=RADIOLOGIST)
    assert orders.get(number).state is RequestState.REQUESTED


def test_a_replaced_procedure_leaves_its_place_to_another(
    connection: CONNECTION, orders: Orders, patient: int
) -> None:
    """The order goes on with the new one, which is accepted by that."""
    number, procedure = ordered(connection, orders, patient)
    other = catalogue_entry(connection, "ACQN001", modality="MR", needs_vetting=True)
    made = vetting.replace_by(
        connection,
        procedure,
        NewProcedure(catalogue=other),
        reason="no radiation",
        source=RADIOLOGIST,
        choice=ProtocolChoice(
            text="As usual", codes=[Code(code_value="FLAIR", code_meaning="FLAIR")]
        ),
    )
    found = orders.get(number)
    old, new = found.procedures
    assert (new.protocol, new.steps[0].description) == ("As usual", "FLAIR")
    assert (old.state, old.vetting, old.replaced_by) == (
        ProcedureState.REPLACED,
        Vetting.REPLACED,
        made,
    )
    assert (new.state, new.vetting, new.modality) == (
        ProcedureState.REQUESTED,
        Vetting.ACCEPTED,
        "MR",
    )
    assert found.state is RequestState.REQUESTED
    step_changed(connection, new.steps[0].id, StepState.SCHEDULED, source="user:a")
    assert orders.get(number).state is RequestState.SCHEDULED
    with pytest.raises(TransitionRefused):
        vetting.refuse(connection, procedure, reason="x", source=RADIOLOGIST)
