"""The next free slots for a visit of one or several steps.

A resource's time is one long integer, a bit for each five minutes that it is free. "Free for twenty
minutes from here" is then a few shifts, "in this room and on that device" an AND, "and the next
step right after it" another shift. A search over thirty rooms, their devices and two months with a
hundred thousand bookings reads each of these once and takes some 40 ms, most of it in PostgreSQL.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import permutations
from typing import Any, Final

import numpy as np
import psycopg

from negatoscope.domain.scheduling.errors import BadPlan, UnknownAppointment
from negatoscope.domain.scheduling.hours import Interval, Openings, Rules, get_resources
from negatoscope.domain.scheduling.model import Resource
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "slots.sql")
UNIT: Final = timedelta(minutes=5)
"""Slots begin at multiples of it; what is booked otherwise takes up all units that it touches."""
_POSTGRES_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
MAX_DAYS: Final = 366
MAX_WANTED: Final = 6
_MAX_ORDERED: Final = 4
"""Up to so many steps are tried in every order."""


class HalfDay(StrEnum):
    """Before or after noon, by the department's clocks."""

    MORNING = "AM"
    AFTERNOON = "PM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One step that needs a slot.

    Attributes:
        rooms: Where it can be done, the one that is preferred first.
        modality: Of the device it needs; empty: a room is enough.
        step: Row, if it is one already.
        procedure: Row of catalogue_procedure, if it is one.
        wished_room: Where a radiologist wants it: looked at before all others.
    """

    duration_min: int
    rooms: tuple[int, ...]
    modality: str
    step: int | None = None
    procedure: int | None = None
    wished_room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlace:
    """Where and when one step would be done; ``wanted`` is its place in the question."""

    wanted: int
    step: int | None
    procedure: int | None
    start_at: datetime
    end_at: datetime
    room: int
    device: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A visit that could be booked."""

    start_at: datetime
    end_at: datetime
    places: tuple[SlotPlace, ...]
    is_preferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for.

    Attributes:
        wanted: The steps of the visit.
        earliest: Not before.
        days: How far ahead.
        weekdays: Preferred ones, ISO: 1 is Monday; none: all.
        half_day: The preferred one.
        rooms: Only in these; none: wherever it can be done.
        max_wait_min: Between two steps of the visit.
        ignore: An appointment that is to be moved: its own time counts as free.
        limit: Slots at most.
    """

    wanted: Sequence[Wanted]
    earliest: datetime
    days: int = 60
    weekdays: Sequence[int] = ()
    half_day: HalfDay | None = None
    rooms: Sequence[int] = ()
    max_wait_min: int = 30
    ignore: int | None = None
    limit: int = 10


def wanted_steps(connection: psycopg.Connection[Any], steps: Sequence[int]) -> list[Wanted]:
    """What steps need.

    Raises:
        UnknownAppointment: one does not exist.
    """
    rows = connection.execute(SQL["wanted_steps"], {"steps": list(steps)}).fetchall()
    found = {row[0]: row for row in rows}
    for number in steps:
        if number not in found:
            raise UnknownAppointment(f"there is no step {number}")
    return [
        Wanted(
            step=number,
            procedure=found[number][1],
            duration_min=found[number][2],
            modality=found[number][3],
            rooms=tuple(found[number][4]),
            wished_room=found[number][5],
        )
        for number in steps
    ]


def wanted_procedures(
    connection: psycopg.Connection[Any], procedures: Sequence[int]
) -> list[Wanted]:
    """What procedures of the catalogue need.

    Raises:
        UnknownAppointment: one does not exist.
    """
    rows = connection.execute(
        SQL["wanted_procedures"], {"procedures": sorted(set(procedures))}
    ).fetchall()
    found = {row[0]: row for row in rows}
    for number in procedures:
        if number not in found:
            raise UnknownAppointment(f"there is no procedure {number}")
    return [
        Wanted(
            procedure=number,
            duration_min=found[number][1],
            modality=found[number][2],
            rooms=tuple(found[number][3]),
        )
        for number in procedures
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStep:
    """A step that has no appointment and no place on the waiting list."""

    step: int
    scheduled_procedure_step_id: str
    modality: str
    description: str
    duration_min: int
    vetting: str
    requested_procedure: int
    catalogue_procedure: int | None
    request: int
    accession_number: str
    priority: str
    request_state: str
    patient: int
    wished_at: datetime | None
    ordered_at: datetime


def waiting_steps(
    connection: psycopg.Connection[Any],
    *,
    patient: int | None = None,
    request: int | None = None,
    modality: str = "",
    after: int = 0,
    limit: int = 100,
) -> list[WaitingStep]:
    """What remains to be booked, oldest first; what may not be booked yet is among it.

    Args:
        patient: Only of one.
        request: Only of one order.
        modality: Only of one.
        after: Number of the last one of the page before.
    """
    parameters = {
        "patient": patient,
        "request": request,
        "modality": modality,
        "after": after,
        "limit": limit,
    }
    names = [one.name for one in fields(WaitingStep)]
    return [
        WaitingStep(**dict(zip(names, row, strict=True)))
        for row in connection.execute(SQL["waiting_steps"], parameters)
    ]


def search(connection: psycopg.Connection[Any], rules: Rules, question: Question) -> list[Slot]:
    """The earliest slots, preferred ones first.

    Raises:
        BadPlan: nothing, or too much, is asked for.
    """
    if not 1 <= len(question.wanted) <= MAX_WANTED:
        raise BadPlan(f"a visit of 1 to {MAX_WANTED} steps is looked for")
    if not 1 <= question.days <= MAX_DAYS:
        raise BadPlan(f"1 to {MAX_DAYS} days are looked through")
    return _Search(connection, rules, question).slots()


@dataclass(frozen=True, slots=True)
class _Pair:
    """A room, and the device in it that is used."""

    room: int
    device: int | None
    starts: int
    """Bits at which it is free for as long as the step takes."""


class _Search:
    def __init__(
        self, connection: psycopg.Connection[Any], rules: Rules, question: Question
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._question = question
        self._origin = _ceil(question.earliest)
        last = rules.day_of(self._origin) + timedelta(days=question.days)
        self._end = rules.at(last).astimezone(UTC)
        self._units = (self._end - self._origin) // UNIT
        self._free: dict[int, int] = {}
        self._lengths = [-(-one.duration_min // 5) for one in question.wanted]
        self._pairs = self._load()

    # -- what is free -------------------------------------------------------------------------

    def _load(self) -> list[list[_Pair]]:
        everything = get_resources(self._connection)
        devices: dict[int, list[Resource]] = {}
        for one in everything.values():
            if one.kind == "DEVICE" and one.room is not None:
                devices.setdefault(one.room, []).append(one)
        only = set(self._question.rooms)
        pairs: list[list[tuple[int, int | None]]] = []
        for wanted in self._question.wanted:
            rooms = wanted.rooms or tuple(
                one.id
                for one in everything.values()
                if one.kind == "ROOM"
                and (not wanted.modality or _having(devices, one.id, wanted.modality))
            )
            if wanted.wished_room is not None:
                rooms = (wanted.wished_room, *(one for one in rooms if one != wanted.wished_room))
            found: list[tuple[int, int | None]] = []
            for room in rooms:
                if room not in everything or (only and room not in only):
                    continue
                if wanted.modality:
                    found += [(room, d.id) for d in _having(devices, room, wanted.modality)]
                else:
                    found.append((room, None))
            pairs.append(found)
        needed = {n for found in pairs for pair in found for n in pair if n is not None}
        self._look([everything[number] for number in sorted(needed)])
        return [
            [
                _Pair(room, device, _starts(self._both(room, device), length))
                for room, device in found
            ]
            for found, length in zip(pairs, self._lengths, strict=True)
        ]

    def _both(self, room: int, device: int | None) -> int:
        return self._free[room] if device is None else self._free[room] & self._free[device]

    def _look(self, resources: Sequence[Resource]) -> None:
        openings = Openings(self._connection, self._rules, resources, self._origin, self._end)
        known: dict[tuple[Interval, ...], int] = {}
        for one in resources:
            bookable = tuple(openings.bookable(one.id))
            if bookable not in known:
                known[bookable] = self._inside(bookable)
            self._free[one.id] = known[bookable]
        rows = self._connection.execute(
            SQL["taken"],
            {
                "resources": [one.id for one in resources],
                "start_at": self._origin,
                "end_at": self._end,
                "ignore": self._question.ignore or 0,
            },
        )
        for resource, sent in rows:
            self._free[resource] &= ~self._touched(sent)

    def _inside(self, intervals: Iterable[Interval]) -> int:
        """Units that lie wholly in an interval."""
        mask = 0
        for start, end in intervals:
            first = max(0, -((self._origin - start) // UNIT))
            last = min(self._units, (end - self._origin) // UNIT)
            if last > first:
                mask |= _ones(first, last)
        return mask

    def _touched(self, sent: bytes) -> int:
        """Units in which something is booked.

        Args:
            sent: Begin and end of each booking as PostgreSQL sends instants: microseconds since
                2000, 64 bits, big-endian.
        """
        edges = np.frombuffer(sent, dtype=">i8").astype(np.int64).reshape(-1, 2)
        origin = (self._origin - _POSTGRES_EPOCH) // timedelta(microseconds=1)
        unit = UNIT // timedelta(microseconds=1)
        first = np.clip((edges[:, 0] - origin) // unit, 0, self._units)
        last = np.clip(-((origin - edges[:, 1]) // unit), 0, self._units)
        count = self._units + 1
        steps = np.bincount(first, minlength=count) - np.bincount(last, minlength=count)
        taken = np.cumsum(steps)[: self._units] > 0
        return int.from_bytes(np.packbits(taken, bitorder="little").tobytes(), "little")

    # -- what fits together -------------------------------------------------------------------

    def slots(self) -> list[Slot]:
        wait = self._question.max_wait_min // 5
        count = len(self._lengths)
        straight = tuple(range(count))
        orders = [straight]
        if 1 < count <= _MAX_ORDERED:
            orders += [one for one in permutations(straight) if one != straight]
        chains = [(order, self._chain(order, wait)) for order in orders]
        preferred = self._preferred()
        found: list[Slot] = []
        for is_preferred in (True, False):
            allowed = preferred if is_preferred else ~preferred
            everywhere = 0
            for _, (first, *_) in chains:
                everywhere |= first
            found += self._take(everywhere & allowed, chains, is_preferred, len(found))
        return found

    def _chain(self, order: Sequence[int], wait: int) -> list[int]:
        """For each step in its order: where it can begin so that all after it fit."""
        after: int | None = None
        masks: list[int] = []
        for number in reversed(order):
            mask = 0
            for pair in self._pairs[number]:
                mask |= pair.starts
            if after is not None:
                mask &= _reach(after, wait) >> self._lengths[number]
            masks.append(mask)
            after = mask
        return masks[::-1]

    def _take(
        self,
        mask: int,
        chains: Sequence[tuple[tuple[int, ...], list[int]]],
        is_preferred: bool,
        count: int,
    ) -> list[Slot]:
        """The first visits of a mask of beginnings; a proposal does not overlap the one before."""
        found: list[Slot] = []
        length = sum(self._lengths)
        while mask and count + len(found) < self._question.limit:
            at = (mask & -mask).bit_length() - 1
            order, masks = next(one for one in chains if one[1][0] >> at & 1)
            found.append(self._slot(at, order, masks, is_preferred))
            mask = mask >> (at + length) << (at + length)
        return found

    def _slot(
        self, at: int, order: Sequence[int], masks: Sequence[int], is_preferred: bool
    ) -> Slot:
        places: list[SlotPlace] = []
        previous: int | None = None
        for position, number in enumerate(order):
            if position:
                later = masks[position] >> at
                at += (later & -later).bit_length() - 1
            here = [pair for pair in self._pairs[number] if pair.starts >> at & 1]
            pair = next((one for one in here if one.room == previous), here[0])
            previous = pair.room
            wanted = self._question.wanted[number]
            start = self._origin + at * UNIT
            places.append(
                SlotPlace(
                    wanted=number,
                    step=wanted.step,
                    procedure=wanted.procedure,
                    start_at=start,
                    end_at=start + timedelta(minutes=wanted.duration_min),
                    room=pair.room,
                    device=pair.device,
                )
            )
            at += self._lengths[number]
        return Slot(
            start_at=places[0].start_at,
            end_at=places[-1].end_at,
            places=tuple(places),
            is_preferred=is_preferred,
        )

    def _preferred(self) -> int:
        """Units in which a visit would best begin."""
        if not self._question.weekdays and self._question.half_day is None:
            return _ones(0, self._units)
        spans: list[Interval] = []
        for day in self._days():
            if self._question.weekdays and day.isoweekday() not in self._question.weekdays:
                continue
            from_ = 720 if self._question.half_day is HalfDay.AFTERNOON else 0
            until = 720 if self._question.half_day is HalfDay.MORNING else 1440
            spans.append((self._rules.at(day, from_), self._rules.at(day, until)))
        return self._inside(spans)

    def _days(self) -> Iterator[date]:
        yield from self._rules.days(self._origin, self._end)


def _having(devices: dict[int, list[Resource]], room: int, modality: str) -> list[Resource]:
    return [one for one in devices.get(room, ()) if one.modality in ("", modality)]


def _ceil(at: datetime) -> datetime:
    seconds = UNIT.total_seconds()
    return datetime.fromtimestamp(-(-at.timestamp() // seconds) * seconds, UTC)


def _ones(first: int, last: int) -> int:
    return ((1 << (last - first)) - 1) << first


def _starts(free: int, length: int) -> int:
    """Bits from which on ``length`` units are free."""
    have = 1
    while have < length and free:
        more = min(have, length - have)
        free &= free >> more
        have += more
    return free


def _reach(mask: int, wait: int) -> int:
    """Bits from which on one of the mask comes within ``wait`` units."""
    have = 1
    while have < wait + 1 and mask:
        more = min(have, wait + 1 - have)
        mask |= mask >> more
        have += more
    return mask
