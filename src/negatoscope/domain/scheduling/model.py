"""What appointments, hours and downtime are; instants are aware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class AppointmentState(StrEnum):
    """How far a visit is; ARRIVED and FULFILLED follow from its steps."""

    WAITING = "WAITING"
    """On the waiting list: no time yet."""
    BOOKED = "BOOKED"
    ARRIVED = "ARRIVED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"
    NOSHOW = "NOSHOW"


class ObstacleKind(StrEnum):
    """What stands in the way of an appointment."""

    APPOINTMENT = "APPOINTMENT"
    PATIENT = "PATIENT"
    """The patient has another appointment then."""
    CLOSED = "CLOSED"
    HOLIDAY = "HOLIDAY"
    MAINTENANCE = "MAINTENANCE"
    BREAKDOWN = "BREAKDOWN"
    ABSENCE = "ABSENCE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something in the way.

    Attributes:
        resource: Row of the room, device or person; None: the patient.
        name: Of the resource.
        appointment: Row, of another appointment.
        reason: Name of the holiday, words of the downtime.
    """

    kind: ObstacleKind
    start_at: datetime
    end_at: datetime
    resource: int | None = None
    name: str = ""
    appointment: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when one step is done.

    Attributes:
        step: Row of scheduled_procedure_step.
        room: Row of resource.
        device: Row; None: the room's first of the step's modality, or none where it has none.
        staff: Rows of people who are needed.
    """

    step: int
    start_at: datetime
    end_at: datetime
    room: int
    device: int | None = None
    staff: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A room, a device, somebody."""

    id: int
    kind: str
    name: str
    location: str
    room: int | None
    modality: str
    ae_title: str
    station_name: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """When something cannot be booked, and why."""

    start_at: datetime
    end_at: datetime
    kind: ObstacleKind
    reason: str = ""
    downtime: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A public holiday."""

    day: date
    name_fr: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """A step of an appointment, for lists."""

    step: int
    scheduled_procedure_step_id: str
    state: str
    start_at: datetime | None
    end_at: datetime | None
    room: int | None
    device: int | None
    staff: tuple[int, ...]
    request: int
    accession_number: str
    priority: str
    requested_procedure: int
    description: str
    modality: str
    duration_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An appointment, as lists and calendars need it.

    Attributes:
        patient: Row of registered_patient.
        overbooked: Rows of the resources that another appointment has at the time.
    """

    id: int
    version: int
    patient: int
    state: AppointmentState
    state_reason: str
    start_at: datetime | None
    end_at: datetime | None
    overbooking_reason: str
    wished_from: date | None
    wished_until: date | None
    note: str
    placer_appointment_id: str
    source: str
    created_at: datetime
    updated_at: datetime
    steps: tuple[StepShown, ...]
    overbooked: tuple[int, ...] = ()
    resources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One line of an appointment's history."""

    id: int
    at: datetime
    kind: str
    source: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """When a resource, or the whole department, cannot be booked."""

    id: int
    resource: int | None
    start_at: datetime
    end_at: datetime
    kind: str
    reason: str
    created_at: datetime
    created_by: str
