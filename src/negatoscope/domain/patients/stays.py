"""From what messages said of a stay to how the stay is: a pure function (IHE PAM ITI-31, ZBE).

Messages about one stay arrive late, twice, in another order. Each is kept as a `Statement`; the stay is folded from all
of them, ordered by when they were said, its movements ordered by when they happened. The order of arrival is nowhere in
it, so every permutation of the same messages ends in the same stay. A cancelled movement stays in the list, marked.

Without ZBE (plain international ADT) a movement is known by its event and its time, and a cancelling event takes back
the latest movement of the event that it cancels.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class EncounterState(StrEnum):
    """Where a stay is."""

    PREADMITTED = "PREADMITTED"
    ADMITTED = "ADMITTED"
    ON_LEAVE = "ON LEAVE"
    DISCHARGED = "DISCHARGED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    """Something was said of it, no movement."""


class StatementAction(StrEnum):
    """What a message does to a movement (ZBE-4), or that it is about none."""

    TELL = "TELL"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"


UNITS: Final = ("lodging_unit", "medical_unit", "care_unit")
PLACES: Final = ("room", "bed")
CANCELS: Final[Mapping[str, tuple[str, ...]]] = {
    "A11": ("A01", "A04"),
    "A12": ("A02",),
    "A13": ("A03",),
    "A38": ("A05",),
    "A27": ("A14",),
    "A26": ("A15",),
    "A25": ("A16",),
    "A32": ("A10",),
    "A33": ("A09",),
    "A52": ("A21",),
    "A53": ("A22",),
    "A55": ("A54",),
}
"""Cancelling events and the events they take back."""
MOVEMENTS: Final = frozenset(
    {"A01", "A02", "A03", "A04", "A05", "A06", "A07", "A09", "A10", "A14", "A15", "A16"}
    | {"A21", "A22", "A54"}
)
_RANK: Final = {"A14": 0, "A05": 1, "A04": 2, "A01": 3, "A16": 8, "A03": 9}
"""Among movements of one instant; others in between."""
_ADMISSIONS: Final = frozenset({"A01", "A04", "A06", "A07"})
_ACTION_RANK: Final = {one: rank for rank, one in enumerate(StatementAction)}
_CHANGED_BY_NATURE: Final = {"H": "lodging_unit", "M": "medical_unit", "S": "care_unit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one message said of one movement, or of the stay.

    Attributes:
        said_at: EVN-2, else MSH-7: later ones prevail.
        control_id: MSH-10: decides between two of one instant.
        action: What it does.
        event: The movement's own event: ZBE-6 of an update or cancel, else the trigger. Of a
            cancel without ZBE, the cancelling event.
        movement_id: ZBE-1 with its authority; empty without ZBE.
        happened_at: ZBE-2, else EVN-6 or what comes nearest.
        facts: Fields it speaks of; ``""`` takes one away.
    """

    said_at: datetime
    control_id: str
    action: StatementAction
    event: str
    movement_id: str = ""
    happened_at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement as of now.

    Attributes:
        key: Of its encounter: the identifier, or event and time.
        nature: ZBE-9: S, H, M, L, D, SM, SH, MH, LD, HMS, C.
        facts: What its messages spoke of, the latest word of each.
    """

    key: str
    movement_id: str
    event: str
    nature: str
    happened_at: datetime
    is_historic: bool
    is_cancelled: bool
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How a stay is."""

    state: EncounterState
    patient_class: str = ""
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    expected_at: datetime | None = None
    lodging_unit: str = ""
    medical_unit: str = ""
    care_unit: str = ""
    room: str = ""
    bed: str = ""
    attending_doctor: str = ""
    movements: tuple[Movement, ...] = ()


@dataclass(slots=True)
class _Building:
    movement_id: str
    event: str
    happened_at: datetime
    facts: dict[str, str]
    is_cancelled: bool = False


def fold(statements: Iterable[Statement]) -> Stay:
    """The stay that all statements together make, in whatever order they are given."""
    movements: dict[str, _Building] = {}
    told: dict[str, str] = {}
    for one in sorted(statements, key=_said):
        if one.action is StatementAction.TELL:
            target = _latest(movements, one, MOVEMENTS)
            (told if target is None else target.facts).update(one.facts)
        elif not one.movement_id and one.action is StatementAction.CANCEL:
            target = _latest(movements, one, frozenset(CANCELS.get(one.event, ())))
            if target is not None:
                target.is_cancelled = True
        else:
            _say(movements, one)
    ordered = sorted(movements.items(), key=lambda item: _happened(*item))
    return _stay(told, [(key, one) for key, one in ordered])


def _said(one: Statement) -> tuple[datetime, int, str, str]:
    return one.said_at, _ACTION_RANK[one.action], one.control_id, one.movement_id


def _happened(key: str, one: _Building) -> tuple[datetime, int, str, str]:
    return one.happened_at, _RANK.get(one.event, 5), one.event, key


def _latest(
    movements: Mapping[str, _Building], said: Statement, events: frozenset[str]
) -> _Building | None:
    """The last movement in force of some events; it had happened when it was said."""
    found = [
        (_happened(key, one), one)
        for key, one in movements.items()
        if one.event in events and not one.is_cancelled and one.happened_at <= said.said_at
    ]
    return max(found, key=lambda item: item[0])[1] if found else None


def _say(movements: dict[str, _Building], one: Statement) -> None:
    key = one.movement_id or f"{one.event} {one.happened_at.isoformat()}"
    known = movements.get(key)
    if known is None:
        known = _Building(one.movement_id, one.event, one.happened_at, {})
        movements[key] = known
    known.event, known.happened_at = one.event or known.event, one.happened_at
    known.facts.update(one.facts)
    known.is_cancelled = one.action is StatementAction.CANCEL


def _stay(told: Mapping[str, str], ordered: list[tuple[str, _Building]]) -> Stay:
    state = EncounterState.CANCELLED if ordered else EncounterState.UNKNOWN
    running: dict[str, str] = dict(told)
    admitted = discharged = expected = None
    for _key, one in ordered:
        if one.is_cancelled:
            continue
        was = state
        state = _next_state(state, one.event)
        if one.event in _ADMISSIONS and admitted is None:
            admitted = one.happened_at
        if one.event in {"A05", "A14"}:
            expected = one.happened_at
        if one.event == "A03":
            discharged = one.happened_at
        elif was is EncounterState.DISCHARGED and state is not EncounterState.DISCHARGED:
            discharged = None
        _move(running, one)
    return Stay(
        state=state,
        patient_class=running.get("patient_class", ""),
        admitted_at=admitted,
        discharged_at=discharged,
        expected_at=expected,
        lodging_unit=running.get("lodging_unit", ""),
        medical_unit=running.get("medical_unit", ""),
        care_unit=running.get("care_unit", ""),
        room=running.get("room", ""),
        bed=running.get("bed", ""),
        attending_doctor=running.get("attending_doctor", ""),
        movements=tuple(_movement(key, one) for key, one in ordered),
    )


def _next_state(state: EncounterState, event: str) -> EncounterState:
    if event in {"A05", "A14"}:  # planned for later than the patient came: the admission stands
        begun = {EncounterState.CANCELLED, EncounterState.UNKNOWN}
        return EncounterState.PREADMITTED if state in begun else state
    if event in _ADMISSIONS:
        return EncounterState.ADMITTED
    if event == "A02":
        is_leave = state is EncounterState.ON_LEAVE
        return EncounterState.ON_LEAVE if is_leave else EncounterState.ADMITTED
    if event == "A21":
        return EncounterState.ON_LEAVE
    if event == "A22":
        return EncounterState.ADMITTED
    if event == "A03":
        return EncounterState.DISCHARGED
    if (
        state is EncounterState.CANCELLED
    ):  # an attending doctor, a pending discharge: somebody is here
        return EncounterState.UNKNOWN
    return state


def _move(running: dict[str, str], one: _Building) -> None:
    """What a movement changes; its nature (ZBE-9) says which units, others are repeated there."""
    if one.event in {"A09", "A10"}:  # a trip and its end: the place is kept
        return
    nature = one.facts.get("nature", "")
    named = {_CHANGED_BY_NATURE[letter] for letter in nature if letter in _CHANGED_BY_NATURE}
    for name, value in one.facts.items():
        if name in {"nature", "is_historic"}:
            continue
        unit = "lodging_unit" if name in PLACES else name
        is_repeated = nature not in {"", "C"} and unit in UNITS and unit not in named
        if is_repeated and running.get(name):
            continue
        running[name] = value


def _movement(key: str, one: _Building) -> Movement:
    return Movement(
        key=key,
        movement_id=one.movement_id,
        event=one.event,
        nature=one.facts.get("nature", ""),
        happened_at=one.happened_at,
        is_historic=one.facts.get("is_historic") == "Y",
        is_cancelled=one.is_cancelled,
        facts=dict(one.facts),
    )
