"""Appointments: what a calendar shows of a range, and everything that can be done to one; the waiting list."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

import psycopg
from fastapi import APIRouter, Query
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.scheduling.appointments import MAX_STEPS
from negatoscope.domain.scheduling.model import Appointment as Found
from negatoscope.domain.scheduling.model import AppointmentState, Place, StepShown
from negatoscope.domain.scheduling.slots import waiting_steps
from negatoscope.entrypoints.api.common import Asking, Schema
from negatoscope.entrypoints.api.scheduling_common import (
    AppointmentPatient,
    Day,
    Instant,
    Number,
    Reader,
    Row,
    Scheduler,
    Text,
    appointments,
    carry_out,
    patients_of,
)
from negatoscope.entrypoints.web.problems import Problem

router = APIRouter(tags=["appointments"])
MAX_RANGE: Final = timedelta(days=63)
_MAX_ROWS: Final = 5000
Resources = Annotated[list[Row] | None, Query(max_length=200)]
Modality = Annotated[str, Query(max_length=16, pattern=r"^[A-Z0-9]*$")]


class AppointmentStep(Schema):
    """A step that is done in an appointment."""

    step: int
    scheduled_procedure_step_id: str
    state: str
    start_at: datetime | None
    end_at: datetime | None
    room: int | None
    device: int | None
    staff: list[int]
    request: int
    accession_number: str
    priority: str
    requested_procedure: int
    description: str
    modality: str
    duration_min: int


class Appointment(Schema):
    """A visit: booked, missed, cancelled, or waiting for a time."""

    id: int
    version: int
    state: AppointmentState
    state_reason: str
    start_at: datetime | None
    end_at: datetime | None
    patient: AppointmentPatient | None
    steps: list[AppointmentStep]
    resources: list[int]
    """What it takes up: rooms, devices, people."""
    overbooked: list[int]
    """Those of them that another appointment has at the time."""
    overbooking_reason: str
    wished_from: date | None
    wished_until: date | None
    note: str
    placer_appointment_id: str
    source: str
    created_at: datetime
    updated_at: datetime


class AppointmentEvent(Schema):
    """Something that happened to an appointment."""

    id: int
    at: datetime
    kind: str
    source: str
    detail: dict[str, Any]


class AppointmentDetails(Schema):
    """An appointment with its history, oldest first."""

    appointment: Appointment
    history: list[AppointmentEvent]


class AppointmentList(Schema):
    """Appointments of a range, by time."""

    appointments: list[Appointment]
    is_cut: bool
    """More are there than are given: ask for a shorter range."""


class StepPlace(Schema):
    """Where and when a step is to be done."""

    step: Row
    start_at: Instant
    end_at: Instant
    room: Row
    device: Row | None = None
    """Absent: the room's free one of the step's modality."""
    staff: Annotated[list[Row], Field(max_length=10)] = Field(default_factory=list)

    def place(self) -> Place:
        """As the domain knows it."""
        return Place(
            step=self.step,
            start_at=self.start_at,
            end_at=self.end_at,
            room=self.room,
            device=self.device,
            staff=tuple(self.staff),
        )


Plan = Annotated[list[StepPlace], Field(min_length=1, max_length=MAX_STEPS)]


class NewAppointment(Schema):
    """A visit to be booked."""

    steps: Plan
    reason: Text = ""
    """Why, although something is in the way: overbooking, outside opening hours."""
    note: Text = ""


class Put(Schema):
    """A resource that takes the place of another one."""

    from_resource: Row
    to_resource: Row

    @property
    def pair(self) -> tuple[int, int]:
        """What it was, what it becomes."""
        return self.from_resource, self.to_resource


class AppointmentChange(Schema):
    """What changes; what is absent stays. ``steps`` stands alone: the whole plan anew."""

    version: Annotated[int, Field(ge=1, lt=1 << 31)]
    start_at: Instant | None = None
    """The whole visit moves."""
    end_at: Instant | None = None
    """Its last step becomes longer or shorter."""
    put: Put | None = None
    steps: Plan | None = None
    note: Text | None = None
    reason: Text = ""


class Ending(Schema):
    """Of which version, and why."""

    version: Annotated[int, Field(ge=1, lt=1 << 31)]
    reason: Text = ""


class NewWaiting(Schema):
    """Steps of one patient that wait for a time."""

    steps: Annotated[list[Row], Field(min_length=1, max_length=MAX_STEPS)]
    wished_from: Day | None = None
    wished_until: Day | None = None
    note: Text = ""


class WaitingChange(Schema):
    """When somebody wishes to come, and a note."""

    version: Annotated[int, Field(ge=1, lt=1 << 31)]
    wished_from: Day | None = None
    wished_until: Day | None = None
    note: Text = ""


class WaitingStep(Schema):
    """A step that nobody has booked or put on the waiting list."""

    step: int
    scheduled_procedure_step_id: str
    modality: str
    description: str
    duration_min: int
    vetting: str
    """NOT NEEDED, ACCEPTED, REPLACED can be booked; WAITING, REFUSED cannot."""
    requested_procedure: int
    catalogue_procedure: int | None
    request: int
    accession_number: str
    priority: str
    request_state: str
    patient: AppointmentPatient | None
    wished_at: datetime | None
    ordered_at: datetime


@router.get("/appointments")
async def list_appointments(
    ask: Reader,
    *,
    start_at: Annotated[Instant, Query()],
    end_at: Annotated[Instant, Query()],
    resource: Resources = None,
) -> AppointmentList:
    """What a calendar shows: booked, under way, over or missed; of some resources or of all."""
    if end_at <= start_at or end_at - start_at > MAX_RANGE:
        detail = f"The range ends after it begins, {MAX_RANGE.days} days later at most."
        raise Problem("bad-query", detail=detail)

    def work(connection: psycopg.Connection[Any]) -> list[Appointment]:
        found = appointments(ask, connection).in_range(
            start_at, end_at, resources=resource, limit=_MAX_ROWS + 1
        )
        return _shown(connection, found)

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return AppointmentList(appointments=found[:_MAX_ROWS], is_cut=len(found) > _MAX_ROWS)


@router.get("/registered-patients/{number}/appointments")
async def list_appointments_of_patient(ask: Reader, number: Number) -> list[Appointment]:
    """Everything a patient came, comes or waits for, by time."""

    def work(connection: psycopg.Connection[Any]) -> list[Appointment]:
        return _shown(connection, appointments(ask, connection).of_patient(number))

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.get("/appointments/{number}")
async def get_appointment(ask: Reader, number: Number) -> AppointmentDetails:
    """One appointment with its history."""

    def work(connection: psycopg.Connection[Any]) -> AppointmentDetails:
        book = appointments(ask, connection)
        (shown,) = _shown(connection, [book.get(number)])
        history = [AppointmentEvent.model_validate(one) for one in book.history(number)]
        return AppointmentDetails(appointment=shown, history=history)

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.post("/appointments", status_code=201)
async def book_appointment(ask: Scheduler, wanted: NewAppointment) -> Appointment:
    """Book a visit; 409 says what is in the way."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        book = appointments(ask, connection)
        number = book.book(
            [one.place() for one in wanted.steps], reason=wanted.reason, note=wanted.note
        )
        return _shown(connection, [book.get(number)])[0]

    return await _noted(ask, "book appointment", await carry_out(ask, work))


@router.patch("/appointments/{number}")
async def change_appointment(
    ask: Scheduler, number: Number, change: AppointmentChange
) -> Appointment:
    """Move a visit, make it longer or shorter, put it elsewhere, plan it anew; of the waiting list: book it."""
    is_moved = (change.start_at, change.end_at, change.put) != (None, None, None)
    if change.steps is not None and is_moved:
        raise Problem("invalid-input", detail="Either the whole plan is given, or what moves.")

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        book = appointments(ask, connection)
        version = change.version
        if change.steps is not None:
            plan = [one.place() for one in change.steps]
            version = book.change(number, version=version, plan=plan, reason=change.reason).version
        elif is_moved:
            version = book.move(
                number,
                version=version,
                start_at=change.start_at,
                end_at=change.end_at,
                put=None if change.put is None else change.put.pair,
                reason=change.reason,
            ).version
        if change.note is not None:
            now = book.get(number)
            book.set_note(
                number,
                version=version,
                note=change.note,
                wished_from=now.wished_from,
                wished_until=now.wished_until,
            )
        return _shown(connection, [book.get(number)])[0]

    return await _noted(ask, "change appointment", await carry_out(ask, work))


@router.post("/appointments/{number}/cancel")
async def cancel_appointment(ask: Scheduler, number: Number, ending: Ending) -> Appointment:
    """Cancel it: its resources are free, its steps wait again."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        found = appointments(ask, connection).cancel(
            number, version=ending.version, reason=ending.reason
        )
        return _shown(connection, [found])[0]

    return await _noted(ask, "cancel appointment", await carry_out(ask, work))


@router.post("/appointments/{number}/no-show")
async def miss_appointment(ask: Scheduler, number: Number, ending: Ending) -> Appointment:
    """The patient did not come."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        found = appointments(ask, connection).no_show(
            number, version=ending.version, reason=ending.reason
        )
        return _shown(connection, [found])[0]

    return await _noted(ask, "appointment missed", await carry_out(ask, work))


@router.post("/appointments/{number}/undo")
async def undo_appointment(ask: Scheduler, number: Number, ending: Ending) -> Appointment:
    """Take its last change back, if what it was before is still free."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        found = appointments(ask, connection).undo(number, version=ending.version)
        return _shown(connection, [found])[0]

    return await _noted(ask, "undo appointment", await carry_out(ask, work))


@router.get("/waiting-list")
async def list_waiting(
    ask: Reader,
    *,
    day: Annotated[Day | None, Query()] = None,
    modality: Modality = "",
    after: Annotated[int, Query(ge=0, lt=1 << 62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[Appointment]:
    """Who waits for a time, longest first; the next page is ``after`` the last one's number."""

    def work(connection: psycopg.Connection[Any]) -> list[Appointment]:
        found = appointments(ask, connection).waiting(
            day=day, modality=modality, after=after, limit=limit
        )
        return _shown(connection, found)

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.post("/waiting-list", status_code=201)
async def add_waiting(ask: Scheduler, wanted: NewWaiting) -> Appointment:
    """Put steps of a patient on the waiting list. They are booked by giving the appointment a plan."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        book = appointments(ask, connection)
        number = book.wait(
            wanted.steps,
            wished_from=wanted.wished_from,
            wished_until=wanted.wished_until,
            note=wanted.note,
        )
        return _shown(connection, [book.get(number)])[0]

    return await _noted(ask, "put on the waiting list", await carry_out(ask, work))


@router.patch("/waiting-list/{number}")
async def change_waiting(ask: Scheduler, number: Number, change: WaitingChange) -> Appointment:
    """Change when somebody wishes to come."""

    def work(connection: psycopg.Connection[Any]) -> Appointment:
        book = appointments(ask, connection)
        found = book.set_note(
            number,
            version=change.version,
            note=change.note,
            wished_from=change.wished_from,
            wished_until=change.wished_until,
        )
        return _shown(connection, [found])[0]

    return await _noted(ask, "change waiting list", await carry_out(ask, work))


@router.get("/waiting-steps")
async def list_waiting_steps(
    ask: Reader,
    *,
    patient: Annotated[Row | None, Query()] = None,
    request: Annotated[Row | None, Query()] = None,
    modality: Modality = "",
    after: Annotated[int, Query(ge=0, lt=1 << 62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[WaitingStep]:
    """Steps of orders that have no appointment and no place on the waiting list, oldest first."""

    def work(connection: psycopg.Connection[Any]) -> list[WaitingStep]:
        found = waiting_steps(
            connection,
            patient=patient,
            request=request,
            modality=modality,
            after=after,
            limit=limit,
        )
        patients = patients_of(connection, (one.patient for one in found))
        names = [name for name in WaitingStep.model_fields if name != "patient"]
        return [
            WaitingStep(
                **{name: getattr(one, name) for name in names}, patient=patients.get(one.patient)
            )
            for one in found
        ]

    found = await carry_out(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


async def _noted(ask: Asking, action: str, done: Appointment) -> Appointment:
    """Note a change in the audit trail."""
    patient = done.patient
    await ask.services.access.note(
        ask.request,
        action,
        patient_id=None if patient is None else patient.patient_id or None,
        issuer_of_patient_id=None if patient is None else patient.patient_id_authority or None,
        detail={"appointment": done.id, "version": done.version},
    )
    return done


def _shown(connection: psycopg.Connection[Any], found: list[Found]) -> list[Appointment]:
    patients = patients_of(connection, (one.patient for one in found))
    return [shown(one, patients) for one in found]


def shown(one: Found, patients: dict[int, AppointmentPatient]) -> Appointment:
    """An appointment as it is sent."""
    return Appointment(
        id=one.id,
        version=one.version,
        state=one.state,
        state_reason=one.state_reason,
        start_at=one.start_at,
        end_at=one.end_at,
        patient=patients.get(one.patient),
        steps=[_step(step) for step in one.steps],
        resources=list(one.resources),
        overbooked=list(one.overbooked),
        overbooking_reason=one.overbooking_reason,
        wished_from=one.wished_from,
        wished_until=one.wished_until,
        note=one.note,
        placer_appointment_id=one.placer_appointment_id,
        source=one.source,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def _step(one: StepShown) -> AppointmentStep:
    return AppointmentStep.model_validate(one)
