"""The catalogue, the resources and their hours as CSV: out, and in after a look at what changes.

Files have a line of column names. A column that is absent leaves that value alone; an unknown one is
refused. Several values of one cell are parted by ``|``. Semicolon, comma or tab; UTF-8, or what French
spreadsheets write without saying so (windows-1252).
"""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from typing import Any, Final, TypeVar

import psycopg

from negatoscope.domain.scheduling import ccam
from negatoscope.domain.scheduling.catalogue import (
    Catalogue,
    Contrast,
    Procedure,
    ProtocolCode,
    SafetyQuestion,
)
from negatoscope.domain.scheduling.catalogue_errors import (
    CatalogueError,
    InvalidEntry,
    UnreadableFile,
)
from negatoscope.domain.scheduling.resources import (
    Hours,
    Resource,
    ResourceKind,
    Resources,
    Shows,
    WorklistFilter,
)
from negatoscope.kit.cells import guarded, unguarded

MAX_BYTES: Final = 8_000_000
MAX_LINES: Final = 50_000
_TRUE: Final = frozenset({"1", "yes", "true", "oui", "vrai", "x"})
_FALSE: Final = frozenset({"0", "no", "false", "non", "faux", ""})
Connection = psycopg.Connection[Any]
_E = TypeVar("_E", bound=StrEnum)


class FileKind(StrEnum):
    """What a file holds."""

    PROCEDURES = "PROCEDURES"
    RESOURCES = "RESOURCES"
    OPENING_HOURS = "OPENING_HOURS"
    CCAM = "CCAM"
    """The table that the French health insurance publishes; its imaging acts come in, inactive."""


class Effect(StrEnum):
    """What a line does."""

    NEW = "NEW"
    CHANGED = "CHANGED"
    SAME = "SAME"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What becomes of a line.

    Attributes:
        line: Its number in the file, the line of names is 1.
        key: Code, or kind and name.
        effect: What it does.
        changes: Columns to what they were and what they become.
        error: Why it cannot be taken.
    """

    line: int
    key: str
    effect: Effect
    changes: Mapping[str, tuple[str, str]]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of a file.

    Attributes:
        kind: What it holds.
        lines: Of every line.
        is_applied: Whether it was done.
    """

    kind: FileKind
    lines: Sequence[LineResult]
    is_applied: bool

    def count(self, effect: Effect) -> int:
        """How many lines do that."""
        return sum(one.effect is effect for one in self.lines)


PROCEDURE_COLUMNS: Final = (
    *("code_value", "coding_scheme_designator", "label_fr", "label_en", "modality"),
    *("body_part_examined", "duration_min", "contrast", "contrast_agent", "safety_questions"),
    *("needs_vetting", "preparation_fr", "preparation_en", "protocols", "rooms", "default_room"),
    "is_active",
)
RESOURCE_COLUMNS: Final = (
    *("kind", "name", "location", "room", "modality", "ae_title", "station_name", "profession"),
    *("rpps", "worklist_shows", "worklist_modalities", "worklist_days_before"),
    *("worklist_days_after", "is_active"),
)
HOURS_COLUMNS: Final = ("kind", "name", "weekday", "opens", "closes", "valid_from", "valid_until")


def decode(content: bytes) -> str:
    """A file as text.

    Raises:
        UnreadableFile: it is too long or no text.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"the file has more than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise UnreadableFile("the file is no text", hint="save the sheet as CSV, UTF-8.")
    return text


def load(connection: Connection, kind: FileKind, text: str, *, apply: bool) -> Plan:
    """Look what a file would change, and change it.

    Either every line without error is carried out or, when one has an error, none.

    Args:
        connection: In a transaction of the caller's.
        kind: What the file holds.
        text: As `decode` gives it.
        apply: Carry it out; otherwise nothing stays.

    Raises:
        UnreadableFile: no lines, or columns that are not known.
    """
    readers: Mapping[FileKind, Callable[[Connection], _Loader]] = {
        FileKind.PROCEDURES: _Procedures,
        FileKind.RESOURCES: _Resources,
        FileKind.OPENING_HOURS: _OpeningHours,
        FileKind.CCAM: _Acts,
    }
    reader = readers[kind](connection)
    if "\0" in text:
        raise UnreadableFile("the file is no text", hint="save the sheet as CSV, UTF-8.")
    lines: list[LineResult] = []
    is_applied = False
    with connection.transaction() as transaction:
        lines = reader.load(text)
        is_applied = apply and not any(one.effect is Effect.ERROR for one in lines)
        if not is_applied:
            raise psycopg.Rollback(transaction)
    return Plan(kind=kind, lines=lines, is_applied=is_applied)


def export(connection: Connection, kind: FileKind) -> str:
    """Everything of a kind as CSV: semicolons, UTF-8 with a mark, as spreadsheets open it here.

    What was exported is imported again without a change.
    """
    rows: list[Mapping[str, str]]
    rooms = Resources(connection)
    names = {one.id: one.name for one in rooms.every(kind=ResourceKind.ROOM)}
    columns: Sequence[str]
    if kind is FileKind.RESOURCES:
        columns = RESOURCE_COLUMNS
        rows = [resource_cells(one, names) for one in rooms.every()]
    elif kind is FileKind.OPENING_HOURS:
        columns = HOURS_COLUMNS
        rows = [
            {"kind": str(one.kind), "name": one.name} | hours_cells(hours)
            for one in rooms.every()
            for hours in one.hours
        ]
    else:
        columns = PROCEDURE_COLUMNS
        rows = [procedure_cells(one, names) for one in Catalogue(connection).every()]
    output = io.StringIO()
    writer = csv.DictWriter(output, columns, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows([{name: guarded(cell) for name, cell in row.items()} for row in rows])
    return "\ufeff" + output.getvalue()


# -- cells ------------------------------------------------------------------------------------


def procedure_cells(one: Procedure, rooms: Mapping[int, str]) -> dict[str, str]:
    """The cells of a procedure."""
    return {
        "code_value": one.code_value,
        "coding_scheme_designator": one.coding_scheme_designator,
        "label_fr": one.label_fr,
        "label_en": one.label_en,
        "modality": one.modality,
        "body_part_examined": one.body_part_examined,
        "duration_min": str(one.duration_min),
        "contrast": str(one.contrast),
        "contrast_agent": one.contrast_agent,
        "safety_questions": "|".join(one.safety_questions),
        "needs_vetting": _yes_or_no(one.needs_vetting),
        "preparation_fr": one.preparation_fr,
        "preparation_en": one.preparation_en,
        "protocols": "|".join(
            f"{p.code_value}^{p.coding_scheme_designator}^{p.code_meaning}" for p in one.protocols
        ),
        "rooms": "|".join(sorted(rooms.get(number, "") for number in one.rooms)),
        "default_room": "" if one.default_room is None else rooms.get(one.default_room, ""),
        "is_active": _yes_or_no(one.is_active),
    }


def resource_cells(one: Resource, rooms: Mapping[int, str]) -> dict[str, str]:
    """The cells of a resource."""
    shown = one.worklist_filter
    is_device = one.kind is ResourceKind.DEVICE
    after = "" if shown.days_after is None else str(shown.days_after)
    return {
        "kind": str(one.kind),
        "name": one.name,
        "location": one.location,
        "room": "" if one.room is None else rooms.get(one.room, ""),
        "modality": one.modality,
        "ae_title": one.ae_title,
        "station_name": one.station_name,
        "profession": one.profession,
        "rpps": one.rpps,
        "worklist_shows": str(shown.shows) if is_device else "",
        "worklist_modalities": "|".join(shown.modalities),
        "worklist_days_before": str(shown.days_before) if is_device else "",
        "worklist_days_after": after,
        "is_active": _yes_or_no(one.is_active),
    }


def hours_cells(one: Hours) -> dict[str, str]:
    """The cells of hours, without the resource's."""
    return {
        "weekday": str(one.weekday),
        "opens": one.opens.strftime("%H:%M"),
        "closes": one.closes.strftime("%H:%M"),
        "valid_from": "" if one.valid_from is None else one.valid_from.isoformat(),
        "valid_until": "" if one.valid_until is None else one.valid_until.isoformat(),
    }


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


# -- reading ----------------------------------------------------------------------------------


def _rows(
    text: str, columns: Sequence[str], needed: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        names = [cell.strip() for cell in next(reader, [])]
        unknown = sorted(set(names) - set(columns))
        if unknown or len(names) != len(set(names)):
            shown = ", ".join(one[:40] for one in unknown) or "a name comes twice"
            raise UnreadableFile(
                f"columns that are not known: {shown}", hint=f"columns are {', '.join(columns)}."
            )
        missing = [name for name in needed if name not in names]
        if missing:
            raise UnreadableFile(
                f"columns are missing: {', '.join(missing)}",
                hint="the first line names the columns; export a file to see them.",
            )
        rows: list[tuple[int, dict[str, str]]] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MAX_LINES:
                raise UnreadableFile(f"the file has more than {MAX_LINES} lines")
            padded = [*cells, *[""] * (len(names) - len(cells))]
            row = dict(zip(names, (unguarded(cell.strip()) for cell in padded), strict=False))
            if len(cells) > len(names):
                row["#surplus"] = "yes"
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num}: {error}") from error
    return rows


class _Loader(ABC):
    """A file of one kind, line by line; a line with an error leaves nothing behind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._catalogue = Catalogue(connection)
        self._resources = Resources(connection)
        self._seen: dict[str, int] = {}

    @abstractmethod
    def load(self, text: str) -> list[LineResult]:
        """Take the lines of a file in."""

    def _attempt(
        self,
        number: int,
        row: Mapping[str, str],
        key: str,
        line: Callable[[Mapping[str, str]], tuple[Effect, Mapping[str, tuple[str, str]]]],
    ) -> LineResult:
        try:
            if "#surplus" in row:
                raise InvalidEntry("more cells than columns", hint="is a delimiter not quoted?")
            first = self._seen.setdefault(key, number)
            if first != number:
                raise InvalidEntry(f"line {first} says something of it already")
            with self._connection.transaction():
                effect, changes = line(row)
        except CatalogueError as error:
            reason = f"{error.message}; {error.hint}" if error.hint else error.message
            return LineResult(
                line=number, key=key, effect=Effect.ERROR, changes={}, error=reason.rstrip(".")
            )
        return LineResult(line=number, key=key, effect=effect, changes=changes)

    def _room(self, name: str) -> int | None:
        if not name:
            return None
        found = self._resources.find(ResourceKind.ROOM, name)
        if found is None:
            raise InvalidEntry(f"there is no room {name[:64]}", hint="import the resources first.")
        return found.id

    def _room_names(self, numbers: Sequence[int | None]) -> dict[int, str]:
        return {number: self._resources.get(number).name for number in numbers if number}


class _ByLine(_Loader):
    """A file whose lines stand for themselves."""

    columns: Sequence[str] = ()
    needed: Sequence[str] = ()

    def load(self, text: str) -> list[LineResult]:
        return [
            self._attempt(number, row, self._key(row), self._line)
            for number, row in _rows(text, self.columns, self.needed)
        ]

    @abstractmethod
    def _key(self, row: Mapping[str, str]) -> str:
        """What a line is about, for the report."""

    @abstractmethod
    def _line(self, row: Mapping[str, str]) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
        """Take a line in: what became of it, and which columns changed."""


class _Procedures(_ByLine):
    columns = PROCEDURE_COLUMNS
    needed = ("code_value",)

    def _key(self, row: Mapping[str, str]) -> str:
        scheme = row.get("coding_scheme_designator") or "CCAM"
        return f"{row['code_value'][:40]} {scheme[:20]}"

    def _line(self, row: Mapping[str, str]) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
        scheme = row.get("coding_scheme_designator") or "CCAM"
        before = self._catalogue.find(row["code_value"], scheme)
        wanted = replace(
            before or Procedure(code_value=row["code_value"], label_fr=row.get("label_fr", "")),
            **self._values(row) | {"coding_scheme_designator": scheme},
        )
        if before is not None and before == wanted:
            return Effect.SAME, {}
        after = self._catalogue.add(wanted) if before is None else self._catalogue.change(wanted)
        rooms = self._room_names(
            [*after.rooms, after.default_room]
            + ([] if before is None else [*before.rooms, before.default_room])
        )
        return _difference(
            None if before is None else procedure_cells(before, rooms),
            procedure_cells(after, rooms),
        )

    def _values(self, row: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, cell in row.items():
            if name == "safety_questions":
                values[name] = tuple(_of(SafetyQuestion, name, one) for one in _parts(cell))
            elif name == "contrast":
                values[name] = _of(Contrast, name, cell or "NONE")
            elif name == "duration_min":
                values[name] = _integer(name, cell or "20")
            elif name in {"needs_vetting", "is_active"}:
                values[name] = _boolean(name, cell)
            elif name == "protocols":
                values[name] = tuple(map(_protocol, _parts(cell)))
            elif name == "rooms":
                numbers = [self._room(one) for one in _parts(cell)]
                values[name] = tuple(sorted({one for one in numbers if one is not None}))
            elif name == "default_room":
                values[name] = self._room(cell)
            else:
                values[name] = cell.upper() if name == "modality" else cell
        return values


class _Acts(_Loader):
    """Imaging acts of the CCAM that the catalogue has not: they come in inactive."""

    def load(self, text: str) -> list[LineResult]:
        lines = []
        for number, act in ccam.imaging_acts(text):
            lines.append(
                self._attempt(number, {"code": act.code_value}, act.code_value, self._adding(act))
            )
        return lines

    def _adding(
        self, act: Procedure
    ) -> Callable[[Mapping[str, str]], tuple[Effect, Mapping[str, tuple[str, str]]]]:
        def line(_: Mapping[str, str]) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
            if self._catalogue.find(act.code_value, act.coding_scheme_designator) is not None:
                return Effect.SAME, {}
            return _difference(None, procedure_cells(self._catalogue.add(act), {}))

        return line


class _Resources(_ByLine):
    columns = RESOURCE_COLUMNS
    needed = ("kind", "name")

    def load(self, text: str) -> list[LineResult]:
        """Rooms first: devices stand in them."""
        rows = _rows(text, self.columns, self.needed)
        rows.sort(key=lambda one: one[1]["kind"].upper() != ResourceKind.ROOM)
        lines = [self._attempt(n, row, self._key(row), self._line) for n, row in rows]
        return sorted(lines, key=lambda one: one.line)

    def _key(self, row: Mapping[str, str]) -> str:
        return f"{row['kind'].upper()[:10]} {row['name'][:80]}"

    def _line(self, row: Mapping[str, str]) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
        kind = _of(ResourceKind, "kind", row["kind"].upper())
        before = self._resources.find(kind, row["name"])
        known = before or Resource(kind=kind, name=row["name"])
        values: dict[str, Any] = {}
        shown = known.worklist_filter
        for name, cell in row.items():
            if name in {"location", "station_name", "rpps", "ae_title"}:
                values[name] = cell
            elif name in {"modality", "profession"}:
                values[name] = cell.upper()
            elif name == "room":
                values[name] = self._room(cell)
            elif name == "is_active":
                values[name] = _boolean(name, cell)
            elif cell and name.startswith("worklist_") and kind is not ResourceKind.DEVICE:
                raise InvalidEntry(f"{name} belongs to a device")
            elif name == "worklist_shows":
                shown = replace(shown, shows=_of(Shows, name, cell or "STATION"))
            elif name == "worklist_modalities":
                shown = replace(shown, modalities=tuple(sorted(set(_parts(cell.upper())))))
            elif name == "worklist_days_before":
                default = str(WorklistFilter().days_before)
                shown = replace(shown, days_before=_integer(name, cell or default))
            elif name == "worklist_days_after":
                shown = replace(shown, days_after=_integer(name, cell) if cell else None)
        wanted = replace(known, **values, worklist_filter=shown)
        if before is not None and before == wanted:
            return Effect.SAME, {}
        after = self._resources.add(wanted) if before is None else self._resources.change(wanted)
        rooms = self._room_names([after.room, known.room])
        return _difference(
            None if before is None else resource_cells(before, rooms),
            resource_cells(after, rooms),
        )


class _OpeningHours(_Loader):
    """All lines of a resource together are its hours."""

    columns = HOURS_COLUMNS
    needed = ("kind", "name", "weekday", "opens", "closes")

    def load(self, text: str) -> list[LineResult]:
        groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
        for number, row in _rows(text, self.columns, self.needed):
            key = f"{row['kind'].upper()[:10]} {row['name'][:80]}"
            groups.setdefault(key, []).append((number, row))
        lines = []
        for key, rows in groups.items():
            hours, wrong = [], []
            for number, row in rows:
                try:
                    hours.append(_hours(row))
                except CatalogueError as error:
                    wrong.append(
                        LineResult(
                            line=number,
                            key=key,
                            effect=Effect.ERROR,
                            changes={},
                            error=error.message,
                        )
                    )
            lines += wrong or [self._attempt(*rows[0], key, self._setting(hours))]
        return sorted(lines, key=lambda one: one.line)

    def _setting(
        self, hours: Sequence[Hours]
    ) -> Callable[[Mapping[str, str]], tuple[Effect, Mapping[str, tuple[str, str]]]]:
        def line(row: Mapping[str, str]) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
            kind = _of(ResourceKind, "kind", row["kind"].upper())
            before = self._resources.find(kind, row["name"])
            if before is None:
                raise InvalidEntry(
                    f"there is no such {kind.value.lower()}", hint="import the resources first."
                )
            after = self._resources.set_hours(before.id, hours, version=before.version)
            if after.hours == before.hours:
                return Effect.SAME, {}
            return Effect.CHANGED, {"hours": (_shown(before.hours), _shown(after.hours))}

        return line


def _hours(row: Mapping[str, str]) -> Hours:
    try:
        return Hours(
            weekday=_integer("weekday", row["weekday"]),
            opens=time.fromisoformat(row["opens"].zfill(5)),
            closes=time.fromisoformat(
                "23:59" if row["closes"] == "24:00" else row["closes"].zfill(5)
            ),
            valid_from=date.fromisoformat(row["valid_from"]) if row.get("valid_from") else None,
            valid_until=date.fromisoformat(row["valid_until"]) if row.get("valid_until") else None,
        )
    except ValueError as error:
        raise InvalidEntry("not a time as 08:30, or a date as 2026-12-31") from error


def _shown(hours: Sequence[Hours]) -> str:
    return ", ".join(
        f"{one.weekday} {one.opens:%H:%M}-{one.closes:%H:%M}"
        + ("" if one.valid_from is None else f" from {one.valid_from}")
        + ("" if one.valid_until is None else f" until {one.valid_until}")
        for one in hours
    )


def _difference(
    before: Mapping[str, str] | None, after: Mapping[str, str]
) -> tuple[Effect, Mapping[str, tuple[str, str]]]:
    if before is None:
        return Effect.NEW, {name: ("", cell) for name, cell in after.items() if cell}
    changes = {name: (before[name], after[name]) for name in after if before[name] != after[name]}
    return (Effect.CHANGED if changes else Effect.SAME), changes


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _of(kind: type[_E], name: str, cell: str) -> _E:
    try:
        return kind(cell.upper())
    except ValueError as error:
        allowed = ", ".join(kind)
        raise InvalidEntry(f"{name} is none of {allowed}") from error


def _integer(name: str, cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) < 7):
        raise InvalidEntry(f"{name} is not a number")
    return int(cell)


def _boolean(name: str, cell: str) -> bool:
    word = cell.lower()
    if word not in _TRUE | _FALSE:
        raise InvalidEntry(f"{name} is neither yes nor no")
    return word in _TRUE


def _protocol(text: str) -> ProtocolCode:
    parts = text.split("^")
    if len(parts) != 3:
        raise InvalidEntry("a protocol is not code^scheme^meaning")
    code, scheme, meaning = (part.strip() for part in parts)
    return ProtocolCode(code_value=code, coding_scheme_designator=scheme, code_meaning=meaning)
