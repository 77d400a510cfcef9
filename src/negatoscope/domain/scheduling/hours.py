"""When resources can be booked: weekly hours, public holidays, downtime.

A room without hours can never be booked. A device without hours of its own can be when its room
can, a person without hours whenever they are needed. Hours are local time of the department and
are turned into instants day by day, so a day on which the clocks change has 23 or 25 of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.scheduling.holidays import public_holidays
from negatoscope.domain.scheduling.model import Closure, Holiday, Obstacle, ObstacleKind, Resource
from negatoscope.infra.db import load_queries
from negatoscope.infra.settings import Settings

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "hours.sql")
_DAY: Final = timedelta(days=1)
Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for the whole department.

    Attributes:
        zone: Of its clocks.
        holidays: Region whose public holidays are kept.
    """

    zone: ZoneInfo
    holidays: str = "FR"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say."""
        return cls(zone=ZoneInfo(settings.time_zone), holidays=settings.public_holidays)

    def at(self, day: date, minutes: int = 0) -> datetime:
        """The instant of a local time.

        Args:
            day: Local day.
            minutes: Of the wall clock since midnight; 1440 is the next midnight. A time that the
                clocks skip is taken as if they had not been changed yet.
        """
        more, minutes = divmod(minutes, 1440)
        wall = time(minutes // 60, minutes % 60)
        return datetime.combine(day + more * _DAY, wall, self.zone).astimezone(UTC)

    def day_of(self, at: datetime) -> date:
        """The local day of an instant."""
        return at.astimezone(self.zone).date()

    def days(self, first: datetime, last: datetime) -> list[date]:
        """Local days that an interval touches; ``last`` is not in it."""
        day, end = self.day_of(first), self.day_of(last - timedelta(microseconds=1))
        return [day + number * _DAY for number in range((end - day).days + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    weekday: int
    opens: int
    closes: int
    valid_from: date | None
    valid_until: date | None

    def holds(self, day: date) -> bool:
        return (
            day.isoweekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


class Openings:
    """Hours and closures of some resources over a range of time, read once.

    Args:
        connection: Where they are.
        rules: Of the department.
        resources: Which.
        start_at: From when.
        end_at: Until when.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        rules: Rules,
        resources: Sequence[Resource],
        start_at: datetime,
        end_at: datetime,
    ) -> None:
        self._rules = rules
        self._range = (start_at, end_at)
        self._resources = {one.id: one for one in resources}
        rooms = {one.room for one in resources if one.room is not None}
        ids = sorted({*self._resources, *rooms})
        self._hours: dict[int, list[_Hours]] = {}
        for row in connection.execute(SQL["opening_hours"], {"resources": ids}):
            hours = _Hours(
                weekday=row[1], opens=row[2], closes=row[3], valid_from=row[4], valid_until=row[5]
            )
            self._hours.setdefault(row[0], []).append(hours)
        self._downtime: dict[int | None, list[Closure]] = {}
        parameters = {"resources": ids, "start_at": start_at, "end_at": end_at}
        for row in connection.execute(SQL["downtime_of"], parameters):
            closure = Closure(
                start_at=row[1],
                end_at=row[2],
                kind=ObstacleKind(row[3]),
                reason=row[4],
                downtime=row[5],
            )
            self._downtime.setdefault(row[0], []).append(closure)
        days = rules.days(start_at, end_at)
        self._days = days
        self.holidays: list[Holiday] = (
            public_holidays(rules.holidays, days[0], days[-1]) if days else []
        )
        self._holiday_closures = [
            Closure(
                start_at=rules.at(one.day),
                end_at=rules.at(one.day + _DAY),
                kind=ObstacleKind.HOLIDAY,
                reason=one.name_fr,
            )
            for one in self.holidays
        ]
        self._open: dict[tuple[_Hours, ...], list[Interval]] = {}

    def _hours_of(self, resource: int) -> list[_Hours] | None:
        """None: no hours hold for it."""
        own = self._hours.get(resource)
        one = self._resources[resource]
        if own is not None:
            return own
        if one.kind == "STAFF":
            return None
        if one.kind == "DEVICE" and one.room is not None:
            return self._hours.get(one.room, [])
        return []

    def open(self, resource: int) -> list[Interval]:
        """Weekly hours as instants, within the range, in order, none touching another."""
        hours = self._hours_of(resource)
        if hours is None:
            return [self._range]
        key = tuple(hours)
        if key not in self._open:
            self._open[key] = merged(
                (self._rules.at(day, one.opens), self._rules.at(day, one.closes))
                for day in self._days
                for one in hours
                if one.holds(day)
            )
        return [
            (max(start, self._range[0]), min(end, self._range[1]))
            for start, end in self._open[key]
            if start < self._range[1] and end > self._range[0]
        ]

    def closed(self, resource: int) -> list[Closure]:
        """Holidays and downtime, in order of time; they may overlap."""
        one = self._resources[resource]
        found = [*self._downtime.get(None, ()), *self._downtime.get(resource, ())]
        if not (one.kind == "STAFF" and resource not in self._hours):
            found += self._holiday_closures
        return sorted(found, key=lambda one: (one.start_at, one.end_at))

    def bookable(self, resource: int) -> list[Interval]:
        """When it can be booked, as far as hours, holidays and downtime go."""
        return without(
            self.open(resource), [(one.start_at, one.end_at) for one in self.closed(resource)]
        )

    def obstacles(self, resource: int, start_at: datetime, end_at: datetime) -> list[Obstacle]:
        """What of this stands in the way of a time."""
        name = self._resources[resource].name
        found = [
            Obstacle(
                kind=one.kind,
                start_at=one.start_at,
                end_at=one.end_at,
                resource=resource,
                name=name,
                reason=one.reason,
            )
            for one in self.closed(resource)
            if one.start_at < end_at and one.end_at > start_at
        ]
        found += [
            Obstacle(
                kind=ObstacleKind.CLOSED, start_at=start, end_at=end, resource=resource, name=name
            )
            for start, end in without([(start_at, end_at)], self.open(resource))
        ]
        return sorted(found, key=lambda one: (one.start_at, one.end_at))


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals in order, those that touch or overlap joined."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What remains of intervals when others are taken away."""
    away = merged(taken)
    found: list[Interval] = []
    for start, end in merged(intervals):
        at = start
        for from_, until in away:
            if until <= at:
                continue
            if from_ >= end:
                break
            if from_ > at:
                found.append((at, from_))
            at = max(at, until)
        if at < end:
            found.append((at, end))
    return found


def get_resources(
    connection: psycopg.Connection[Any], ids: Sequence[int] | None = None
) -> dict[int, Resource]:
    """Resources by their number; all active ones when none are named."""
    rows = connection.execute(SQL["resources"], {"ids": None if ids is None else list(ids)})
    return {
        row[0]: Resource(
            id=row[0],
            kind=row[1],
            name=row[2],
            location=row[3],
            room=row[4],
            modality=row[5],
            ae_title=row[6],
            station_name=row[7],
            is_active=row[8],
        )
        for row in rows
    }


def taken(
    connection: psycopg.Connection[Any], resource: int, start: datetime, end: datetime
) -> list[Interval]:
    """When a resource is had between two instants, whatever has it."""
    values = {"resource": resource, "start_at": start, "end_at": end}
    return merged((row[0], row[1]) for row in connection.execute(SQL["taken"], values))
