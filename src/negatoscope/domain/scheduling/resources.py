"""What appointments take up: rooms, the devices in them, people; and when they can be booked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.devices import ae
from negatoscope.domain.devices.errors import InvalidApplicationEntity
from negatoscope.domain.scheduling.catalogue import check_code_string, check_text
from negatoscope.domain.scheduling.catalogue_errors import (
    EntryChanged,
    EntryExists,
    EntryInUse,
    InvalidEntry,
    UnknownEntry,
)
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.scheduling.sql", "resources.sql")
MAX_LENGTHS: Final = {
    "name": 64,
    "location": 100,
    "modality": 16,
    "ae_title": 16,
    "station_name": 16,
    "profession": 40,
    "rpps": 11,
}
MAX_HOURS: Final = 200
MAX_DAYS: Final = 366
Connection = psycopg.Connection[Any]


class ResourceKind(StrEnum):
    """What it is."""

    ROOM = "ROOM"
    DEVICE = "DEVICE"
    STAFF = "STAFF"


class Shows(StrEnum):
    """Which steps the worklist of a device shows."""

    STATION = "STATION"
    """Those booked for it, and those of its modality that no device was chosen for."""
    ROOM = "ROOM"
    """Those of every device in its room."""
    MODALITY = "MODALITY"
    """Those of every device of its modality."""
    EVERYTHING = "EVERYTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """What the worklist of a device shows, whatever it asks for.

    Attributes:
        shows: Whose steps.
        modalities: Of these only; none: of any.
        days_before: How many days before today, at most.
        days_after: How many days after today, at most; None: no limit.
    """

    shows: Shows = Shows.STATION
    modalities: tuple[str, ...] = ()
    days_before: int = 1
    days_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of one weekday, in the department's zone.

    Attributes:
        weekday: ISO 8601: 1 is Monday.
        opens: The first minute.
        closes: The minute after the last; 23:59 stands for midnight.
        valid_from: The first day they hold; None: always did.
        valid_until: The last; None: until further notice.
    """

    weekday: int
    opens: time
    closes: time
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A room, a device or a person.

    Attributes:
        id: Our number; 0 before it is kept.
        kind: What it is; does not change.
        name: Once in its kind.
        location: Site, building, floor.
        room: Of a device: where it stands.
        modality: Of a device: (0008,0060).
        ae_title: Of a device: Scheduled Station AE Title (0040,0001).
        station_name: Of a device: Scheduled Station Name (0040,0010).
        profession: Of a person: ``RADIOLOGIST``, ``TECHNOLOGIST``, ``ANAESTHETIST``, ...
        rpps: Of a person: eleven digits.
        worklist_filter: Of a device.
        hours: When it can be booked; none: never.
        is_active: Whether it can be booked at all.
        version: Goes up with each change.
    """

    id: int = 0
    kind: ResourceKind
    name: str
    location: str = ""
    room: int | None = None
    modality: str = ""
    ae_title: str = ""
    station_name: str = ""
    profession: str = ""
    rpps: str = ""
    worklist_filter: WorklistFilter = field(default_factory=WorklistFilter)
    hours: tuple[Hours, ...] = ()
    is_active: bool = True
    version: int = field(default=1, compare=False)


class Resources:
    """Rooms, devices, people.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def every(
        self, *, kind: ResourceKind | None = None, is_active: bool | None = None
    ) -> list[Resource]:
        """Rooms, then devices, then people, by name."""
        return self._find(kind=kind, is_active=is_active)

    def get(self, number: int) -> Resource:
        """A resource by our number.

        Raises:
            UnknownEntry: there is none.
        """
        found = self._find(ids=[number])
        if not found:
            raise UnknownEntry(f"there is no resource {number}")
        return found[0]

    def find(self, kind: ResourceKind, name: str) -> Resource | None:
        """A resource by its name."""
        found = self._find(kind=kind, name=name)
        return found[0] if found else None

    def add(self, resource: Resource) -> Resource:
        """Keep a new resource, its hours too.

        Raises:
            InvalidEntry: a value cannot be used.
            EntryExists: another one has that name or AE title.
        """
        wanted = self._checked(resource)
        try:
            with self._connection.transaction():
                row = self._connection.execute(SQL["insert"], _values(wanted)).fetchone()
        except psycopg.errors.UniqueViolation as error:
            raise _taken(error) from error
        assert row is not None  # noqa: S101 - an INSERT returns its row
        self._write_hours(int(row[0]), wanted.hours)
        return self.get(int(row[0]))

    def change(self, resource: Resource) -> Resource:
        """Replace what is known of a resource; its hours stay.

        Args:
            resource: With the number, and the version that was read.

        Raises:
            InvalidEntry: a value cannot be used, or it would become something else.
            UnknownEntry: there is none of that number.
            EntryChanged: somebody changed it since.
            EntryExists: another one has that name or AE title.
        """
        wanted = self._checked(resource)
        values = _values(wanted) | {"id": wanted.id, "version": wanted.version}
        try:
            with self._connection.transaction():
                row = self._connection.execute(SQL["update"], values).fetchone()
        except psycopg.errors.UniqueViolation as error:
            raise _taken(error) from error
        if row is None:
            if self.get(wanted.id).kind != wanted.kind:
                raise InvalidEntry("a resource does not change its kind", hint="add a new one.")
            raise self._stale(wanted.id)
        return self.get(wanted.id)

    def set_hours(self, number: int, hours: Sequence[Hours], *, version: int) -> Resource:
        """Replace the hours in which a resource can be booked. What is booked already stays.

        Raises:
            InvalidEntry: hours of one day overlap, or end before they begin.
            UnknownEntry: there is none of that number.
            EntryChanged: somebody changed it since.
        """
        wanted = checked_hours(hours)
        row = self._connection.execute(SQL["touch"], {"id": number, "version": version}).fetchone()
        if row is None:
            raise self._stale(number)
        self._write_hours(number, wanted)
        return self.get(number)

    def remove(self, number: int, *, version: int) -> None:
        """Forget a resource.

        Raises:
            UnknownEntry: there is none of that number.
            EntryChanged: somebody changed it since.
            EntryInUse: appointments, devices or procedures name it; make it inactive instead.
        """
        try:
            with self._connection.transaction():
                row = self._connection.execute(
                    SQL["remove"], {"id": number, "version": version}
                ).fetchone()
        except psycopg.errors.ForeignKeyViolation as error:
            raise EntryInUse(
                "appointments, devices or procedures name this resource",
                hint="make it inactive: it is booked no more.",
            ) from error
        if row is None:
            raise self._stale(number)

    # -- inside -------------------------------------------------------------------------------

    def _find(self, **conditions: object) -> list[Resource]:
        parameters: dict[str, object] = dict.fromkeys(("ids", "kind", "name", "is_active"))
        rows = self._connection.execute(SQL["search"], parameters | conditions)
        return [_resource(row) for row in rows]

    def _stale(self, number: int) -> EntryChanged:
        self.get(number)
        return EntryChanged(
            "somebody changed this resource meanwhile", hint="read it again, then change it."
        )

    def _write_hours(self, number: int, hours: Sequence[Hours]) -> None:
        self._connection.execute(SQL["forget_hours"], {"id": number})
        self._connection.execute(
            SQL["insert_hours"],
            {
                "id": number,
                "weekdays": [one.weekday for one in hours],
                "opens": [one.opens for one in hours],
                "closes": [one.closes for one in hours],
                "valid_from": [one.valid_from for one in hours],
                "valid_until": [one.valid_until for one in hours],
            },
        )

    def _checked(self, resource: Resource) -> Resource:
        wanted = checked(resource)
        if wanted.room is not None and self.get(wanted.room).kind is not ResourceKind.ROOM:
            raise InvalidEntry("a device stands in a room", hint="choose among the rooms.")
        return wanted


def checked(resource: Resource) -> Resource:
    """A resource as it is kept: texts without spaces around, nothing that its kind has not.

    Raises:
        InvalidEntry: a value is missing, too long, or of another kind.
    """
    texts = {name: getattr(resource, name).strip() for name in MAX_LENGTHS}
    for name, text in texts.items():
        check_text(name, text, MAX_LENGTHS[name])
    if not texts["name"]:
        raise InvalidEntry("name is missing")
    texts["modality"] = texts["modality"].upper()
    texts["profession"] = texts["profession"].upper()
    check_code_string("modality", texts["modality"])
    check_code_string("profession", texts["profession"])
    _only(resource.kind, ResourceKind.DEVICE, texts, "modality", "ae_title", "station_name")
    _only(resource.kind, ResourceKind.STAFF, texts, "profession", "rpps")
    if resource.room is not None and resource.kind is not ResourceKind.DEVICE:
        raise InvalidEntry("only a device stands in a room")
    if texts["ae_title"]:
        try:
            texts["ae_title"] = ae.normal_title(texts["ae_title"])
        except InvalidApplicationEntity as error:
            raise InvalidEntry(error.message, hint=error.hint) from error
    if texts["rpps"] and not (len(texts["rpps"]) == 11 and texts["rpps"].isdigit()):
        raise InvalidEntry("rpps is not eleven digits")
    shown = resource.worklist_filter
    if not 0 <= shown.days_before <= MAX_DAYS or not 0 <= (shown.days_after or 0) <= MAX_DAYS:
        raise InvalidEntry(f"the worklist filter spans more than {MAX_DAYS} days")
    modalities = tuple(sorted({one.strip().upper() for one in shown.modalities} - {""}))
    for one in modalities:
        check_code_string("modality", one)
        check_text("modality", one, 16)
    return replace(
        resource,
        **texts,
        worklist_filter=replace(shown, modalities=modalities),
        hours=checked_hours(resource.hours),
    )


def checked_hours(hours: Sequence[Hours]) -> tuple[Hours, ...]:
    """Hours in their order.

    Raises:
        InvalidEntry: hours that hold at once overlap, or end before they begin.
    """
    if len(hours) > MAX_HOURS:
        raise InvalidEntry(f"more than {MAX_HOURS} lines of opening hours")
    ordered = tuple(
        sorted(hours, key=lambda one: (one.weekday, one.opens, one.valid_from or date.min))
    )
    for one in ordered:
        if not 1 <= one.weekday <= 7:
            raise InvalidEntry("weekday is not between 1 and 7", hint="1 is Monday.")
        if one.closes <= one.opens:
            raise InvalidEntry(
                "opening hours end before they begin",
                hint="a night is two lines: until 23:59, and from 00:00 of the next day.",
            )
        if (one.valid_until or date.max) < (one.valid_from or date.min):
            raise InvalidEntry("opening hours end to be valid before they begin to")
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if one.weekday != other.weekday or other.opens >= one.closes:
                continue
            if (one.valid_from or date.min) <= (other.valid_until or date.max) and (
                other.valid_from or date.min
            ) <= (one.valid_until or date.max):
                raise InvalidEntry(
                    f"opening hours of weekday {one.weekday} overlap", hint="join the two lines."
                )
    return ordered


def _only(kind: ResourceKind, of: ResourceKind, texts: dict[str, str], *names: str) -> None:
    for name in names:
        if texts[name] and kind is not of:
            raise InvalidEntry(f"{name} belongs to a {of.value.lower()}, this is none")


def _taken(error: psycopg.errors.UniqueViolation) -> EntryExists:
    if error.diag.constraint_name == "resource_ae_title":
        return EntryExists("another active device has that AE title", hint="one title, one device.")
    return EntryExists("another resource of that kind has that name", hint="choose another.")


def _values(wanted: Resource) -> dict[str, object]:
    shown = wanted.worklist_filter
    names = ("kind", "room", "is_active", *MAX_LENGTHS)
    filters = {
        "shows": str(shown.shows),
        "modalities": list(shown.modalities),
        "days_before": shown.days_before,
        "days_after": shown.days_after,
    }
    kept = filters if wanted.kind is ResourceKind.DEVICE else {}
    return {name: getattr(wanted, name) for name in names} | {"worklist_filter": Jsonb(kept)}


def _resource(row: tuple[Any, ...]) -> Resource:
    return Resource(
        id=row[0],
        kind=ResourceKind(row[1]),
        name=row[2],
        location=row[3],
        room=row[4],
        modality=row[5],
        ae_title=row[6],
        station_name=row[7],
        profession=row[8],
        rpps=row[9],
        worklist_filter=worklist_filter(row[10]),
        is_active=row[11],
        version=row[12],
        hours=tuple(
            Hours(
                weekday=weekday,
                opens=time.fromisoformat(opens),
                closes=time.fromisoformat(closes),
                valid_from=None if since is None else date.fromisoformat(since),
                valid_until=None if until is None else date.fromisoformat(until),
            )
            for weekday, opens, closes, since, until in row[13]
        ),
    )


def worklist_filter(kept: dict[str, Any]) -> WorklistFilter:
    """The column ``worklist_filter``; what is absent is as by default."""
    default = WorklistFilter()
    return WorklistFilter(
        shows=Shows(kept.get("shows", default.shows)),
        modalities=tuple(kept.get("modalities", ())),
        days_before=kept.get("days_before", default.days_before),
        days_after=kept.get("days_after", default.days_after),
    )
