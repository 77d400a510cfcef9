"""Appointments: booked, moved, cancelled, taken back; each call inside a transaction of the caller's.

That no resource is had twice is the database's business: `booking_once` refuses the second row,
whoever wrote the first. A row that is let in with a reason is marked as overbooked; when what was
in its way goes, it becomes an ordinary one. Steps, then resources, are locked in the order of their
numbers, so that of two clerks who want the same things one waits and neither is thrown out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.types.range import TimestamptzRange

from negatoscope.domain.orders import StepState, WorkflowKind, record
from negatoscope.domain.scheduling import _steps
from negatoscope.domain.scheduling._steps import NOT_BEGUN, SQL, Step
from negatoscope.domain.scheduling.errors import (
    BadPlan,
    NotBookable,
    NothingToUndo,
    OutsideHours,
    SlotTaken,
    StaleVersion,
    UnknownAppointment,
)
from negatoscope.domain.scheduling.hours import Interval, Openings, Rules, get_resources, merged
from negatoscope.domain.scheduling.model import (
    Appointment,
    AppointmentState,
    Happened,
    Obstacle,
    ObstacleKind,
    Place,
    Resource,
    StepShown,
)

MAX_STEPS: Final = 20
MAX_VISIT: Final = timedelta(hours=24)
UNDOABLE: Final = frozenset(
    {
        WorkflowKind.BOOKED,
        WorkflowKind.MOVED,
        WorkflowKind.APPOINTMENT_CHANGED,
        WorkflowKind.APPOINTMENT_CANCELLED,
        WorkflowKind.NO_SHOW,
    }
)
Follow = dict[int, StepState]
"""Steps whose state follows from an appointment, and what it becomes."""
_LIVE: Final = frozenset({AppointmentState.WAITING, AppointmentState.BOOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Locked:
    """An appointment while it is changed."""

    id: int
    state: AppointmentState
    patient: int
    state_reason: str
    overbooking_reason: str
    note: str
    wished: tuple[date | None, date | None]
    places: tuple[Place, ...]
    steps: Mapping[int, Step]


class Appointments:
    """The appointments of the department.

    Args:
        connection: In a transaction of the caller's.
        rules: Zone and holidays.
        source: Who changes: ``user:<name>``, ``hl7:<message id>``, ``fhir:<name>``.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], rules: Rules, *, source: str = ""
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._source = source

    # -- reading ------------------------------------------------------------------------------

    def get(self, number: int) -> Appointment:
        """One appointment.

        Raises:
            UnknownAppointment: there is none.
        """
        found = self.get_all([number])
        if not found:
            raise UnknownAppointment(f"there is no appointment {number}")
        return found[0]

    def get_all(self, numbers: Sequence[int]) -> list[Appointment]:
        """Appointments by their numbers, in order of time; missing ones are left out."""
        rows = self._connection.execute(SQL["shown"], {"ids": list(numbers)})
        return [_shown(row) for row in rows]

    def in_range(
        self,
        start_at: datetime,
        end_at: datetime,
        *,
        resources: Sequence[int] | None = None,
        limit: int = 5000,
    ) -> list[Appointment]:
        """What a calendar shows: booked, kept or not, over a range of time."""
        parameters = {
            "start_at": start_at,
            "end_at": end_at,
            "resources": None if resources is None else list(resources),
            "limit": limit,
        }
        return self.get_all(
            [row[0] for row in self._connection.execute(SQL["in_range"], parameters)]
        )

    def of_patient(self, patient: int, *, limit: int = 200) -> list[Appointment]:
        """Every appointment of a patient, by time."""
        parameters = {"patient": patient, "limit": limit}
        return self.get_all(
            [row[0] for row in self._connection.execute(SQL["of_patient"], parameters)]
        )

    def waiting(
        self, *, day: date | None = None, modality: str = "", after: int = 0, limit: int = 100
    ) -> list[Appointment]:
        """The waiting list, who waits longest first.

        Args:
            day: Only those who wish to come then, or any day.
            modality: Only those who wait for one.
            after: Number of the last one of the page before.
        """
        parameters = {"day": day, "modality": modality, "after": after, "limit": limit}
        ids = [row[0] for row in self._connection.execute(SQL["waiting"], parameters)]
        return sorted(self.get_all(ids), key=lambda one: one.id)

    def by_placer(self, placer_appointment_id: str, placer_issuer: str = "") -> int | None:
        """The appointment made elsewhere under a number."""
        parameters = {
            "placer_appointment_id": placer_appointment_id,
            "placer_issuer": placer_issuer,
        }
        row = self._connection.execute(SQL["by_placer"], parameters).fetchone()
        return None if row is None else int(row[0])

    def history(self, number: int) -> list[Happened]:
        """What happened to it, oldest first."""
        rows = self._connection.execute(SQL["history"], {"id": number})
        return [
            Happened(id=row[0], at=row[1], kind=row[2], source=row[3], detail=row[4])
            for row in rows
        ]

    # -- changing -----------------------------------------------------------------------------

    def book(
        self,
        plan: Sequence[Place],
        *,
        reason: str = "",
        note: str = "",
        placer_appointment_id: str = "",
        placer_issuer: str = "",
    ) -> int:
        """Book a visit of one patient.

        Args:
            plan: Each step's time and place.
            reason: Why it is booked although something is in the way; empty: then it is refused.
            note: For the department.
            placer_appointment_id: Number of who made it elsewhere.
            placer_issuer: Who gave it.

        Returns: The appointment's number.

        Raises:
            UnknownAppointment: a step or a resource does not exist.
            NotBookable: the order does not allow it.
            BadPlan: it does not hold together.
            Obstructed: something is in the way and no reason is given.
        """
        steps = _steps.lock(self._connection, self._checked(plan))
        _steps.check_bookable(self._connection, list(steps.values()), appointment=0)
        _steps.check_groups(self._connection, steps.values())
        patient = next(iter(steps.values())).patient
        number = self._add(
            patient,
            note=note,
            placer_appointment_id=placer_appointment_id,
            placer_issuer=placer_issuer,
        )
        fresh = _new(number, patient, steps, note=note)
        follow = self._take(fresh, plan, reason)
        self._record(
            WorkflowKind.BOOKED, fresh, before=None, after=plan, reason=reason, follow=follow
        )
        return number

    def wait(
        self,
        steps: Sequence[int],
        *,
        wished_from: date | None = None,
        wished_until: date | None = None,
        note: str = "",
    ) -> int:
        """Put steps of a patient on the waiting list.

        Returns: The appointment's number; it has no time yet.

        Raises:
            UnknownAppointment, NotBookable, BadPlan: as of `book`.
        """
        if not steps or len(steps) > MAX_STEPS or len(set(steps)) != len(steps):
            raise BadPlan(f"one to {MAX_STEPS} different steps wait together")
        _check_wish(wished_from, wished_until)
        locked = _steps.lock(self._connection, steps)
        _steps.check_bookable(self._connection, list(locked.values()), appointment=0)
        _steps.check_groups(self._connection, locked.values())
        patient = next(iter(locked.values())).patient
        number = self._add(patient, note=note, wished=(wished_from, wished_until))
        for step in steps:
            self._add_place(number, step)
        made = _new(number, patient, locked, note=note)
        self._record_for(WorkflowKind.APPOINTMENT_CHANGED, made, {"to": AppointmentState.WAITING})
        return number

    def change(
        self, number: int, *, version: int, plan: Sequence[Place], reason: str = ""
    ) -> Appointment:
        """Give an appointment other times and places, or one of the waiting list its first ones.

        Steps may be added to it and taken away from it.

        Raises:
            UnknownAppointment, NotBookable, BadPlan, Obstructed: as of `book`.
            StaleVersion: somebody changed it meanwhile.
        """
        numbers = self._checked(plan)
        before = self._lock(number, version, more_steps=numbers)
        if before.state not in _LIVE:
            raise NotBookable(
                f"appointment {number} is {before.state}", hint="book another one, or undo that."
            )
        held = {one.step for one in before.places}
        fresh = [before.steps[one] for one in numbers if one not in held]
        _steps.check_bookable(self._connection, fresh, appointment=number)
        if before.state is AppointmentState.WAITING:
            mine = [before.steps[one] for one in numbers if one in held]
            _steps.check_bookable(self._connection, mine, appointment=number)
        else:
            self._check_not_begun(before)
        if any(before.steps[one].patient != before.patient for one in numbers):
            raise BadPlan("a step belongs to another patient", hint="book an appointment for each.")
        self._release(number)
        follow = self._take(before, plan, reason)
        kind = WorkflowKind.APPOINTMENT_CHANGED
        if before.state is AppointmentState.WAITING:
            kind = WorkflowKind.BOOKED
        elif _times(before.places) != _times(plan):
            kind = WorkflowKind.MOVED
        self._record(kind, before, before=before, after=plan, reason=reason, follow=follow)
        return self.get(number)

    def move(
        self,
        number: int,
        *,
        version: int,
        start_at: datetime | None = None,
        end_at: datetime | None = None,
        put: tuple[int, int] | None = None,
        reason: str = "",
    ) -> Appointment:
        """Move a visit as a whole, lengthen or shorten it, or put it on another resource.

        Args:
            start_at: When it begins; everything moves with it.
            end_at: When it ends: its last step is made longer or shorter.
            put: A room, device or person it has, and what takes its place. A device of the new
                room is chosen when the room changes, the room of the new device when that does.

        Raises:
            UnknownAppointment, NotBookable, BadPlan, Obstructed, StaleVersion: as of `change`.
        """
        plan = list(self._places(number))
        if not plan or plan[0].start_at == plan[0].end_at:
            raise NotBookable(f"appointment {number} has no time yet", hint="book it first.")
        if start_at is not None:
            delta = start_at - min(one.start_at for one in plan)
            plan = [
                replace(one, start_at=one.start_at + delta, end_at=one.end_at + delta)
                for one in plan
            ]
        if end_at is not None:
            last = max(one.end_at for one in plan)
            plan = [replace(one, end_at=end_at) if one.end_at == last else one for one in plan]
        if put is not None:
            plan = self._put(plan, *put)
        return self.change(number, version=version, plan=plan, reason=reason)

    def set_note(
        self,
        number: int,
        *,
        version: int,
        note: str,
        wished_from: date | None = None,
        wished_until: date | None = None,
    ) -> Appointment:
        """Change the note and, on the waiting list, when somebody wishes to come.

        Raises:
            UnknownAppointment, StaleVersion: as of `change`.
            BadPlan: the wish ends before it begins.
        """
        _check_wish(wished_from, wished_until)
        before = self._lock(number, version)
        self._connection.execute(
            SQL["set_note"],
            {"id": number, "note": note, "wished_from": wished_from, "wished_until": wished_until},
        )
        self._record_for(WorkflowKind.APPOINTMENT_CHANGED, before, {"note": True})
        return self.get(number)

    def cancel(self, number: int, *, version: int, reason: str = "") -> Appointment:
        """Cancel it: its resources are free, its steps wait again.

        Raises:
            UnknownAppointment, StaleVersion: as of `change`.
            NotBookable: it is over, or an examination has begun.
        """
        before = self._lock(number, version)
        if before.state not in _LIVE:
            raise NotBookable(f"appointment {number} is {before.state} already")
        follow = self._end(before, AppointmentState.CANCELLED, reason)
        kind = WorkflowKind.APPOINTMENT_CANCELLED
        self._record(kind, before, before=before, after=(), reason=reason, follow=follow)
        return self.get(number)

    def no_show(self, number: int, *, version: int, reason: str = "") -> Appointment:
        """The patient did not come: resources are free, steps wait again.

        Raises:
            UnknownAppointment, StaleVersion, NotBookable: as of `cancel`.
        """
        before = self._lock(number, version)
        if before.state is not AppointmentState.BOOKED:
            raise NotBookable(f"appointment {number} is {before.state}")
        follow = self._end(before, AppointmentState.NOSHOW, reason)
        kind = WorkflowKind.NO_SHOW
        self._record(kind, before, before=before, after=(), reason=reason, follow=follow)
        return self.get(number)

    def undo(self, number: int, *, version: int) -> Appointment:
        """Take its last change back: what it was before, if that is still free.

        Raises:
            NothingToUndo: there is no change that was not taken back.
            UnknownAppointment, StaleVersion, NotBookable, Obstructed: as of `change`.
        """
        now = self._lock(number, version)
        happened = self.history(number)
        undone = {one.detail.get("undone") for one in happened if one.kind == WorkflowKind.UNDONE}
        last = next(
            (
                one
                for one in reversed(happened)
                if one.kind in UNDOABLE and "after" in one.detail and one.id not in undone
            ),
            None,
        )
        if last is None:
            raise NothingToUndo(f"nothing of appointment {number} can be taken back")
        before = last.detail.get("before")
        if now.state is AppointmentState.BOOKED:
            self._check_not_begun(now)
        if before is None:
            follow = self._end(now, AppointmentState.CANCELLED, "undone")
            to = str(AppointmentState.CANCELLED)
        else:
            to = str(before["state"])
            follow, now = self._restore(now, before)
        detail = {"undone": last.id, "from": now.state, "to": to}
        self._record_for(WorkflowKind.UNDONE, now, detail, follow)
        return self.get(number)

    def follow_order(self, request: int) -> list[int]:
        """Let appointments follow an order that was called off, wholly or in part.

        Returns: Appointments that changed: cancelled when nothing is left to do in them.
        """
        rows = self._connection.execute(SQL["holding_canceled"], {"request": request}).fetchall()
        for (number,) in rows:
            version = self.get(number).version
            one = self._lock(number, version)
            gone = {n for n, step in one.steps.items() if step.state is StepState.CANCELED}
            rest = [place for place in one.places if place.step not in gone]
            self._release(number)
            kind = WorkflowKind.APPOINTMENT_CHANGED if rest else WorkflowKind.APPOINTMENT_CANCELLED
            if rest:
                for step in gone:
                    row = {"id": number, "step": step}
                    self._connection.execute(SQL["remove_place"], row)
            during = None
            if one.state is AppointmentState.BOOKED:
                kept = rest or one.places
                during = (
                    min(place.start_at for place in kept),
                    max(place.end_at for place in kept),
                )
                for resource, intervals in _wanted(rest).items():
                    for interval in intervals:
                        self._book_one(number, resource, interval, reason="it had it before")
            self._set(
                number,
                one.state if rest else AppointmentState.CANCELLED,
                during=during,
                reason="" if rest else "order canceled",
                overbooking_reason=one.overbooking_reason,
            )
            self._record_for(kind, one, {"reason": "order canceled"})
        return [row[0] for row in rows]

    # -- how ----------------------------------------------------------------------------------

    def _add(
        self,
        patient: int,
        *,
        note: str = "",
        placer_appointment_id: str = "",
        placer_issuer: str = "",
        wished: tuple[date | None, date | None] = (None, None),
    ) -> int:
        row = self._connection.execute(
            SQL["add"],
            {
                "patient": patient,
                "note": note,
                "placer_appointment_id": placer_appointment_id,
                "placer_issuer": placer_issuer,
                "source": self._source,
                "wished_from": wished[0],
                "wished_until": wished[1],
            },
        ).fetchone()
        assert row is not None  # noqa: S101 - an INSERT returns its row
        return int(row[0])

    def _lock(self, number: int, version: int, *, more_steps: Sequence[int] = ()) -> _Locked:
        row = self._connection.execute(SQL["lock"], {"id": number}).fetchone()
        if row is None:
            raise UnknownAppointment(f"there is no appointment {number}")
        if row[1] != version:
            raise StaleVersion(row[1])
        places = self._places(number)
        steps = sorted({*(one.step for one in places), *more_steps})
        return _Locked(
            id=number,
            state=AppointmentState(row[2]),
            patient=row[3],
            state_reason=row[4],
            overbooking_reason=row[5],
            note=row[6],
            wished=(row[7], row[8]),
            places=places,
            steps=_steps.lock(self._connection, steps),
        )

    def _places(self, number: int) -> tuple[Place, ...]:
        """Its plan; on the waiting list beginning and end are the same and no room is known (0)."""
        rows = self._connection.execute(SQL["places"], {"id": number})
        nowhen = datetime.min.replace(tzinfo=UTC)
        return tuple(
            Place(
                step=row[0],
                start_at=row[1] or nowhen,
                end_at=row[2] or nowhen,
                room=row[3] or 0,
                device=row[4],
                staff=tuple(row[5]),
            )
            for row in rows
        )

    def _checked(self, plan: Sequence[Place]) -> list[int]:
        """The steps of a plan, in order of their numbers.

        Raises:
            BadPlan: its times or steps do not go together.
        """
        if not 1 <= len(plan) <= MAX_STEPS:
            raise BadPlan(f"an appointment has 1 to {MAX_STEPS} steps")
        numbers = sorted({one.step for one in plan})
        if len(numbers) != len(plan):
            raise BadPlan("a step is there twice")
        for one in plan:
            if one.start_at.tzinfo is None or one.end_at.tzinfo is None:
                raise BadPlan("a time has no zone")
            if one.end_at <= one.start_at:
                raise BadPlan("a step ends before it begins")
        start, end = min(one.start_at for one in plan), max(one.end_at for one in plan)
        if end - start > MAX_VISIT:
            raise BadPlan("a visit lasts 24 hours at most", hint="book two appointments.")
        return numbers

    def _check_not_begun(self, one: _Locked) -> None:
        for place in one.places:
            step = one.steps[place.step]
            if step.state not in NOT_BEGUN:
                raise NotBookable(
                    f"step {step.number} is {step.state}: it cannot be moved any more"
                )

    def _put(self, plan: Sequence[Place], old: int, new: int) -> list[Place]:
        resources = get_resources(self._connection, [new])
        if new not in resources:
            raise UnknownAppointment(f"there is no resource {new}")
        one = resources[new]
        found: list[Place] = []
        for place in plan:
            if old in place.staff:
                staff = tuple(new if person == old else person for person in place.staff)
                place = replace(place, staff=staff)
            elif old in (place.room, place.device):
                if one.kind == "ROOM":
                    place = replace(place, room=new, device=None)
                else:
                    place = replace(place, device=new, room=one.room or place.room)
            found.append(place)
        if list(plan) == found and old != new:
            raise BadPlan(f"the appointment does not have resource {old}")
        return found

    def _take(self, one: _Locked, plan: Sequence[Place], reason: str) -> Follow:
        """Write places and bookings; the appointment is BOOKED afterwards.

        Returns: What its steps become, those that it does not hold any more among them.

        Raises:
            Obstructed: something is in the way and no reason is given.
        """
        named = {n for place in plan for n in (place.room, place.device, *place.staff) if n}
        resources = get_resources(self._connection, sorted(named))
        rooms = sorted({place.room for place in plan})
        everything = resources | self._devices_of(rooms)
        self._connection.execute(SQL["lock_resources"], {"resources": sorted(everything)})
        plan = [self._completed(place, everything, one) for place in plan]
        _check_together(plan, one.steps)
        wanted = _wanted(plan)
        start = min(place.start_at for place in plan)
        end = max(place.end_at for place in plan)
        used = [everything[number] for number in wanted]
        if not reason:
            openings = Openings(self._connection, self._rules, used, start, end)
            closed = [
                obstacle
                for number, intervals in wanted.items()
                for from_, until in intervals
                for obstacle in openings.obstacles(number, from_, until)
            ]
            if closed:
                raise OutsideHours(sorted(closed, key=lambda obstacle: obstacle.start_at))
        twice = [] if reason else self._elsewhere(one, start, end)
        taken = twice or not all(
            self._book_one(one.id, number, interval, reason=reason)
            for number, intervals in wanted.items()
            for interval in intervals
        )
        if taken:
            raise SlotTaken(twice + self._in_the_way(one.id, wanted, everything))
        self._connection.execute(SQL["remove_places"], {"id": one.id})
        for place in plan:
            self._add_place(one.id, place.step, place)
            device = None if place.device is None else everything[place.device]
            _steps.place(self._connection, place, room=everything[place.room], device=device)
        self._set(one.id, AppointmentState.BOOKED, during=(start, end), overbooking_reason=reason)
        follow = {
            place.step: StepState.SCHEDULED
            for place in plan
            if one.steps[place.step].state is StepState.WAITING
        }
        gone = {place.step for place in one.places} - {place.step for place in plan}
        return follow | _waiting_again(one, gone)

    def _devices_of(self, rooms: Sequence[int]) -> dict[int, Resource]:
        rows = self._connection.execute(
            "SELECT id FROM resource WHERE kind = 'DEVICE' AND is_active AND room_fk = ANY(%s)",
            (list(rooms),),
        )
        return get_resources(self._connection, [row[0] for row in rows] + list(rooms))

    def _completed(self, place: Place, resources: Mapping[int, Resource], one: _Locked) -> Place:
        """A place with its device, checked."""
        room = resources.get(place.room)
        if room is None or room.kind != "ROOM":
            raise UnknownAppointment(f"there is no room {place.room}")
        modality = one.steps[place.step].modality
        suiting = [
            device
            for device in resources.values()
            if device.kind == "DEVICE"
            and device.room == room.id
            and device.is_active
            and (not modality or device.modality in ("", modality))
        ]
        if place.device is None:
            if modality and not suiting:
                raise BadPlan(
                    f"room {room.name} has no device of modality {modality}",
                    hint="choose another room.",
                )
            if modality:
                free = [
                    device
                    for device in suiting
                    if not self._others(one.id, device.id, (place.start_at, place.end_at))
                ]
                place = replace(place, device=(free or suiting)[0].id)
        elif place.device not in {device.id for device in suiting}:
            raise BadPlan(
                f"device {place.device} is not one for this step in room {room.name}",
                hint="choose a device of its modality that stands in the room.",
            )
        for number in (place.room, *place.staff):
            if number not in resources:
                raise UnknownAppointment(f"there is no resource {number}")
            if not resources[number].is_active:
                raise BadPlan(f"{resources[number].name} is not in use any more")
        if any(resources[number].kind != "STAFF" for number in place.staff):
            raise BadPlan("somebody who is needed is a room or a device")
        return place

    def _book_one(self, number: int, resource: int, interval: Interval, *, reason: str) -> bool:
        """Write one booking.

        Returns: Whether it is there; False when the database refused it and no reason is given.
        """
        row = {
            "id": number,
            "resource": resource,
            "start_at": interval[0],
            "end_at": interval[1],
            "is_overbooked": False,
        }
        try:
            with self._connection.transaction():
                self._connection.execute(SQL["take"], row)
        except psycopg.errors.ExclusionViolation:
            if not reason:
                return False
            self._connection.execute(SQL["take"], row | {"is_overbooked": True})
        return True

    def _release(self, number: int) -> None:
        """Free what an appointment has; overbookings that it alone stood in the way of become ordinary."""
        for resource, start_at, end_at in self._connection.execute(
            SQL["release"], {"id": number}
        ).fetchall():
            freed = {"resource": resource, "start_at": start_at, "end_at": end_at}
            for (booking,) in self._connection.execute(SQL["overbooked_over"], freed).fetchall():
                try:
                    with self._connection.transaction():
                        self._connection.execute(SQL["promote"], {"id": booking})
                except psycopg.errors.ExclusionViolation:
                    continue  # two that overlap: one of them became ordinary

    def _others(self, number: int, resource: int, interval: Interval) -> list[tuple[Any, ...]]:
        parameters = {
            "id": number,
            "resource": resource,
            "start_at": interval[0],
            "end_at": interval[1],
        }
        return self._connection.execute(SQL["in_the_way"], parameters).fetchall()

    def _in_the_way(
        self,
        number: int,
        wanted: Mapping[int, Sequence[Interval]],
        resources: Mapping[int, Resource],
    ) -> list[Obstacle]:
        found = {
            Obstacle(
                kind=ObstacleKind.APPOINTMENT,
                start_at=row[1],
                end_at=row[2],
                resource=row[0],
                name=resources[row[0]].name,
                appointment=row[3],
            )
            for resource, intervals in wanted.items()
            for interval in intervals
            for row in self._others(number, resource, interval)
        }
        return sorted(found, key=lambda one: (one.start_at, one.name))

    def _elsewhere(self, one: _Locked, start_at: datetime, end_at: datetime) -> list[Obstacle]:
        parameters = {"id": one.id, "patient": one.patient, "start_at": start_at, "end_at": end_at}
        return [
            Obstacle(kind=ObstacleKind.PATIENT, start_at=row[0], end_at=row[1], appointment=row[2])
            for row in self._connection.execute(SQL["of_the_patient"], parameters)
        ]

    def _add_place(self, number: int, step: int, place: Place | None = None) -> None:
        self._connection.execute(
            SQL["add_place"],
            {
                "id": number,
                "step": step,
                "start_at": place and place.start_at,
                "end_at": place and place.end_at,
                "room": place and place.room,
                "device": place and place.device,
                "staff": [] if place is None else list(place.staff),
            },
        )

    def _set(
        self,
        number: int,
        state: AppointmentState,
        *,
        during: Interval | None,
        reason: str = "",
        overbooking_reason: str = "",
    ) -> None:
        self._connection.execute(
            SQL["set"],
            {
                "id": number,
                "state": state,
                "state_reason": reason,
                "during": None if during is None else TimestamptzRange(*during),
                "overbooking_reason": overbooking_reason,
            },
        )

    def _end(self, one: _Locked, state: AppointmentState, reason: str) -> Follow:
        """CANCELLED or NOSHOW; the plan is kept to be shown and to be taken back."""
        during = None
        if one.state is AppointmentState.BOOKED:
            self._check_not_begun(one)
            during = (
                min(place.start_at for place in one.places),
                max(place.end_at for place in one.places),
            )
        self._release(one.id)
        self._set(
            one.id, state, during=during, reason=reason, overbooking_reason=one.overbooking_reason
        )
        held = {place.step for place in one.places}
        return _waiting_again(one, held) if one.state in _LIVE else {}

    def _restore(self, now: _Locked, before: Mapping[str, Any]) -> tuple[Follow, _Locked]:
        plan = [_place(one) for one in before["places"]]
        held = {one.step for one in now.places} if now.state in _LIVE else set()
        wanted = {one.step for one in plan}
        steps = {**now.steps, **_steps.lock(self._connection, sorted(wanted))}
        missing = [steps[one] for one in sorted(wanted - held)]
        _steps.check_bookable(self._connection, missing, appointment=now.id)
        there = replace(now, steps=steps)
        self._release(now.id)
        if before["state"] == AppointmentState.BOOKED:
            return self._take(there, plan, str(before["overbooking_reason"])), there
        self._connection.execute(SQL["remove_places"], {"id": now.id})
        for place in plan:
            self._add_place(now.id, place.step)
        self._set(now.id, AppointmentState(before["state"]), during=None)
        return _waiting_again(there, held), there

    def _record(
        self,
        kind: WorkflowKind,
        one: _Locked,
        *,
        before: _Locked | None,
        after: Sequence[Place],
        reason: str,
        follow: Follow,
    ) -> None:
        detail: dict[str, Any] = {
            "before": None
            if before is None
            else {
                "state": before.state,
                "overbooking_reason": before.overbooking_reason,
                "places": [_plain(place) for place in before.places],
            },
            "after": [_plain(place) for place in after],
            "reason": reason,
        }
        self._record_for(kind, one, detail, follow)

    def _record_for(
        self,
        kind: WorkflowKind,
        one: _Locked,
        detail: Mapping[str, Any],
        follow: Follow | None = None,
    ) -> None:
        """Let the steps follow and write the history.

        One event names the appointment. It is the one of the first step that changes its state;
        when none does, one of its own, and further orders it holds steps of have theirs.
        """
        first = True
        follow = follow or {}
        for number, to in sorted(follow.items()):
            _steps.follow(
                self._connection,
                number,
                to,
                source=self._source,
                kind=kind,
                appointment=one.id if first else None,
                detail=detail if first else {"of_appointment": one.id},
            )
            if to is StepState.WAITING:
                _steps.clear(self._connection, number)
            first = False
        told = {one.steps[number].request for number in follow}
        for request in sorted({step.request for step in one.steps.values()} - told):
            record(
                self._connection,
                kind,
                source=self._source,
                request=request,
                appointment=one.id if first else None,
                detail=detail if first else {"of_appointment": one.id},
            )
            first = False


def _new(number: int, patient: int, steps: Mapping[int, Step], *, note: str) -> _Locked:
    """An appointment that was just made."""
    return _Locked(
        id=number,
        state=AppointmentState.WAITING,
        patient=patient,
        state_reason="",
        overbooking_reason="",
        note=note,
        wished=(None, None),
        places=(),
        steps=steps,
    )


def _waiting_again(one: _Locked, steps: Iterable[int]) -> Follow:
    """Steps that lose their appointment, as far as they had a time."""
    return {
        step: StepState.WAITING
        for step in steps
        if one.steps[step].state is not StepState.WAITING and one.steps[step].state in NOT_BEGUN
    }


def _wanted(plan: Sequence[Place]) -> dict[int, list[Interval]]:
    """When each resource is needed, in order of their numbers; times that touch are one."""
    found: dict[int, list[Interval]] = {}
    for one in plan:
        for number in (one.room, one.device, *one.staff):
            if number is not None:
                found.setdefault(number, []).append((one.start_at, one.end_at))
    return {number: merged(found[number]) for number in sorted(found)}


def _times(plan: Iterable[Place]) -> set[tuple[int, datetime, datetime]]:
    return {(one.step, one.start_at, one.end_at) for one in plan}


def _check_together(plan: Sequence[Place], steps: Mapping[int, Step]) -> None:
    """What is acquired together has one time and one place."""
    seen: dict[int, Place] = {}
    for one in plan:
        group = steps[one.step].acquired_with
        if group is None:
            continue
        other = seen.setdefault(group, one)
        if replace(one, step=other.step) != other:
            raise BadPlan("steps that are acquired together have different times or places")


def _check_wish(wished_from: date | None, wished_until: date | None) -> None:
    if wished_from is not None and wished_until is not None and wished_until < wished_from:
        raise BadPlan("the wished period ends before it begins")


def _plain(place: Place) -> dict[str, Any]:
    return {
        "step": place.step,
        "start_at": place.start_at.astimezone(UTC).isoformat(),
        "end_at": place.end_at.astimezone(UTC).isoformat(),
        "room": place.room,
        "device": place.device,
        "staff": list(place.staff),
    }


def _place(plain: Mapping[str, Any]) -> Place:
    return Place(
        step=plain["step"],
        start_at=datetime.fromisoformat(plain["start_at"]),
        end_at=datetime.fromisoformat(plain["end_at"]),
        room=plain["room"],
        device=plain["device"],
        staff=tuple(plain["staff"]),
    )


def _shown(row: tuple[Any, ...]) -> Appointment:
    return Appointment(
        id=row[0],
        version=row[1],
        patient=row[2],
        state=AppointmentState(row[3]),
        state_reason=row[4],
        start_at=row[5],
        end_at=row[6],
        overbooking_reason=row[7],
        wished_from=row[8],
        wished_until=row[9],
        note=row[10],
        placer_appointment_id=row[11],
        source=row[12],
        created_at=row[13],
        updated_at=row[14],
        steps=tuple(
            StepShown(
                step=one[0],
                scheduled_procedure_step_id=one[1],
                state=one[2],
                start_at=_instant(one[3]),
                end_at=_instant(one[4]),
                room=one[5],
                device=one[6],
                staff=tuple(one[7]),
                request=one[8],
                accession_number=one[9],
                priority=one[10],
                requested_procedure=one[11],
                description=one[12],
                modality=one[13],
                duration_min=one[14],
            )
            for one in row[15]
        ),
        overbooked=tuple(row[16]),
        resources=tuple(row[17]),
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
