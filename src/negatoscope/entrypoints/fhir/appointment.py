"""Appointment: a visit, with its room, devices and people as participants."""

from collections.abc import Sequence
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import get_resources
from negatoscope.domain.scheduling.model import Appointment, AppointmentState, Resource
from negatoscope.entrypoints.fhir.elements import instant, maybe, pruned, reference
from negatoscope.entrypoints.fhir.searching import (
    NOTHING,
    Clause,
    Context,
    Kind,
    Parameter,
    by_code,
    by_date,
    by_number,
    by_reference,
    chained_identifier,
    named,
    of_file,
    patient_identifier,
)

STATUSES: Final = {
    AppointmentState.WAITING: "waitlist",
    AppointmentState.BOOKED: "booked",
    AppointmentState.ARRIVED: "arrived",
    AppointmentState.FULFILLED: "fulfilled",
    AppointmentState.CANCELLED: "cancelled",
    AppointmentState.NOSHOW: "noshow",
}
NUMBERS: Final = "urn:negatoscope:appointment"
_TYPES: Final = {"ROOM": "Location", "DEVICE": "Device", "STAFF": "Practitioner"}
_BEGUN: Final = "('ARRIVED', 'READY', 'STARTED', 'COMPLETED', 'DISCONTINUED')"
_HAS: Final = (
    "EXISTS (SELECT FROM appointment_step l JOIN scheduled_procedure_step s ON s.id = l.step_fk"
    " WHERE l.appointment_fk = a.id AND {})"
)
_DONE: Final = "('COMPLETED', 'DISCONTINUED')"
STATUS: Final = (
    "CASE a.state WHEN 'WAITING' THEN 'waitlist' WHEN 'CANCELLED' THEN 'cancelled' WHEN 'NOSHOW' THEN 'noshow'"
    f" ELSE CASE WHEN {_HAS.format('s.state IN ' + _DONE)} AND NOT {_HAS.format('s.state NOT IN ' + _DONE)}"
    f" THEN 'fulfilled' WHEN {_HAS.format('s.state IN ' + _BEGUN)} THEN 'arrived' ELSE 'booked' END END"
)


def appointment(one: Appointment, resources: dict[int, Resource]) -> dict[str, Any]:
    """The resource of a visit."""
    used = [resources[number] for number in _resources(one) if number in resources]
    participants = [
        {"actor": reference("Patient", one.patient), "required": "required", "status": "accepted"},
        *(
            {
                "actor": pruned(
                    {
                        "type": _TYPES[found.kind],
                        "display": found.name,
                        "identifier": {"value": found.ae_title} if found.ae_title else None,
                    }
                ),
                "required": "required",
                "status": "accepted",
            }
            for found in used
        ),
    ]
    minutes = None
    if one.start_at is not None and one.end_at is not None:
        minutes = max(1, round((one.end_at - one.start_at).total_seconds() / 60))
    wished = pruned(
        {
            "start": None if one.wished_from is None else one.wished_from.isoformat(),
            "end": None if one.wished_until is None else one.wished_until.isoformat(),
        }
    )
    identifiers = [{"system": NUMBERS, "value": str(one.id)}]
    if one.placer_appointment_id:
        identifiers.append({"value": one.placer_appointment_id})
    return pruned(
        {
            "resourceType": "Appointment",
            "id": str(one.id),
            "meta": {"versionId": str(one.version), "lastUpdated": instant(one.updated_at)},
            "identifier": identifiers,
            "status": STATUSES[one.state],
            "cancelationReason": {"text": one.state_reason}
            if one.state_reason and one.state is AppointmentState.CANCELLED
            else None,
            "description": " + ".join(
                dict.fromkeys(step.description for step in one.steps if step.description)
            ),
            "start": maybe(one.start_at),
            "end": maybe(one.end_at),
            "minutesDuration": minutes,
            "created": instant(one.created_at),
            "comment": one.note,
            "basedOn": [
                reference("ServiceRequest", number)
                for number in dict.fromkeys(step.requested_procedure for step in one.steps)
            ],
            "participant": participants,
            "requestedPeriod": [wished] if wished else [],
        }
    )


def _resources(one: Appointment) -> list[int]:
    """What it takes up; of one that ended, what it had."""
    planned = [n for step in one.steps for n in (step.room, step.device, *step.staff)]
    return list(dict.fromkeys(n for n in [*planned, *one.resources] if n is not None))


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    book = Appointments(context.connection, context.rules)
    found = {one.id: one for one in book.get_all(numbers)}
    named_ = sorted({n for one in found.values() for n in _resources(one)})
    resources = get_resources(context.connection, named_)
    return [appointment(found[number], resources) for number in numbers if number in found]


def _numbered(_context: Context, value: str, _modifier: str) -> Clause:
    system, bar, ident = value.rpartition("|")
    ours = ident.isascii() and ident.isdigit() and len(ident) < 19
    if system == NUMBERS:
        return ("a.id = %s", [int(ident)]) if ours else NOTHING
    if bar and system:
        return NOTHING
    if ours and not bar:
        return "(a.id = %s OR a.placer_appointment_id = %s)", [int(ident), ident]
    return "a.placer_appointment_id = %s", [ident]


def _actor(context: Context, value: str, modifier: str) -> Clause:
    """Patient/12, or a room, device or person by the number of its Schedule."""
    if modifier == "identifier":
        return patient_identifier(context, value, "a.patient_fk")
    kind, _, ident = value.removeprefix(f"{context.base}/").rpartition("/")
    if not (ident.isascii() and ident.isdigit() and len(ident) < 19):
        return NOTHING
    if kind in ("", "Patient"):
        return of_file("a.patient_fk", int(ident))
    if kind not in ("Location", "Device", "Practitioner"):
        return NOTHING
    sql = (
        "EXISTS (SELECT FROM appointment_step l WHERE l.appointment_fk = a.id"
        " AND %s IN (l.room_fk, l.device_fk) OR l.appointment_fk = a.id AND %s = ANY(l.staff))"
    )
    return sql, [int(ident), int(ident)]


def _based_on(context: Context, value: str, _modifier: str) -> Clause:
    kind, _, ident = value.removeprefix(f"{context.base}/").rpartition("/")
    if kind not in ("", "ServiceRequest") or not (
        ident.isascii() and ident.isdigit() and len(ident) < 19
    ):
        return NOTHING
    return _HAS.format("s.procedure_fk = %s"), [int(ident)]


_STARTS: Final = "coalesce(lower(a.during), a.created_at)"

KIND: Final = Kind(
    name="Appointment",
    action=Action.READ_WORK,
    source="appointment a",
    number="a.id",
    parameters=named(
        by_number("a.id"),
        Parameter(name="identifier", type="token", clause=_numbered),
        by_reference("patient", "Patient", "a.patient_fk", identified=True),
        chained_identifier("patient.identifier", "a.patient_fk"),
        Parameter(
            name="actor",
            type="reference",
            clause=_actor,
            documentation="Patient/…; Location/…, Device/…, Practitioner/… by the number of the Schedule",
            modifiers=frozenset({"identifier"}),
        ),
        by_code("status", f"({STATUS})"),
        by_date("date", "lower(a.during)", documentation="when it begins"),
        Parameter(name="based-on", type="reference", clause=_based_on),
    ),
    sorts={"date": (_STARTS, "timestamptz"), "_id": ("a.id", "bigint")},
    sort="date",
    shown=_shown,
)
