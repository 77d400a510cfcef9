"""Appointment: a visit, with its room, devices and people as participants."""

from collections.abc import Sequence
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.patients.searching import of_patient
from negatoscope.domain.scheduling import searching
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import get_resources
from negatoscope.domain.scheduling.model import Appointment, AppointmentState, Resource
from negatoscope.entrypoints.fhir.elements import instant, maybe, pruned, reference
from negatoscope.entrypoints.fhir.search_parameters import (
    by_code,
    by_date,
    by_number,
    by_patient,
    chained_identifier,
    identified_patient,
    named,
    number_in,
)
from negatoscope.entrypoints.fhir.searching import Context, Kind, Parameter
from negatoscope.infra.db.conditions import NEVER, Condition, any_of

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


def _numbered(_context: Context, value: str, _modifier: str) -> Condition:
    system, bar, ident = value.rpartition("|")
    number = number_in(ident, "")
    of_ours = NEVER if number is None else searching.APPOINTMENTS.number.equals(number)
    of_placer = searching.PLACER_APPOINTMENT_ID.equals(ident)
    if system == NUMBERS:
        return of_ours
    if bar:
        return NEVER if system else of_placer
    return of_placer if number is None else any_of(of_ours, of_placer)


def _actor(context: Context, value: str, modifier: str) -> Condition:
    """Patient/12, or a room, device or person by the number of its Schedule."""
    if modifier == "identifier":
        return identified_patient(value, searching.PATIENT)
    kind = value.removeprefix(f"{context.base}/").rpartition("/")[0]
    number = number_in(value, kind, context.base)
    if number is None:
        return NEVER
    if kind in ("", "Patient"):
        return of_patient(searching.PATIENT, number)
    return searching.with_resource(number) if kind in _TYPES.values() else NEVER


def _based_on(context: Context, value: str, _modifier: str) -> Condition:
    number = number_in(value, "ServiceRequest", context.base)
    return NEVER if number is None else searching.for_procedure(number)


KIND: Final = Kind(
    name="Appointment",
    action=Action.READ_WORK,
    rows=searching.APPOINTMENTS,
    parameters=named(
        by_number(searching.APPOINTMENTS.number),
        Parameter(name="identifier", type="token", condition=_numbered),
        by_patient("patient", searching.PATIENT),
        chained_identifier("patient.identifier", searching.PATIENT),
        Parameter(
            name="actor",
            type="reference",
            condition=_actor,
            documentation="Patient/…; Location/…, Device/…, Practitioner/… by the number of the Schedule",
            modifiers=frozenset({"identifier"}),
        ),
        by_code("status", {name: searching.in_state(state) for state, name in STATUSES.items()}),
        by_date("date", searching.START, documentation="when it begins"),
        Parameter(name="based-on", type="reference", condition=_based_on),
    ),
    sorts={"date": searching.LISTED_AT, "_id": searching.APPOINTMENTS.number},
    sort="date",
    shown=_shown,
)
