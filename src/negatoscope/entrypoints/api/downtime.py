"""Downtime with the appointments it touches, and the background of a calendar: hours, holidays, downtime."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import psycopg
from fastapi import APIRouter, Query

from negatoscope.domain.identity import Action
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.downtimes import Downtimes
from negatoscope.domain.scheduling.hours import Openings, get_resources
from negatoscope.domain.scheduling.model import Downtime as Found
from negatoscope.domain.scheduling.slots import Question, search, wanted_steps
from negatoscope.entrypoints.api.appointments import MAX_RANGE, Appointment, Resources, shown
from negatoscope.entrypoints.api.common import Asking, Schema
from negatoscope.entrypoints.api.scheduling_common import (
    Instant,
    Number,
    Reader,
    Row,
    Scheduler,
    Text,
    appointments,
    carry_out,
    patients_of,
    rules,
)
from negatoscope.entrypoints.api.slots import Slot, SlotStep
from negatoscope.entrypoints.web.problems import Problem

router = APIRouter(tags=["downtime"])
DowntimeKind = Literal["MAINTENANCE", "BREAKDOWN", "ABSENCE", "HOLIDAY", "OTHER"]
_MAX_LISTED: Final = 500
_MAX_PROPOSED: Final = 50


class Downtime(Schema):
    """When a resource cannot be booked."""

    id: int
    resource: int | None
    """None: the whole department."""
    start_at: datetime
    end_at: datetime
    kind: str
    reason: str
    created_at: datetime
    created_by: str


class DowntimeGiven(Schema):
    """What is said of a downtime."""

    resource: Row | None = None
    start_at: Instant
    end_at: Instant
    kind: DowntimeKind
    reason: Text = ""


class AffectedAppointment(Schema):
    """An appointment that has to be moved, and where to."""

    appointment: Appointment
    proposals: list[Slot]


class DowntimeDone(Schema):
    """A downtime, and how many appointments it touches."""

    downtime: Downtime
    affected_count: int


class CalendarSpan(Schema):
    """A span of time in which a resource cannot be booked."""

    start_at: datetime
    end_at: datetime
    kind: str
    """HOLIDAY, MAINTENANCE, BREAKDOWN, ABSENCE, OTHER."""
    reason: str
    downtime: int | None


class OpenSpan(Schema):
    """A span of weekly hours."""

    start_at: datetime
    end_at: datetime


class CalendarResource(Schema):
    """The background of a resource's column."""

    resource: int
    kind: str
    name: str
    open: list[OpenSpan]
    closed: list[CalendarSpan]


class PublicHoliday(Schema):
    """A day of the calendar."""

    day: date
    name_fr: str
    name_en: str


class CalendarBackground(Schema):
    """Hours, holidays and downtime of a range."""

    time_zone: str
    holidays: list[PublicHoliday]
    resources: list[CalendarResource]


@router.get("/calendar")
async def get_calendar(
    ask: Reader,
    *,
    start_at: Annotated[Instant, Query()],
    end_at: Annotated[Instant, Query()],
    resource: Resources = None,
) -> CalendarBackground:
    """When resources are open and closed; all active ones unless some are named."""
    _check_range(start_at, end_at)

    def work(connection: psycopg.Connection[Any]) -> CalendarBackground:
        found = list(get_resources(connection, resource).values())
        openings = Openings(connection, rules(ask), found, start_at, end_at)
        return CalendarBackground(
            time_zone=rules(ask).zone.key,
            holidays=[PublicHoliday.model_validate(one) for one in openings.holidays],
            resources=[
                CalendarResource(
                    resource=one.id,
                    kind=one.kind,
                    name=one.name,
                    open=[OpenSpan(start_at=a, end_at=b) for a, b in openings.open(one.id)],
                    closed=[CalendarSpan.model_validate(span) for span in openings.closed(one.id)],
                )
                for one in found
            ],
        )

    return await carry_out(ask, work)


@router.get("/downtime")
async def list_downtime(
    ask: Reader,
    *,
    start_at: Annotated[Instant, Query()],
    end_at: Annotated[Instant, Query()],
    resource: Resources = None,
) -> list[Downtime]:
    """What touches a range; downtime of the whole department always."""
    if end_at <= start_at:
        raise Problem("bad-query", detail="The range ends after it begins.")

    def work(connection: psycopg.Connection[Any]) -> list[Downtime]:
        found = Downtimes(connection).in_range(start_at, end_at, resources=resource)
        return [Downtime.model_validate(one) for one in found]

    return await carry_out(ask, work)


@router.post("/downtime", status_code=201)
async def add_downtime(ask: Scheduler, given: DowntimeGiven) -> DowntimeDone:
    """Close a resource for a while; appointments stay until somebody moves them."""

    def work(connection: psycopg.Connection[Any]) -> DowntimeDone:
        downtimes = Downtimes(connection)
        made = downtimes.add(
            resource=given.resource,
            start_at=given.start_at,
            end_at=given.end_at,
            kind=given.kind,
            reason=given.reason,
            by=ask.actor.name,
        )
        return _done(downtimes, made)

    return await _noted(ask, "add downtime", await carry_out(ask, work))


@router.put("/downtime/{number}")
async def change_downtime(ask: Scheduler, number: Number, given: DowntimeGiven) -> DowntimeDone:
    """Change everything of a downtime."""

    def work(connection: psycopg.Connection[Any]) -> DowntimeDone:
        downtimes = Downtimes(connection)
        changed = downtimes.change(
            number,
            resource=given.resource,
            start_at=given.start_at,
            end_at=given.end_at,
            kind=given.kind,
            reason=given.reason,
        )
        return _done(downtimes, changed)

    return await _noted(ask, "change downtime", await carry_out(ask, work))


@router.delete("/downtime/{number}", status_code=204)
async def remove_downtime(ask: Scheduler, number: Number) -> None:
    """Open again."""
    await carry_out(ask, lambda connection: Downtimes(connection).remove(number))
    await ask.note("remove downtime", downtime=number)


@router.get("/downtime/{number}/affected")
async def list_affected_appointments(
    ask: Reader,
    number: Number,
    *,
    proposals: Annotated[int, Query(ge=0, le=5)] = 0,
) -> list[AffectedAppointment]:
    """Appointments that a downtime touches, by time, each with the next slots it could be moved to.

    Proposals are independent of each other, and made for the first fifty.
    """

    def work(connection: psycopg.Connection[Any]) -> list[AffectedAppointment]:
        downtimes = Downtimes(connection)
        numbers = downtimes.affected(downtimes.get(number), limit=_MAX_LISTED)
        found = appointments(ask, connection).get_all(numbers)
        patients = patients_of(connection, (one.patient for one in found))
        return [
            AffectedAppointment(
                appointment=shown(one, patients),
                proposals=_proposals(ask, connection, one.id, proposals)
                if proposals and position < _MAX_PROPOSED
                else [],
            )
            for position, one in enumerate(found)
        ]

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


def _proposals(
    ask: Asking, connection: psycopg.Connection[Any], number: int, limit: int
) -> list[Slot]:
    one = Appointments(connection, rules(ask)).get(number)
    if one.start_at is None or not one.steps:
        return []
    wanted = wanted_steps(connection, [step.step for step in one.steps][:6])
    question = Question(wanted=wanted, earliest=one.start_at, limit=limit, ignore=number)
    return [
        Slot(
            start_at=slot.start_at,
            end_at=slot.end_at,
            is_preferred=slot.is_preferred,
            steps=[SlotStep.model_validate(place) for place in slot.places],
        )
        for slot in search(connection, rules(ask), question)
    ]


def _check_range(start_at: datetime, end_at: datetime) -> None:
    if end_at <= start_at or end_at - start_at > MAX_RANGE + timedelta(days=1):
        detail = f"The range ends after it begins, {MAX_RANGE.days} days later at most."
        raise Problem("bad-query", detail=detail)


def _done(downtimes: Downtimes, one: Found) -> DowntimeDone:
    affected = downtimes.affected(one, limit=_MAX_LISTED)
    return DowntimeDone(downtime=Downtime.model_validate(one), affected_count=len(affected))


async def _noted(ask: Asking, action: str, done: DowntimeDone) -> DowntimeDone:
    await ask.note(action, downtime=done.downtime.id, resource=done.downtime.resource)
    return done
