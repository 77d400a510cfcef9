"""Appointments to others [RAD-48]: SIU^S12, S13, S14, S15, S26 of v2.5.1 (SIU_S12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from negatoscope.domain.messages import Destination
from negatoscope.domain.orders import Order, Procedure, Step, WorkflowKind
from negatoscope.domain.patients import Patient
from negatoscope.protocols.hl7v2 import FieldValue, Message, Segment
from negatoscope.subscribers.outbound_hl7.segments import (
    coded,
    entity,
    header,
    patient_identification,
    person,
    timestamp,
    visit,
)

APPOINTMENT_ACTIONS: Final = {
    "S12": "an appointment is made",
    "S13": "it is moved",
    "S14": "something else of it changes",
    "S15": "it is cancelled, or goes back to the waiting list",
    "S26": "the patient did not come",
}
"""Trigger events, and when they are said."""
STATUS: Final = {
    "BOOKED": "Booked",
    "ARRIVED": "Started",
    "FULFILLED": "Complete",
    "CANCELLED": "Cancelled",
    "WAITING": "Cancelled",
    "NOSHOW": "Noshow",
}
"""SCH-25 (HL7 table 0278)."""
RELEVANT: Final = frozenset(
    {
        WorkflowKind.BOOKED,
        WorkflowKind.MOVED,
        WorkflowKind.APPOINTMENT_CHANGED,
        WorkflowKind.APPOINTMENT_CANCELLED,
        WorkflowKind.NO_SHOW,
        WorkflowKind.UNDONE,
    }
)
_MODIFICATIONS: Final = {"S12": "A", "S13": "U", "S14": "U", "S15": "D", "S26": "U"}
"""Segment action codes (HL7 table 0206)."""
_TOLD: Final = frozenset({"S12", "S13", "S14"})
OUR_ISSUER: Final = "NEGATOSCOPE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A resource that is taken up."""

    kind: str
    name: str
    location: str
    modality: str
    ae_title: str
    profession: str
    rpps: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment with what it takes up.

    Attributes:
        start_at: None: on the waiting list.
        steps: Order, procedure, step of each.
    """

    id: int
    patient: int
    start_at: datetime | None
    end_at: datetime | None
    state: str
    state_reason: str
    note: str
    placer_appointment_id: str
    patient_class: str
    steps: Sequence[tuple[Order, Procedure, Step]]
    resources: Sequence[Booked]


def appointment_action(visit_: Visit, told: str, kind: WorkflowKind) -> str:
    """Which event a destination has to be told of; empty: none.

    Args:
        visit_: As it is.
        told: The last event it was told of.
        kind: What happened.
    """
    if visit_.state in {"CANCELLED", "WAITING"}:
        return "S15" if told in _TOLD else ""
    if visit_.state == "NOSHOW":
        return "S26" if told in _TOLD else ""
    if told not in _TOLD:
        return "S12"
    return "S13" if kind in {WorkflowKind.MOVED, WorkflowKind.UNDONE} else "S14"


def appointment_message(
    destination: Destination,
    *,
    patient: Patient,
    appointment: Visit,
    action: str,
    control_id: str,
    at: datetime,
    zone: tzinfo,
) -> Message:
    """SIU_S12."""
    start_at, end_at = appointment.start_at, appointment.end_at
    minutes = (
        None
        if start_at is None or end_at is None
        else max(1, round((end_at - start_at).total_seconds() / 60))
    )
    first = next(iter(appointment.steps), None)
    order = None if first is None else first[0]
    segments = [
        header(
            destination,
            message_type=("SIU", action, "SIU_S12"),
            version="2.5.1",
            control_id=control_id,
            at=at,
            zone=zone,
        ),
        Segment.build(
            "SCH",
            {
                1: entity(appointment.placer_appointment_id),
                2: entity(str(appointment.id), OUR_ISSUER),
                6: (action, appointment.state_reason or None),
                7: (None, order.details.clinical_question) if order is not None else None,
                9: minutes,
                10: "min" if minutes else None,
                16: (None, OUR_ISSUER),
                20: (None, OUR_ISSUER),
                25: STATUS.get(appointment.state, ""),
                26: None
                if order is None
                else entity(order.placer_order_number, order.placer_issuer),
                27: None
                if order is None
                else entity(order.filler_order_number, order.filler_issuer),
            },
        ),
        Segment.build(
            "TQ1",
            {
                1: 1,
                7: None if start_at is None else timestamp(start_at, zone),
                8: None if end_at is None else timestamp(end_at, zone),
            },
        ),
    ]
    if appointment.note:
        segments.append(Segment.build("NTE", {1: 1, 2: "P", 3: appointment.note}))
    account = (
        ("", "")
        if order is None
        else (order.details.admission_id, order.details.issuer_of_admission_id)
    )
    segments.append(patient_identification(patient, account=account))
    if order is not None:
        segments.append(visit(order.details, appointment.patient_class))
    segments.append(Segment.build("RGS", {1: 1, 2: _MODIFICATIONS[action]}))
    for position, (_, procedure, step) in enumerate(appointment.steps, start=1):
        service = _service(action, procedure, step, appointment, zone)
        segments.append(Segment.build("AIS", {1: position, **service}))
    segments += _resources(action, appointment, zone)
    return Message.build(segments)


def _service(
    action: str, procedure: Procedure, step: Step, appointment: Visit, zone: tzinfo
) -> dict[int, FieldValue]:
    """AIS: what is done."""
    start_at = step.start_at or appointment.start_at
    return {
        2: _MODIFICATIONS[action],
        3: coded(
            procedure.code_value,
            procedure.code_meaning or procedure.description or step.description,
            procedure.coding_scheme_designator,
        ),
        4: None if start_at is None else timestamp(start_at, zone),
        7: procedure.duration_min,
        8: "min",
        10: STATUS.get(appointment.state, ""),
    }


def _resources(action: str, appointment: Visit, zone: tzinfo) -> list[Segment]:
    """AIG devices, AIL rooms, AIP people, in the order of SIU_S12."""
    made: list[Segment] = []
    modification = _MODIFICATIONS[action]
    for kind, identifier in (("DEVICE", "AIG"), ("ROOM", "AIL"), ("STAFF", "AIP")):
        found = [one for one in appointment.resources if one.kind == kind]
        for position, one in enumerate(found, start=1):
            start = timestamp(one.start_at, zone)
            minutes = round((one.end_at - one.start_at).total_seconds() / 60)
            values: dict[int, FieldValue] = {1: position, 2: modification}
            if kind == "DEVICE":
                values |= {
                    3: (one.ae_title or one.name, one.name),
                    4: (one.modality, None, "DCM") if one.modality else "DEVICE",
                    8: start,
                    11: minutes,
                    12: "min",
                }
            elif kind == "ROOM":
                place = (None, one.name, None, None, None, None, None, None, one.location)
                values |= {3: place, 6: start, 9: minutes, 10: "min"}
            else:
                values |= {
                    3: person(one.name.replace(" ", "^", 1), one.rpps),
                    4: one.profession or None,
                    6: start,
                    9: minutes,
                    10: "min",
                }
            made.append(Segment.build(identifier, values))
    return made
