"""The department board: the steps of a day with what is known of each, in one reading.

A read model of its own: it looks into orders, appointments, performed steps and the archive's
counts, and changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from negatoscope.domain.orders import ProcedureState, Question, RequestState, StepState, safety
from negatoscope.domain.patients import PersonName
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold

MAX_ROWS: Final = 3_000
MAX_UNORDERED: Final = 200
LATE_MIN: Final = 15
"""From when on a patient who waits is late."""
_URGENT: Final = frozenset({"STAT", "HIGH"})
_OPEN: Final = frozenset({StepState.SCHEDULED, StepState.ARRIVED, StepState.READY})
_SQL: Final = load_queries("negatoscope.domain.performed.sql", "board.sql")


class Flag(StrEnum):
    """What somebody should look at."""

    URGENT = "URGENT"
    LATE = "LATE"
    SAFETY = "SAFETY"
    """A question is not answered, or its answer forbids to go on."""
    UNVETTED = "UNVETTED"
    """A radiologist has not accepted it."""
    NO_IMAGES = "NO IMAGES"
    """Done, and the archive has none."""
    NOT_STARTED = "NOT STARTED"
    """There are images, and nobody said that it began."""
    NOT_ENDED = "NOT ENDED"
    """The modality did not say for long that it ended."""
    IDENTITY = "IDENTITY"
    """The identity is doubtful or fictitious."""
    OVERBOOKED = "OVERBOOKED"
    ON_HOLD = "ON HOLD"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """Which rows.

    Attributes:
        begins: The day's first instant.
        ends: The next day's.
        modality: None: every one; likewise state, priority, room and device.
        unit: Requesting service or current location, as written.
        text: Words of the patient's name or the procedure, begin of an accession number or IPP.
        has_canceled: Steps that were cancelled too.
        only: Nothing but rows of these; None: all.
    """

    begins: datetime
    ends: datetime
    modality: Collection[str] | None = None
    state: Collection[str] | None = None
    priority: Collection[str] | None = None
    room: Collection[int] | None = None
    device: Collection[int] | None = None
    unit: str = ""
    text: str = ""
    has_canceled: bool = False
    only: "Changed | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What was said to have changed, by our own numbers."""

    steps: Collection[int] = ()
    procedures: Collection[int] = ()
    requests: Collection[int] = ()
    appointments: Collection[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One scheduled procedure step.

    Attributes:
        step: Our number of it; ``procedure``, ``request``, ``patient``, ``appointment`` likewise.
        procedure_name: What the request calls it, else the catalogue.
        label_fr: Of the catalogue; empty when it is not in there.
        birth_date: ``YYYY[MM[DD]]``.
        patient_id: The hospital's identifier, with its authority.
        study_instance_uids: Studies of the archive that belong to the procedure.
        notes: What people tell the others: ``id``, ``text``, ``noted_at``, ``noted_by``.
        safety_waiting: Questions without an answer.
        safety_blocking: Questions whose answer forbids to go on until somebody lets it.
        delay_min: Since the planned time, when it has not begun; by how much it began late, when it
            has. Minutes; negative when early.
    """

    step: int
    scheduled_procedure_step_id: str
    version: int
    state: StepState
    modality: str
    description: str
    start_at: datetime
    end_at: datetime | None
    arrived_at: datetime | None
    identity_checked_at: datetime | None
    identity_checked_by: str
    started_at: datetime | None
    ended_at: datetime | None
    scheduled_station_ae_title: str
    requested_contrast_agent: str
    procedure: int
    requested_procedure_id: str
    study_instance_uid: str
    procedure_state: ProcedureState
    vetting: str
    has_protocol: bool
    procedure_name: str
    label_fr: str
    label_en: str
    request: int
    accession_number: str
    priority: str
    request_state: RequestState
    requesting_service: str
    current_patient_location: str
    patient_transport: str
    has_clinical_question: bool
    patient: int
    birth_name: PersonName
    used_name: PersonName
    birth_date: str
    sex: str
    identity_status: str
    identity_attributes: tuple[str, ...]
    is_deceased: bool
    patient_id: str
    patient_id_authority: str
    appointment: int | None
    appointment_state: str | None
    is_overbooked: bool
    room: int | None
    room_name: str
    room_location: str
    device: int | None
    device_name: str
    series_count: int
    instance_count: int
    study_instance_uids: tuple[str, ...]
    mpps_state: str | None
    mpps_started_at: datetime | None
    mpps_ended_at: datetime | None
    mpps_instance_count: int
    mpps_is_overdue: bool
    notes: tuple[dict[str, Any], ...]
    safety_waiting: tuple[str, ...]
    safety_blocking: tuple[str, ...]
    delay_min: int | None = None
    flags: tuple[Flag, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class UnorderedStudy:
    """Images that belong to no order."""

    study_instance_uid: str
    reason: str
    first_arrival_at: datetime
    accession_number: str | None
    study_description: str | None
    modalities_in_study: tuple[str, ...]
    series_count: int
    instance_count: int
    patient_key: int
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A room, or a device in one."""

    id: int
    kind: str
    name: str
    location: str
    modality: str
    room: int | None
    ae_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a board shows.

    Attributes:
        is_cut: There are more rows than are given.
    """

    rows: tuple[BoardRow, ...]
    unordered: tuple[UnorderedStudy, ...]
    is_cut: bool


class Board:
    """Reads the day. One per process; safe for many threads.

    Args:
        database: Where orders, appointments and the index are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def day(self, wanted: BoardFilter, *, now: datetime) -> Day:
        """The rows of a day, in the order of their times, and the images without order.

        Args:
            wanted: Which.
            now: For delays.
        """
        parameters = _parameters(wanted)
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["rows"], parameters).fetchall()
            loose = connection.execute(
                _SQL["unordered"], {**parameters, "limit": MAX_UNORDERED}
            ).fetchall()
        return Day(
            rows=tuple(_row(one, now) for one in rows[:MAX_ROWS]),
            unordered=tuple(_unordered(one) for one in loose),
            is_cut=len(rows) > MAX_ROWS,
        )

    def places(self) -> list[Place]:
        """Rooms and devices that are in use."""
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["places"]).fetchall()
        return [
            Place(
                id=row[0],
                kind=row[1],
                name=row[2],
                location=row[3],
                modality=row[4],
                room=row[5],
                ae_title=row[6],
            )
            for row in rows
        ]


def _parameters(wanted: BoardFilter) -> dict[str, Any]:
    def some(values: Collection[Any] | None) -> list[Any] | None:
        return None if values is None else list(values)

    only = wanted.only or Changed()
    words = [literal_like(word) for word in fold(wanted.text).split()]
    return {
        "from": wanted.begins,
        "until": wanted.ends,
        "modality": some(wanted.modality),
        "state": some(wanted.state),
        "priority": some(wanted.priority),
        "room": some(wanted.room),
        "device": some(wanted.device),
        "unit": wanted.unit,
        "words": words or None,
        "canceled": wanted.has_canceled or StepState.CANCELED in (wanted.state or ()),
        "is_delta": wanted.only is not None,
        "steps": list(only.steps),
        "procedures": list(only.procedures),
        "requests": list(only.requests),
        "appointments": list(only.appointments),
        "limit": MAX_ROWS + 1,
    }


_NAMES: Final = tuple(one.name for one in fields(BoardRow))
_BIRTH: Final = _NAMES.index("birth_name")


def _row(row: Sequence[Any], now: datetime) -> BoardRow:
    names = (
        PersonName(family=row[_BIRTH], given=row[_BIRTH + 1]),
        PersonName(family=row[_BIRTH + 2], given=row[_BIRTH + 3]),
    )
    values = [*row[:_BIRTH], *names, *row[_BIRTH + 4 :]]
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in zip(_NAMES[:-2], values, strict=True)
    }
    if not safety.may_be_pregnant(plain["sex"], plain["birth_date"], now.date()):
        for name in ("safety_waiting", "safety_blocking"):
            plain[name] = tuple(one for one in plain[name] if one != Question.PREGNANCY)
    delay = _delay_min(plain["state"], plain["start_at"], plain["started_at"], now)
    return BoardRow(**plain, delay_min=delay, flags=_flags(plain, delay))


def _delay_min(
    state: str, start_at: datetime, started_at: datetime | None, now: datetime
) -> int | None:
    if started_at is not None:
        return round((started_at - start_at).total_seconds() / 60)
    if state in _OPEN:
        return round((now - start_at).total_seconds() / 60)
    return None


def _flags(row: dict[str, Any], delay_min: int | None) -> tuple[Flag, ...]:
    is_open = row["state"] in _OPEN
    has_images = row["instance_count"] > 0
    found = {
        Flag.URGENT: row["priority"] in _URGENT and (is_open or row["state"] == StepState.STARTED),
        Flag.LATE: is_open and delay_min is not None and delay_min >= LATE_MIN,
        Flag.SAFETY: is_open and bool(row["safety_waiting"] or row["safety_blocking"]),
        Flag.UNVETTED: is_open and row["vetting"] in ("WAITING", "REFUSED"),
        Flag.NO_IMAGES: row["state"] == StepState.COMPLETED and not has_images,
        Flag.NOT_STARTED: is_open and has_images,
        Flag.NOT_ENDED: row["mpps_is_overdue"],
        Flag.IDENTITY: bool({"DOUT", "FICT"} & set(row["identity_attributes"])),
        Flag.OVERBOOKED: is_open and row["is_overbooked"],
        Flag.ON_HOLD: row["request_state"] == RequestState.ON_HOLD,
    }
    return tuple(flag for flag, holds in found.items() if holds)


def _unordered(row: Sequence[Any]) -> UnorderedStudy:
    return UnorderedStudy(
        study_instance_uid=row[0],
        reason=row[1],
        first_arrival_at=row[2],
        accession_number=row[3],
        study_description=row[4],
        modalities_in_study=tuple(row[5]),
        series_count=row[6],
        instance_count=row[7],
        patient_key=row[8],
        patient_name=row[9],
        patient_birth_date=row[10],
        patient_sex=row[11],
    )
