"""What people say about a step: it arrived, who it is, it began, it ended; each can be taken back.

States, what follows for the order and the history are `negatoscope.domain.orders.step_changed`'s;
here is what a person has to say with each.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import (
    Code,
    NewOrder,
    NewProcedure,
    NewStep,
    Numbering,
    OrderDetails,
    Orders,
    Question,
    SafetyBlocked,
    StaleOrder,
    StepState,
    TransitionRefused,
    UnknownOrder,
    WorkflowKind,
    record,
    safety,
    step_changed,
)
from negatoscope.domain.performed.action_errors import (
    DeviceUnsuitable,
    IdentityUnchecked,
    NoteRefused,
    NothingToUndo,
    ReasonNeeded,
)
from negatoscope.infra.db import load_queries

Connection = psycopg.Connection[Any]
_SQL: Final = load_queries("negatoscope.domain.performed.sql", "actions.sql")
_MAX_REASON: Final = 1000
MAX_NOTE: Final = 300
MAX_NOTES: Final = 20


class IdentityDocument(StrEnum):
    """What a person's identity was compared with (RNIV, level of trust falls downwards)."""

    IDENTITY_CARD = "IDENTITY_CARD"
    PASSPORT = "PASSPORT"
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE"
    WRISTBAND = "WRISTBAND"
    RELATIVE = "RELATIVE"
    SPOKEN = "SPOKEN"


class _Step:
    """A step as these functions need it."""

    def __init__(self, row: Sequence[Any]) -> None:
        self.state = StepState(row[0])
        self.version: int = row[1]
        self.is_checked: bool = row[2] is not None
        self.has_arrived: bool = row[3] is not None
        self.procedure: int = row[4]
        self.request: int = row[5]
        self.modality: str = row[6]


def _read(connection: Connection, step: int, version: int | None) -> _Step:
    row = connection.execute(_SQL["lock"], {"step": step}).fetchone()
    if row is None:
        raise UnknownOrder(f"there is no step {step}")
    found = _Step(row)
    if version is not None and version != found.version:
        raise StaleOrder(f"step {step} was changed meanwhile", hint="look at it again.")
    return found


def arrive(connection: Connection, step: int, *, source: str, version: int | None = None) -> bool:
    """The patient is there.

    Returns: Whether anything changed.

    Raises:
        OrderError: it cannot be, as `step_changed` says.
    """
    _read(connection, step, version)
    return step_changed(connection, step, StepState.ARRIVED, source=source)


def check_identity(
    connection: Connection,
    step: int,
    document: IdentityDocument,
    *,
    source: str,
    version: int | None = None,
) -> bool:
    """Somebody compared the patient with a document: who and with what is kept.

    The step is READY then, unless safety questions hold it up; the check counts all the same.

    Returns: Whether the step is READY.

    Raises:
        OrderError: it cannot be, as `step_changed` says.
    """
    found = _read(connection, step, version)
    if found.state is StepState.SCHEDULED:
        step_changed(connection, step, StepState.ARRIVED, source=source)
    elif found.state not in {StepState.ARRIVED, StepState.READY}:
        raise TransitionRefused("step", step, found.state, StepState.READY)
    detail = {"document": document}
    try:
        with connection.transaction():
            step_changed(connection, step, StepState.READY, source=source, detail=detail)
    except SafetyBlocked:
        _note_identity(connection, step, found, source, detail)
        return False
    return True


def _note_identity(
    connection: Connection, step: int, found: _Step, source: str, detail: dict[str, Any]
) -> None:
    by = source.removeprefix("user:")
    connection.execute(_SQL["identity"], {"step": step, "at": datetime.now(UTC), "by": by})
    record(
        connection,
        WorkflowKind.IDENTITY_CHECKED,
        source=source,
        request=found.request,
        procedure=found.procedure,
        step=step,
        detail=detail,
    )


def ready(connection: Connection, step: int, *, source: str, version: int | None = None) -> bool:
    """The safety questions were answered since the identity was checked.

    Raises:
        IdentityUnchecked: nobody did that.
        OrderError: it cannot be, as `step_changed` says.
    """
    found = _read(connection, step, version)
    if not found.is_checked:
        raise IdentityUnchecked(f"nobody checked the identity for step {step}", hint="check it.")
    return step_changed(connection, step, StepState.READY, source=source)


def blocking(connection: Connection, step: int) -> tuple[Question, ...]:
    """Safety questions that keep the order of a step from going on."""
    return safety.blocking(connection, _read(connection, step, None).request)


def start(
    connection: Connection,
    step: int,
    *,
    source: str,
    version: int | None = None,
    unchecked_reason: str = "",
) -> bool:
    """The examination begins.

    Args:
        unchecked_reason: Why it begins though nobody checked who the patient is.

    Raises:
        IdentityUnchecked: nobody did, and no reason is given.
        OrderError: it cannot be, as `step_changed` says.
    """
    found = _read(connection, step, version)
    reason = _text(unchecked_reason)
    if not found.is_checked and not reason and found.state is not StepState.STARTED:
        raise IdentityUnchecked(
            f"nobody checked the identity for step {step}",
            hint="check it, or say why that cannot be done.",
        )
    if not found.has_arrived and found.state is StepState.SCHEDULED:
        step_changed(connection, step, StepState.ARRIVED, source=source)
    return step_changed(
        connection,
        step,
        StepState.STARTED,
        source=source,
        detail={} if found.is_checked else {"identity_unchecked": reason},
    )


def end(connection: Connection, step: int, *, source: str, version: int | None = None) -> bool:
    """The examination is done.

    Raises:
        OrderError: it cannot be, as `step_changed` says.
    """
    _read(connection, step, version)
    return step_changed(connection, step, StepState.COMPLETED, source=source)


def discontinue(
    connection: Connection, step: int, *, reason: str, source: str, version: int | None = None
) -> bool:
    """The examination was begun and is not finished.

    Raises:
        ReasonNeeded: none is given.
        OrderError: it cannot be, as `step_changed` says.
    """
    _read(connection, step, version)
    if not _text(reason):
        raise ReasonNeeded("an examination is stopped with a reason")
    return step_changed(
        connection, step, StepState.DISCONTINUED, source=source, reason=_text(reason)
    )


def undo(connection: Connection, step: int, *, source: str, version: int | None = None) -> bool:
    """Take back what was said last: an arrival, a check, a start, an end.

    Raises:
        NothingToUndo: nothing was said yet.
        OrderError: it cannot be, as `step_changed` says.
    """
    found = _read(connection, step, version)
    if found.state is StepState.ARRIVED and found.is_checked:  # READY was not reached
        connection.execute(_SQL["identity"], {"step": step, "at": None, "by": ""})
        record(
            connection,
            WorkflowKind.UNDONE,
            source=source,
            request=found.request,
            procedure=found.procedure,
            step=step,
            detail={"undone": WorkflowKind.IDENTITY_CHECKED},
        )
        return True
    to = _before(found)
    if to is None:
        raise NothingToUndo(f"step {step} is {found.state}: there is nothing to take back")
    return step_changed(connection, step, to, source=source)


def _before(found: _Step) -> StepState | None:
    if found.state is StepState.STARTED:
        if found.is_checked:
            return StepState.READY
        return StepState.ARRIVED if found.has_arrived else StepState.SCHEDULED
    return {
        StepState.ARRIVED: StepState.SCHEDULED,
        StepState.READY: StepState.ARRIVED,
        StepState.COMPLETED: StepState.STARTED,
        StepState.DISCONTINUED: StepState.STARTED,
    }.get(found.state)


def add_note(connection: Connection, step: int, text: str, *, source: str) -> int:
    """Tell the others something about a step.

    Returns: The note's number.

    Raises:
        NoteRefused: it is empty or too long, or there are many already.
        UnknownOrder: there is no such step.
    """
    found = _read(connection, step, None)
    words = " ".join(text.replace("\0", "").split())
    if not words or len(words) > MAX_NOTE:
        raise NoteRefused(f"a note has one to {MAX_NOTE} characters")
    row = connection.execute(_SQL["notes"], {"step": step}).fetchone()
    if row is not None and row[0] >= MAX_NOTES:
        raise NoteRefused(f"step {step} has {MAX_NOTES} notes", hint="take one away first.")
    by = source.removeprefix("user:")
    made = connection.execute(_SQL["note"], {"step": step, "text": words, "by": by}).fetchone()
    assert made is not None  # noqa: S101 - an INSERT returns its row
    _noted(connection, step, found, source, {"note": made[0]})
    return int(made[0])


def remove_note(connection: Connection, step: int, note: int, *, source: str) -> None:
    """Take a note away; it is kept with who took it away.

    Raises:
        UnknownOrder: there is no such note.
    """
    found = _read(connection, step, None)
    by = source.removeprefix("user:")
    given = {"step": step, "note": note, "by": by}
    if connection.execute(_SQL["remove_note"], given).fetchone() is None:
        raise UnknownOrder(f"step {step} has no note {note}")
    _noted(connection, step, found, source, {"note": note, "is_removed": True})


def _noted(
    connection: Connection, step: int, found: _Step, source: str, detail: dict[str, Any]
) -> None:
    record(
        connection,
        WorkflowKind.NOTED,
        source=source,
        request=found.request,
        procedure=found.procedure,
        step=step,
        detail=detail,
    )


def assign_device(
    connection: Connection, step: int, device: int, *, source: str, version: int | None = None
) -> None:
    """Do it on another device: the modalities' worklists follow. The booked room stays booked.

    Raises:
        DeviceUnsuitable: there is no such device in use, or it is of another modality.
        TransitionRefused: it has begun.
    """
    found = _read(connection, step, version)
    if found.state not in {StepState.SCHEDULED, StepState.ARRIVED, StepState.READY}:
        raise TransitionRefused("step", step, found.state, "another device's")
    row = connection.execute(_SQL["device"], {"device": device}).fetchone()
    if row is None:
        raise DeviceUnsuitable(f"there is no device {device} in use")
    name, modality, before = row[0], row[1], found.modality
    if modality and before and modality != before:
        raise DeviceUnsuitable(f"{name} makes {modality}, not {before}")
    connection.execute(_SQL["assign"], {"step": step, "device": device})
    record(
        connection,
        WorkflowKind.APPOINTMENT_CHANGED,
        source=source,
        request=found.request,
        procedure=found.procedure,
        step=step,
        detail={"device": name},
    )


def add_urgent(
    connection: Connection,
    *,
    patient: int,
    catalogue: int,
    device: int | None,
    details: OrderDetails,
    numbering: Numbering | None,
    source: str,
    now: datetime,
) -> tuple[int, list[int]]:
    """Somebody comes without appointment: an order whose steps are for now, and the patient is there.

    A radiologist who has to accept it is still asked: the patient then waits, not yet arrived.

    Returns: The order, and its steps.

    Raises:
        DeviceUnsuitable: there is no such device in use, or it is of another modality.
        OrderError: the order cannot be made.
    """
    orders = Orders(connection, numbering)
    entry = orders.entry(catalogue)
    protocols: Sequence[Code | None] = entry.protocols or (None,)
    steps = [
        NewStep(
            start_at=now,
            description="" if one is None else one.code_meaning[:64],
            protocol_codes=() if one is None else (one,),
        )
        for one in protocols
    ]
    procedure = NewProcedure(catalogue=catalogue, steps=steps)
    made = orders.create(
        NewOrder(patient=patient, procedures=(procedure,), details=details), source=source
    )
    numbers = [one.id for one in made.order.steps]
    is_waited_for = any(one.vetting == "WAITING" for one in made.order.procedures)
    for number in numbers:
        connection.execute(
            _SQL["lasts"], {"step": number, "end": now, "minutes": entry.duration_min}
        )
        if device is not None:
            assign_device(connection, number, device, source=source)
        if not is_waited_for:
            step_changed(connection, number, StepState.ARRIVED, source=source)
    return made.order.id, numbers


def _text(reason: str) -> str:
    return reason.replace("\0", "").strip()[:_MAX_REASON]
