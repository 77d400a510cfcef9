"""What booking does to the steps of an order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import OrderError, StepState, WorkflowKind, step_changed
from negatoscope.domain.scheduling.errors import BadPlan, NotBookable, UnknownAppointment
from negatoscope.domain.scheduling.model import Place, Resource
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "appointments.sql")
NOT_BEGUN: Final = frozenset({StepState.SCHEDULED, StepState.ARRIVED, StepState.READY})
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step and what is asked for, as booking needs it."""

    id: int
    state: StepState
    modality: str
    procedure: int
    request: int
    patient: int
    request_state: str
    vetting: str
    duration_min: int
    number: str
    acquired_with: int | None


def lock(connection: Connection, numbers: Sequence[int]) -> dict[int, Step]:
    """Steps by their number, locked until the transaction ends.

    Raises:
        UnknownAppointment: one does not exist.
    """
    steps = {"steps": list(numbers)}
    connection.execute(SQL["lock_orders"], steps)
    rows = connection.execute(SQL["lock_steps"], steps).fetchall()
    found = {
        row[0]: Step(
            id=row[0],
            state=StepState(row[1]),
            modality=row[2],
            procedure=row[3],
            request=row[4],
            patient=row[5],
            request_state=row[6],
            vetting=row[7],
            duration_min=row[8],
            number=row[9],
            acquired_with=row[10],
        )
        for row in rows
    }
    for number in numbers:
        if number not in found:
            raise UnknownAppointment(f"there is no step {number}")
    return found


def check_groups(connection: Connection, steps: Collection[Step]) -> None:
    """Whether what is acquired together is booked together.

    Raises:
        BadPlan: a step of a group is missing.
    """
    mine = {one.id for one in steps}
    for group in {one.acquired_with for one in steps if one.acquired_with is not None}:
        rows = connection.execute(SQL["steps_of_group"], {"group": group})
        missing = [row[1] for row in rows if row[0] not in mine]
        if missing:
            raise BadPlan(
                f"step {missing[0]} is acquired together with another one",
                hint="book both in one appointment, at the same time.",
            )


def check_bookable(connection: Connection, steps: Sequence[Step], *, appointment: int) -> None:
    """Whether steps that have no appointment yet may have one.

    Args:
        appointment: Which may hold them already.

    Raises:
        NotBookable: one may not.
        BadPlan: they belong to several patients.
    """
    if len({one.patient for one in steps}) > 1:
        raise BadPlan("the steps belong to several patients", hint="book one appointment for each.")
    for one in steps:
        if one.vetting == "WAITING":
            raise NotBookable(
                f"step {one.number} waits for a radiologist to accept what is asked for",
                hint="have it accepted, then book it.",
            )
        if one.vetting == "REFUSED":
            raise NotBookable(
                f"what step {one.number} belongs to was refused by a radiologist",
                hint="ask for another procedure.",
            )
        if one.request_state == "ON HOLD":
            raise NotBookable(
                f"the order of step {one.number} is on hold", hint="release it first."
            )
        if one.state not in {StepState.WAITING, StepState.SCHEDULED}:  # SCHEDULED: by its order
            raise NotBookable(
                f"step {one.number} is {one.state}: it cannot be booked",
                hint="an appointment is for what has not begun.",
            )
    ids = {"steps": [one.id for one in steps]}
    for _, other, state in connection.execute(SQL["appointments_of_steps"], ids):
        if other != appointment:
            where = "on the waiting list as" if state == "WAITING" else "held by"
            raise NotBookable(f"a step is {where} appointment {other}", hint="use that one.")


def place(connection: Connection, where: Place, *, room: Resource, device: Resource | None) -> None:
    """Give a step its time and station."""
    connection.execute(
        SQL["place_step"],
        {
            "step": where.step,
            "start_at": where.start_at,
            "end_at": where.end_at,
            "device": None if device is None else device.id,
            "ae_title": "" if device is None else device.ae_title,
            "station_name": "" if device is None else device.station_name,
            "location": room.name,
        },
    )


def clear(connection: Connection, step: int) -> None:
    """Take a step's time and station away."""
    connection.execute(SQL["clear_step"], {"step": step})


def follow(
    connection: Connection,
    step: int,
    to: StepState,
    *,
    source: str,
    kind: WorkflowKind,
    appointment: int | None,
    detail: Mapping[str, object],
) -> None:
    """Put a step into another state; its order follows and the history is written.

    Raises:
        NotBookable: the order does not let it go on.
    """
    try:
        step_changed(
            connection,
            step,
            to,
            source=source,
            kind=kind,
            appointment=appointment,
            detail=detail,
        )
    except OrderError as error:
        raise NotBookable(error.message, hint=error.hint) from error
