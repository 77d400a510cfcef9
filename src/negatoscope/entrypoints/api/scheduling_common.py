"""What the routes of scheduling share: their work in one transaction, refusals, patients in few words."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final, TypeVar

import psycopg
from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, Field

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import Patient, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.errors import (
    BadPlan,
    NotBookable,
    NothingToUndo,
    Obstructed,
    OutsideHours,
    SchedulingError,
    StaleVersion,
    UnknownAppointment,
)
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.domain.scheduling.model import Obstacle
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200


def _within_reach(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"a time lies between {_FIRST_YEAR} and {_LAST_YEAR}")
    return at


def _day_within_reach(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"a day lies between {_FIRST_YEAR} and {_LAST_YEAR}")
    return day


def _clean(text: str) -> str:
    return "".join(c for c in text if c == "\n" or c.isprintable()).strip()


Instant = Annotated[AwareDatetime, AfterValidator(_within_reach)]
Day = Annotated[date, AfterValidator(_day_within_reach)]
Row = Annotated[int, Field(ge=1, lt=1 << 62)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Text = Annotated[str, Field(max_length=1000), AfterValidator(_clean)]
Reader = Annotated[Asking, to(Action.READ_WORK)]
Scheduler = Annotated[Asking, to(Action.SCHEDULE)]


class InTheWay(Schema):
    """Something that stands in the way of an appointment; of another patient nothing is said."""

    kind: str
    """APPOINTMENT, PATIENT (has another appointment then), CLOSED, HOLIDAY, MAINTENANCE, BREAKDOWN, ABSENCE, OTHER."""
    start_at: datetime
    end_at: datetime
    resource: int | None
    name: str
    appointment: int | None
    reason: str


class AppointmentPatient(Schema):
    """Whose appointment it is, in the words of a calendar."""

    id: int
    family: str
    given: str
    birth_name: str
    birth_date: str
    """``YYYY[MM[DD]]``."""
    sex: str
    patient_id: str
    patient_id_authority: str
    identity_status: str


def rules(ask: Asking) -> Rules:
    """Zone and holidays of the department."""
    return Rules.of(ask.services.settings)


def appointments(ask: Asking, connection: psycopg.Connection[Any]) -> Appointments:
    """The appointments, changed by whoever asks."""
    return Appointments(connection, rules(ask), source=f"user:{ask.actor.name}")


async def carry_out(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Do something in a transaction of its own, on a thread.

    Raises:
        Problem: scheduling refuses it; nothing of it stays then.
    """

    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except SchedulingError as error:
        raise problem(error) from error


def problem(error: SchedulingError) -> Problem:
    """What a refusal is to the client."""
    detail = f"{error.message[:1].upper()}{error.message[1:]}" + (
        f"; {error.hint}" if error.hint else "."
    )
    match error:
        case UnknownAppointment():
            return Problem("not-found", detail=detail)
        case StaleVersion():
            return Problem("stale-version", detail=detail, extra={"version": error.version})
        case Obstructed():
            code = "outside-hours" if isinstance(error, OutsideHours) else "slot-taken"
            shown = [in_the_way(one).model_dump(mode="json") for one in error.obstacles]
            return Problem(code, detail=detail, extra={"obstacles": shown})
        case NotBookable() | NothingToUndo():
            return Problem("not-bookable", detail=detail)
        case BadPlan():
            return Problem("invalid-input", detail=detail)
    return Problem("conflict", detail=detail)


def in_the_way(one: Obstacle) -> InTheWay:
    """As it is sent."""
    return InTheWay.model_validate(one)


def patients_of(
    connection: psycopg.Connection[Any], numbers: Iterable[int]
) -> dict[int, AppointmentPatient]:
    """Patients by our number."""
    return {one.id: _patient(one) for one in Registry(connection).get_all(sorted(set(numbers)))}


def _patient(one: Patient) -> AppointmentPatient:
    name = one.traits.name_to_show
    number = next(
        (found for found in one.identifiers if found.type_code == "PI"),
        next(iter(one.identifiers), None),
    )
    return AppointmentPatient(
        id=one.id,
        family=name.family,
        given=name.given,
        birth_name=one.traits.birth_name.family,
        birth_date=one.traits.birth_date,
        sex=one.traits.sex,
        patient_id="" if number is None else number.value,
        patient_id_authority="" if number is None else number.authority.text,
        identity_status=one.traits.identity_status,
    )
