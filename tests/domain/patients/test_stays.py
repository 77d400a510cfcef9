"""A stay is folded from what was said of it: every order of arrival ends in the same stay."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from negatoscope.domain.patients.stays import (
    EncounterState,
    Statement,
    StatementAction,
    Stay,
    fold,
)

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
INSERT, UPDATE, CANCEL, TELL = (
    StatementAction.INSERT,
    StatementAction.UPDATE,
    StatementAction.CANCEL,
    StatementAction.TELL,
)


def said(
    minute: int,
    event: str,
    movement: str = "",
    *,
    action: StatementAction = INSERT,
    at: int | None = None,
    **facts: str,
) -> Statement:
    return Statement(
        said_at=BEGIN + timedelta(minutes=minute),
        control_id=str(minute),
        action=action,
        event=event,
        movement_id=movement,
        happened_at=BEGIN + timedelta(minutes=minute if at is None else at),
        facts=facts,
    )


WHOLE = [
    said(0, "A05", "1", at=100, medical_unit="6268", nature="M"),
    said(90, "A01", "2", at=90, lodging_unit="10", medical_unit="6268", nature="HMS", room="12"),
    said(200, "A02", "3", at=200, lodging_unit="20", medical_unit="6268", nature="H", bed="B"),
    said(210, "A02", "4", at=205, lodging_unit="10", medical_unit="7000", nature="M"),
    said(220, "A02", "4", at=206, action=UPDATE, medical_unit="7001", nature="M"),
    said(230, "A21", "5", at=230, nature="L"),
    said(240, "A22", "6", at=240, nature="D"),
    said(250, "A54", "7", at=250, attending_doctor="HOUSE^Gregory"),
    said(260, "A03", "8", at=260, nature="S"),
    said(270, "A03", "8", at=260, action=CANCEL),
    said(280, "A02", "9", at=195, medical_unit="6500", nature="M", is_historic="Y"),
    said(290, "A03", "10", at=300),
]


def test_a_whole_stay() -> None:
    stay = fold(WHOLE)
    assert stay.state is EncounterState.DISCHARGED
    assert stay.admitted_at == BEGIN + timedelta(minutes=90)
    assert stay.discharged_at == BEGIN + timedelta(minutes=300)
    assert (stay.lodging_unit, stay.medical_unit, stay.bed) == ("20", "7001", "B")
    assert stay.attending_doctor == "HOUSE^Gregory"
    keys = [(one.key, one.is_cancelled) for one in stay.movements]
    assert keys == [
        (key, key == "8") for key in ("2", "1", "9", "3", "4", "5", "6", "7", "8", "10")
    ]
    assert [one.key for one in stay.movements if one.is_historic] == ["9"]


@pytest.mark.parametrize("seed", range(200))
def test_every_order_of_arrival_ends_in_the_same_stay(seed: int) -> None:
    """Also with some messages missing, and some twice."""
    chance = random.Random(seed)
    some = [one for one in WHOLE if chance.random() < 0.8]
    expected = fold(some)
    for _ in range(5):
        shuffled = some + chance.sample(some, len(some) // 3)
        chance.shuffle(shuffled)
        assert fold(shuffled) == expected


def test_without_movement_numbers_an_event_takes_the_latest_back() -> None:
    plain = [
        said(0, "A04", lodging_unit="URG", patient_class="E"),
        said(60, "A06", patient_class="I", lodging_unit="MED"),
        said(120, "A02", lodging_unit="CHIR"),
        said(180, "A02", lodging_unit="REA"),
        said(190, "A12", action=CANCEL),
        said(240, "A03"),
        said(250, "A13", action=CANCEL),
    ]
    stay = fold(plain)
    assert (stay.state, stay.lodging_unit, stay.patient_class) == (
        EncounterState.ADMITTED,
        "CHIR",
        "I",
    )
    assert stay.discharged_at is None
    for seed in range(50):
        shuffled = plain.copy()
        random.Random(seed).shuffle(shuffled)
        assert fold(shuffled) == stay


STATES: list[tuple[list[Statement], EncounterState]] = [
    ([], EncounterState.UNKNOWN),
    ([said(0, "A08", action=TELL, patient_class="I")], EncounterState.UNKNOWN),
    ([said(0, "A05", "1")], EncounterState.PREADMITTED),
    ([said(0, "A05", "1"), said(1, "A38", action=CANCEL)], EncounterState.CANCELLED),
    ([said(0, "A05", "1", at=50), said(10, "A01", "2")], EncounterState.ADMITTED),
    ([said(0, "A01", "1"), said(1, "A01", "1", action=CANCEL)], EncounterState.CANCELLED),
    ([said(0, "A01", "1"), said(1, "A11", action=CANCEL)], EncounterState.CANCELLED),
    ([said(0, "A01", "1"), said(1, "A21", "2")], EncounterState.ON_LEAVE),
    ([said(0, "A01"), said(1, "A21"), said(2, "A52", action=CANCEL)], EncounterState.ADMITTED),
    (
        [said(0, "A01"), said(1, "A21"), said(2, "A22"), said(3, "A53", action=CANCEL)],
        EncounterState.ON_LEAVE,
    ),
    ([said(0, "A01"), said(1, "A03"), said(2, "A13", action=CANCEL)], EncounterState.ADMITTED),
    ([said(0, "A07", "1"), said(1, "A07", "1", action=CANCEL)], EncounterState.CANCELLED),
    ([said(0, "A01"), said(1, "A16", at=60)], EncounterState.ADMITTED),
    ([said(1, "A11", action=CANCEL)], EncounterState.UNKNOWN),
]


@pytest.mark.parametrize(("statements", "state"), STATES)
def test_the_state_of_a_stay(statements: list[Statement], state: EncounterState) -> None:
    assert fold(statements).state is state


def test_an_update_that_names_no_event_keeps_the_movements_own() -> None:
    stay = fold([said(0, "A01", "1"), said(1, "", "1", action=UPDATE, medical_unit="7")])
    assert (stay.movements[0].event, stay.medical_unit) == ("A01", "7")
    assert stay.state is EncounterState.ADMITTED


def test_an_older_word_that_comes_late_does_not_undo_a_newer_one() -> None:
    first, second = said(0, "A01", "1", room="1"), said(9, "A01", "1", action=UPDATE, room="2")
    assert fold([second, first]).room == "2"


def test_what_was_told_without_a_movement_corrects_the_latest_one() -> None:
    told = [said(0, "A01", "1", room="1"), said(5, "A08", action=TELL, room="2", patient_class="I")]
    assert fold(told).room == "2"
    moved = [*told, said(9, "A02", "2", room="3")]
    assert (fold(moved).room, fold(moved).patient_class) == ("3", "I")
    assert fold([]) == Stay(state=EncounterState.UNKNOWN)
