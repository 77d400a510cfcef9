"""The hospital's structure: units (UF) with their labels and the time for which they hold.

Messages carry codes alone. A code has one label on a day; the database refuses another.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import psycopg

from negatoscope.domain.patients.errors import PatientError
from negatoscope.infra.db import load_queries
from negatoscope.kit.text import fold

SQL: Final = load_queries("negatoscope.domain.patients.sql", "units.sql")
MAX_ROWS: Final = 50_000
MAX_BYTES: Final = 10 << 20
_MAX_TEXT: Final = 200
_COLUMNS: Final[Mapping[str, str]] = {
    "code": "code",
    "uf": "code",
    "code uf": "code",
    "label": "label",
    "libelle": "label",
    "kind": "kind",
    "type": "kind",
    "activite": "kind",
    "parent": "parent_code",
    "parent_code": "parent_code",
    "pole": "parent_code",
    "service": "parent_code",
    "valid_from": "valid_from",
    "debut": "valid_from",
    "date debut": "valid_from",
    "ouverture": "valid_from",
    "valid_until": "valid_until",
    "fin": "valid_until",
    "date fin": "valid_until",
    "fermeture": "valid_until",
}
"""Headings of a CSV file, folded."""


class UnitsRefused(PatientError):
    """A list of units cannot be taken; nothing of it was.

    Args:
        problems: Line and reason, the first ones.
    """

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        line, reason = problems[0]
        super().__init__(f"line {line}: {reason}", hint="correct the file; nothing was taken.")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit for a time.

    Attributes:
        code: Of the UF, as messages carry it.
        kind: As the hospital says.
        parent_code: The service or pole it belongs to.
        valid_from: The first day; None: always.
        valid_until: The last day; None: still.
    """

    code: str
    label: str
    kind: str = ""
    parent_code: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUnit(Unit):
    """With where it comes from."""

    id: int
    source: str
    changed_at: datetime


def read_csv(content: bytes) -> list[Unit]:
    """Units of a CSV file: parted by ``;``, ``,`` or tabs, UTF-8 or Windows-1252, headings in English or French.

    Raises:
        UnitsRefused: a line cannot be used; all problems up to fifty are named.
    """
    if len(content) > MAX_BYTES:
        raise UnitsRefused([(1, f"the file is longer than {MAX_BYTES >> 20} MB")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.removeprefix(codecs.BOM_UTF8).decode("cp1252", "replace")
    if "\0" in text:
        raise UnitsRefused([(1, "the file is no text: save the sheet as CSV, UTF-8")])
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise UnitsRefused([(rows.line_num, f"this is no CSV: {error}")]) from error
    head = lines[0][1] if lines else []
    names = [_COLUMNS.get(fold(one), "") for one in head]
    if "code" not in names or "label" not in names:
        raise UnitsRefused([(1, "the headings code and label (libellé) are needed")])
    units: list[Unit] = []
    problems: list[tuple[int, str]] = []
    for number, row in lines[1:]:
        if not any(one.strip() for one in row):
            continue
        try:
            units.append(_unit(dict(zip(names, (one.strip() for one in row), strict=False))))
        except ValueError as error:
            problems.append((number, str(error)))
        if len(problems) >= 50 or len(units) > MAX_ROWS:
            break
    if len(units) > MAX_ROWS:
        problems.append((lines[-1][0], f"more than {MAX_ROWS} units"))
    if problems:
        raise UnitsRefused(problems)
    if not units:
        raise UnitsRefused([(1, "there is no unit in the file")])
    return units


def _unit(row: Mapping[str, str]) -> Unit:
    code, label = row.get("code", ""), row.get("label", "")
    if not code or not label:
        raise ValueError("code and label are needed")
    if any(len(one) > _MAX_TEXT for one in row.values()):
        raise ValueError(f"a value is longer than {_MAX_TEXT} characters")
    unit = Unit(
        code=code,
        label=label,
        kind=row.get("kind", ""),
        parent_code=row.get("parent_code", ""),
        valid_from=_day(row.get("valid_from", "")),
        valid_until=_day(row.get("valid_until", "")),
    )
    if unit.valid_from and unit.valid_until and unit.valid_until < unit.valid_from:
        raise ValueError("it ends before it begins")
    return unit


def _day(text: str) -> date | None:
    if not text:
        return None
    if (found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)) is not None:
        day, month, year = map(int, found.groups())
    elif (found := re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", text)) is not None:
        year, month, day = map(int, found.groups())
    else:
        raise ValueError("a date is YYYY-MM-DD or DD/MM/YYYY")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError("there is no such day") from error


class Units:
    """The units of the hospital.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def replace(self, units: Sequence[Unit], *, source: str) -> int:
        """Put a list in the place of what was known of its codes; other codes stay.

        Returns: How many codes.

        Raises:
            UnitsRefused: a code has two labels on one day.
        """
        _refuse_overlaps(units)
        codes = sorted({one.code for one in units})
        self._connection.execute(SQL["drop_codes"], {"codes": codes})
        with self._connection.cursor() as cursor:
            cursor.executemany(SQL["add"], [_values(one, source) for one in units])
        return len(codes)

    def tell(self, unit: Unit, *, day: date, source: str) -> None:
        """A master file message adds or changes a unit from a day on (MFN^M05, MAD, MUP, MAC)."""
        self._connection.execute(SQL["drop_learned"], {"code": unit.code})
        row = self._connection.execute(SQL["current"], {"code": unit.code}).fetchone()
        values = _values(unit, source)
        if row is None:
            self._connection.execute(SQL["add"], values)
            return
        number, label, _kind, _parent, since, until = row
        if until is not None and until < day:  # opened again
            self._connection.execute(SQL["add"], values | {"valid_from": unit.valid_from or day})
        elif label == unit.label or (since is not None and since >= day):
            kept = {"valid_from": unit.valid_from or since, "id": number}
            self._connection.execute(SQL["change"], values | kept)
        else:  # another name from that day on
            before = {"id": number, "day": day - timedelta(days=1), "source": source}
            self._connection.execute(SQL["close"], before)
            self._connection.execute(SQL["add"], values | {"valid_from": day})

    def close(self, code: str, *, day: date, source: str) -> bool:
        """A unit ends (MDC, MDL); it keeps its label for what was before.

        Returns: Whether it was known.
        """
        row = self._connection.execute(SQL["current"], {"code": code}).fetchone()
        if row is None:
            return False
        self._connection.execute(SQL["close"], {"id": row[0], "day": day, "source": source})
        return True

    def learn(self, code: str, label: str, *, source: str) -> None:
        """Keep a label that a movement carries, unless a list names the unit."""
        values = {"code": code, "label": label, "source": source}
        self._connection.execute(SQL["learn"], values)

    def labels(self, codes: Iterable[str], *, day: date) -> dict[str, str]:
        """What units were called on a day, by their codes."""
        wanted = sorted({one for one in codes if one})
        if not wanted:
            return {}
        values = {"codes": wanted, "day": day}
        return dict(self._connection.execute(SQL["labels"], values).fetchall())

    def list(
        self,
        *,
        text: str = "",
        day: date | None = None,
        after: tuple[str, int] | None = None,
        limit: int = 100,
    ) -> list[KeptUnit]:
        """Units by code, those whose code or label contains a text, of a day or of any."""
        escaped = re.sub(r"([\\%_])", r"\\\1", fold(text))
        rows = self._connection.execute(
            SQL["list"],
            {
                "text": escaped,
                "like": f"%{escaped}%",
                "day": day,
                "after": None if after is None else after[0],
                "after_id": None if after is None else after[1],
                "limit": limit,
            },
        ).fetchall()
        return [
            KeptUnit(
                id=row[0],
                code=row[1],
                label=row[2],
                kind=row[3],
                parent_code=row[4],
                valid_from=row[5],
                valid_until=row[6],
                source=row[7],
                changed_at=row[8],
            )
            for row in rows
        ]


def _refuse_overlaps(units: Sequence[Unit]) -> None:
    ordered = sorted(
        enumerate(units, start=2), key=lambda item: (item[1].code, item[1].valid_from or date.min)
    )
    for (_, one), (line, other) in pairwise(ordered):
        ends = one.valid_until or date.max
        if one.code == other.code and ends >= (other.valid_from or date.min):
            raise UnitsRefused([(line, f"unit {one.code} has two labels on one day")])


def _values(unit: Unit, source: str) -> dict[str, object]:
    return {
        "code": unit.code,
        "label": unit.label,
        "kind": unit.kind,
        "parent_code": unit.parent_code,
        "valid_from": unit.valid_from,
        "valid_until": unit.valid_until,
        "source": source,
    }
