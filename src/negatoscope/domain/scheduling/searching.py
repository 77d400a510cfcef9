"""Appointments and resources by what is known of them."""

from collections.abc import Sequence
from typing import Final

from negatoscope.domain.orders import StepState
from negatoscope.domain.scheduling.model import AppointmentState
from negatoscope.infra.db.conditions import (
    Column,
    Condition,
    Selection,
    Span,
    all_of,
    negated,
)

APPOINTMENTS: Final = Selection(source="appointment a", number=Column("a.id", "bigint"))
PATIENT: Final = Column("a.patient_fk", "bigint")
PLACER_APPOINTMENT_ID: Final = Column("a.placer_appointment_id")
START: Final = Span.at("lower(a.during)")
LISTED_AT: Final = Column("coalesce(lower(a.during), a.created_at)", "timestamptz")
"""When it begins; of one that waits, since when."""
_KEPT: Final = (AppointmentState.WAITING, AppointmentState.CANCELLED, AppointmentState.NOSHOW)
_ENDED: Final = (StepState.COMPLETED, StepState.DISCONTINUED)
_BEGUN: Final = (StepState.ARRIVED, StepState.READY, StepState.STARTED, *_ENDED)
_STEP_STATE: Final = Column("s.state")

RESOURCES: Final = Selection(source="resource x", number=Column("x.id", "bigint"))
KIND: Final = Column("x.kind")
IS_ACTIVE: Final = Column("x.is_active", "boolean")
AE_TITLE: Final = Column("nullif(x.ae_title, '')")
MODALITY: Final = Column("nullif(x.modality, '')")


def in_state(state: AppointmentState) -> Condition:
    """How far a visit is; ARRIVED and FULFILLED follow from its steps."""
    kept = Column("a.state")
    if state in _KEPT:
        return kept.equals(state)
    booked = negated(kept.is_one_of(_KEPT))
    has_ended = _has_step(_STEP_STATE.is_one_of(_ENDED))
    is_unfinished = _has_step(negated(_STEP_STATE.is_one_of(_ENDED)))
    fulfilled = all_of(has_ended, negated(is_unfinished))
    begun = _has_step(_STEP_STATE.is_one_of(_BEGUN))
    if state is AppointmentState.FULFILLED:
        return all_of(booked, fulfilled)
    if state is AppointmentState.ARRIVED:
        return all_of(booked, begun, negated(fulfilled))
    return all_of(booked, negated(begun))


def with_resource(number: int) -> Condition:
    """A room, device or person takes part."""
    return Condition(
        "EXISTS (SELECT FROM appointment_step l WHERE l.appointment_fk = a.id"
        " AND (%s IN (l.room_fk, l.device_fk) OR %s = ANY(l.staff)))",
        (number, number),
    )


def for_procedure(number: int) -> Condition:
    """It is for a step of this requested procedure."""
    return _has_step(Column("s.procedure_fk").equals(number))


def resource_of(number: int, kinds: Sequence[str]) -> Condition:
    """A resource by its number, if it is of one of these kinds."""
    return all_of(RESOURCES.number.equals(number), KIND.is_one_of(kinds))


def _has_step(condition: Condition) -> Condition:
    return Condition(
        "EXISTS (SELECT FROM appointment_step l JOIN scheduled_procedure_step s ON s.id = l.step_fk"
        f" WHERE l.appointment_fk = a.id AND {condition.sql})",
        condition.parameters,
    )
