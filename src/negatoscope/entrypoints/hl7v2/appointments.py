"""Appointments that other systems make: SIU^S12, S13, S14, S15, S26 (HL7 v2.5.1 §10.3, IHE RAD-48).

An appointment is known by its placer's number (SCH-1), or by ours (SCH-2). Its order is named by
SCH-26 or SCH-27; without one an order is made of the services (AIS-3) that the catalogue has. Rooms
(AIL-3) and devices (AIG-3) are those of our own list, by name or AE title: what is not found there,
or is taken, is for a person. S13 and S14 of an appointment that is not known make it, so that a
message that was lost does no harm.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from negatoscope.domain.messages import CannotApply, Outcome, Verdict
from negatoscope.domain.orders import (
    NewOrder,
    NewProcedure,
    Numbering,
    OrderError,
    Orders,
    Step,
    StepState,
)
from negatoscope.domain.patients import PatientError, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.errors import Obstructed, SchedulingError
from negatoscope.domain.scheduling.hours import Rules, get_resources
from negatoscope.domain.scheduling.model import Appointment, AppointmentState, Place, Resource
from negatoscope.entrypoints.hl7v2 import adt
from negatoscope.entrypoints.hl7v2.order_fields import code_at, stamp
from negatoscope.kit.text import fold
from negatoscope.protocols.hl7v2 import NULL, ErrorCode, Message, Segment

OURS: Final = "NEGATOSCOPE"
"""Issuer of our own appointment numbers, as we send them."""
BOOKING: Final = frozenset({"S12", "S13", "S14"})
TRIGGERS: Final = BOOKING | {"S15", "S26"}
_MAX_SERVICES: Final = 20
_MAX_NUMBER: Final = 100
_MINUTES: Final = {"": 1.0, "MIN": 1.0, "M": 1.0, "MN": 1.0, "S": 1 / 60, "SEC": 1 / 60}
_MINUTES_OF: Final = _MINUTES | {"H": 60.0, "HR": 60.0}
_DURATION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_OPEN: Final = frozenset({StepState.WAITING, StepState.SCHEDULED, StepState.ARRIVED})


# -- what the sender is told ----------------------------------------------------------------------


def check(message: Message) -> Verdict:
    """Whether the message can be understood at all."""
    trigger = message.trigger_event
    if trigger not in TRIGGERS:
        return Verdict(
            code="AR",
            error_code=ErrorCode.UNSUPPORTED_EVENT_CODE,
            segment="MSH",
            field=9,
            reason="of this type the events S12, S13, S14, S15, S26 are taken",
        )
    sch = message.first("SCH")
    if sch is None:
        return _refused("SCH", 0, "the message has no appointment", ErrorCode.SEGMENT_SEQUENCE)
    if not (sch.get(1) or sch.get(2)):
        return _refused("SCH", 1, "the appointment has no number", ErrorCode.REQUIRED_FIELD_MISSING)
    if any(len(sch.get(at)) > _MAX_NUMBER for at in (1, 2)):
        reason = f"a number has at most {_MAX_NUMBER} characters"
        return _refused("SCH", 1, reason, ErrorCode.DATA_TYPE)
    if trigger not in BOOKING:
        return Verdict()
    verdict = adt.check_patient(message)
    if not verdict.is_positive:
        return verdict
    if not (message.first("AIL") or message.first("AIG")):
        reason = "neither a room nor a device is named"
        return _refused("AIL", 0, reason, ErrorCode.SEGMENT_SEQUENCE)
    if len(message.all("AIS")) > _MAX_SERVICES:
        reason = f"more than {_MAX_SERVICES} services in one appointment"
        return _refused("AIS", 0, reason, ErrorCode.INTERNAL_ERROR)
    return Verdict()


def _refused(segment: str, field: int, reason: str, code: ErrorCode) -> Verdict:
    return Verdict(code="AE", error_code=code, segment=segment, field=field, reason=reason)


# -- what it does ---------------------------------------------------------------------------------


def apply(
    connection: psycopg.Connection[Any],
    number: int,
    message: Message,
    *,
    numbering: Numbering,
    rules: Rules,
) -> Outcome:
    """Do what a message says, in the caller's transaction.

    Args:
        connection: In a transaction.
        number: The message's, for the history.
        message: SIU.
        numbering: How numbers of orders that are made look.
        rules: Of the department.

    Raises:
        CannotApply: a person must look at it.
    """
    desk = _Desk(connection, message, numbering, rules, f"hl7:{number}")
    try:
        with connection.transaction():
            return Outcome(effect=desk.carry_out())
    except Obstructed as error:
        ways = "; ".join(
            f"{one.name or 'the patient'} {one.kind.lower()}"
            f" {one.start_at.astimezone(rules.zone):%Y-%m-%d %H:%M}"
            f" to {one.end_at.astimezone(rules.zone):%Y-%m-%d %H:%M}"
            for one in error.obstacles[:5]
        )
        raise CannotApply(f"{error.message}: {ways}") from error
    except (SchedulingError, OrderError, PatientError) as error:
        raise CannotApply(error.message) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """One AIS, with the resources of its group."""

    segment: Segment | None
    start_at: datetime | None
    duration_min: int | None
    room: Resource | None
    device: Resource | None
    staff: tuple[int, ...]


class _Desk:
    def __init__(
        self,
        connection: psycopg.Connection[Any],
        message: Message,
        numbering: Numbering,
        rules: Rules,
        source: str,
    ) -> None:
        self._connection = connection
        self._message = message
        self._rules = rules
        self._source = source
        self._issuer = numbering.issuer
        self._orders = Orders(connection, numbering)
        self._registry = Registry(connection)
        self._book = Appointments(connection, rules, source=source)
        self._notes: list[str] = []
        sch = message.first("SCH")
        assert sch is not None  # noqa: S101 - `check` refused it
        self._sch = sch

    def carry_out(self) -> dict[str, Any]:
        trigger = self._message.trigger_event
        known = self._known()
        if trigger in BOOKING:
            return self._place(known)
        if known is None:
            raise CannotApply("no appointment has this number", segment="SCH", field=1)
        if known.state in {AppointmentState.CANCELLED, AppointmentState.NOSHOW}:
            return {"appointment": known.id, "done": "nothing"}
        reason = (_value(self._sch.get(6, 2)) or _value(self._sch.get(6)))[:200]
        if trigger == "S15":
            self._book.cancel(known.id, version=known.version, reason=reason)
            return {"appointment": known.id, "done": "cancelled"}
        self._book.no_show(known.id, version=known.version, reason=reason)
        return {"appointment": known.id, "done": "no show"}

    def _known(self) -> Appointment | None:
        value, issuer = self._numbers(1)
        number = self._book.by_placer(value, issuer) if value else None
        if number is None:
            ours, whose = self._numbers(2)
            if whose == OURS and ours.isascii() and ours.isdigit() and len(ours) < 19:
                number = int(ours)
        found = [] if number is None else self._book.get_all([number])
        return found[0] if found else None

    def _numbers(self, field: int) -> tuple[str, str]:
        """EI: the value, and who gave it."""
        return (
            _value(self._sch.get(field)),
            _value(self._sch.get(field, 2)) or _value(self._sch.get(field, 3)),
        )

    # -- booking ------------------------------------------------------------------------------

    def _place(self, known: Appointment | None) -> dict[str, Any]:
        pid = self._message.first("PID")
        assert pid is not None  # noqa: S101 - `check` refused it
        patient = adt.register(self._registry, pid, self._source).patient
        services = self._services()
        if known is not None:
            whose = self._registry.goes_on_as(known.patient)
            if whose != self._registry.goes_on_as(patient):
                raise CannotApply(
                    f"appointment {known.id} is another patient's", segment="PID", field=3
                )
            if known.state is AppointmentState.CANCELLED:
                raise CannotApply(f"appointment {known.id} was cancelled", segment="SCH", field=1)
            plan = self._moved(known, services)
            changed = self._book.change(known.id, version=known.version, plan=plan)
            return self._said(changed.id, "changed")
        placer, issuer = self._numbers(1)
        if not placer:
            raise CannotApply("no appointment has this number", segment="SCH", field=2)
        steps = self._steps(patient, services)
        made = self._book.book(
            self._plan(steps, services),
            note=self._note(),
            placer_appointment_id=placer,
            placer_issuer=issuer,
        )
        return self._said(made, "booked")

    def _said(self, appointment: int, done: str) -> dict[str, Any]:
        found = {"appointment": appointment, "done": done}
        return {**found, "notes": self._notes} if self._notes else found

    def _note(self) -> str:
        lines = (_value(one.get(3)) for one in self._message.all("NTE")[:10])
        return "\n".join(line for line in lines if line)[:1000]

    def _steps(self, patient: int, services: Sequence[_Service]) -> list[Step]:
        """The steps of the order that is named, or of one that is made."""
        order = self._named_order()
        if order is None:
            return self._made_order(patient, services)
        found = self._orders.get(order)
        if self._registry.goes_on_as(found.patient) != self._registry.goes_on_as(patient):
            raise CannotApply(f"order {order} is another patient's", segment="PID", field=3)
        steps = [one for one in found.steps if one.state in _OPEN]
        if not steps:
            raise CannotApply(f"nothing of order {order} waits for an appointment")
        codes = {
            code.code_value
            for one in services
            if one.segment is not None and (code := code_at(one.segment, 3)) is not None
        }
        named = {one.id for one in found.procedures if one.code_value in codes}
        return [one for one in steps if one.procedure in named] or steps

    def _named_order(self) -> int | None:
        for field, find in (
            (26, self._orders.find_by_placer),
            (27, self._orders.find_by_filler),
        ):
            value, issuer = self._numbers(field)
            if not value:
                continue
            found = find(value, issuer)
            if found is None and not issuer and field == 27:
                found = find(value, self._issuer)
            if found is None:
                raise CannotApply("no order has this number", segment="SCH", field=field)
            return found
        return None

    def _made_order(self, patient: int, services: Sequence[_Service]) -> list[Step]:
        procedures: list[NewProcedure] = []
        for one in services:
            code = None if one.segment is None else code_at(one.segment, 3)
            if code is None:
                raise CannotApply("neither an order nor a service is named", segment="AIS", field=3)
            entry = self._orders.catalogue_entry(code)
            if entry is None:
                raise CannotApply("this procedure is not in the catalogue", segment="AIS", field=3)
            procedures.append(NewProcedure(catalogue=entry, code=code))
        created = self._orders.create(
            NewOrder(patient=patient, procedures=procedures, is_accepted=True),
            source=self._source,
        )
        self._notes.append("no order was named: one was made")
        return list(created.order.steps)

    # -- times and places ---------------------------------------------------------------------

    def _services(self) -> list[_Service]:
        groups = self._message.groups("RGS") or [tuple(self._message)]
        rooms = get_resources(self._connection)
        found: list[_Service] = []
        for group in groups:
            room = self._room(group, rooms.values())
            device = self._device(group, rooms.values())
            staff = self._staff(group, rooms.values())
            if room is None and device is not None and device.room is not None:
                room = rooms.get(device.room)
            segments: list[Segment | None] = [one for one in group if one.id == "AIS"]
            for one in segments or [None]:
                start, duration = self._when(one, group)
                found.append(
                    _Service(
                        segment=one,
                        start_at=start,
                        duration_min=duration,
                        room=room,
                        device=device,
                        staff=staff,
                    )
                )
        if all(one.room is None for one in found):
            raise CannotApply("no room is named", segment="AIL", field=3)
        return found

    def _when(
        self, ais: Segment | None, group: Sequence[Segment]
    ) -> tuple[datetime | None, int | None]:
        """Start and minutes: AIS, else its resources, else TQ1, SCH."""
        sources: list[tuple[Segment, int, int]] = [] if ais is None else [(ais, 4, 7)]
        for identifier, at, length in (("AIL", 6, 9), ("AIG", 8, 11), ("AIP", 6, 9)):
            sources += [(one, at, length) for one in group if one.id == identifier]
        start: datetime | None = None
        minutes: int | None = None
        for segment, at, length in sources:
            start = start or stamp(segment.get(at), self._rules.zone)
            minutes = minutes or _minutes(segment.get(length), segment.get(length + 1))
        for segment in self._message.all("TQ1"):
            start = start or stamp(segment.get(7), self._rules.zone)
        start = start or stamp(self._sch.get(11, 4), self._rules.zone)
        return start, minutes or _minutes(self._sch.get(9), self._sch.get(10))

    def _room(self, group: Iterable[Segment], resources: Iterable[Resource]) -> Resource | None:
        named = [one for one in group if one.id == "AIL" and _value(one.raw(3))]
        if not named:
            return None
        ail = named[0]
        texts = [_value(ail.get(3, part)) for part in (2, 1, 4, 9)]
        texts.append(" ".join(text for text in texts[1::-1] if text))
        wanted = [fold(text) for text in texts if text]
        rooms = {fold(one.name): one for one in resources if one.kind == "ROOM"}
        found = next((rooms[text] for text in wanted if text in rooms), None)
        if found is None:
            raise CannotApply("this room is not known here", segment="AIL", field=3)
        return found

    def _device(self, group: Iterable[Segment], resources: Iterable[Resource]) -> Resource | None:
        named = [one for one in group if one.id == "AIG" and _value(one.raw(3))]
        if not named:
            return None
        aig = named[0]
        wanted = {fold(text) for part in (1, 2) if (text := _value(aig.get(3, part)))}
        devices = [one for one in resources if one.kind == "DEVICE"]
        for one in devices:
            if fold(one.ae_title) in wanted:
                return one
        found = next((one for one in devices if fold(one.name) in wanted), None)
        if found is None:
            raise CannotApply("this device is not known here", segment="AIG", field=3)
        return found

    def _staff(self, group: Iterable[Segment], resources: Iterable[Resource]) -> tuple[int, ...]:
        """People who are needed; those who are not known here are noted and left out."""
        people = {fold(one.name): one.id for one in resources if one.kind == "STAFF"}
        found: list[int] = []
        for one in group:
            if one.id != "AIP":
                continue
            family, given = _value(one.get(3, 2)), _value(one.get(3, 3))
            texts = (f"{family} {given}", f"{given} {family}", f"Dr {family}", family)
            number = next((people[fold(t)] for t in texts if fold(t) in people), None)
            if number is None:
                self._notes.append("somebody who is named in AIP-3 is not known here")
            elif number not in found:
                found.append(number)
        return tuple(found)

    def _plan(self, steps: Sequence[Step], services: Sequence[_Service]) -> list[Place]:
        """Each step with its service: by position; what has none follows the one before."""
        procedures = {
            one.id: one.duration_min
            for order in {step.procedure for step in steps}
            for one in self._orders.get(self._orders.order_of_procedure(order)).procedures
        }
        plan: list[Place] = []
        for position, step in enumerate(steps):
            service = services[min(position, len(services) - 1)]
            is_own = position < len(services)
            start = service.start_at if is_own else None
            if start is None:
                if not plan:
                    raise CannotApply("no time is given", segment="AIS", field=4)
                start = plan[-1].end_at
            minutes = service.duration_min if is_own else None
            if minutes is None or (len(services) == 1 and len(steps) > 1):
                minutes = procedures[step.procedure]
            room = service.room or next(one.room for one in services if one.room is not None)
            device = service.device
            suits = device is not None and device.modality in ("", step.modality)
            plan.append(
                Place(
                    step=step.id,
                    start_at=start,
                    end_at=start + timedelta(minutes=minutes),
                    room=room.id,
                    device=device.id if device is not None and suits else None,
                    staff=service.staff,
                )
            )
        return plan

    def _moved(self, known: Appointment, services: Sequence[_Service]) -> list[Place]:
        """The plan of an appointment that is known, at its new time and place."""
        wanted = {one.step for one in known.steps}
        orders = sorted({one.request for one in known.steps})
        steps = [
            step
            for order in self._orders.get_all(orders)
            for step in order.steps
            if step.id in wanted
        ]
        times = {one.step: one.start_at for one in known.steps}
        latest = max(at for at in [*times.values(), known.created_at] if at is not None)
        steps.sort(key=lambda one: (times[one.id] or latest, one.id))
        return self._plan(steps, services)


def _minutes(text: str, unit: str) -> int | None:
    text = _value(text)
    if _DURATION.fullmatch(text) is None:
        return None
    minutes = round(float(text) * _MINUTES_OF.get(unit.strip().upper(), 1.0))
    return minutes if 1 <= minutes <= 1440 else None


def _value(text: str) -> str:
    return "" if text == NULL else text.replace("\0", "").strip()
