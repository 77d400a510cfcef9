"""Searching one type of resource: its parameters as SQL conditions, sorted, paged by key.

Standard: HL7 FHIR R4 §3.1.1. Of a parameter several values parted by commas are alternatives; given
twice, both must hold. What is not known is passed over unless ``Prefer: handling=strict`` is said. Pages
follow the last key of the page before, so that what arrives meanwhile is neither shown twice nor lost.
"""

import base64
import binascii
import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import psycopg

from negatoscope.domain.identity import Action, Actor
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.fhir.elements import AUTHORITY
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.text import fold

MAX_COUNT: Final = 500
DEFAULT_COUNT: Final = 50
_MAX_VALUES: Final = 50
_PATIENCE_MS: Final = 5000
_CONTROLS: Final = frozenset({"_count", "_sort", "_cursor", "_format", "_pretty", "_summary"})
_DATE: Final = re.compile(
    r"(eq|ne|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_ACCENTED: Final = "ÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜÝŸàâäáãåçéèêëíìîïñóòôöõúùûüýÿ"
_PLAIN: Final = "aaaaaaceeeeiiiinooooouuuuyy" * 2
_FOLDED: Final = (
    f"lower(replace(replace(replace(replace(translate({{}}, '{_ACCENTED}', '{_PLAIN}'),"
    " 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'))"
)
"""Near enough to `kit.text.fold`, which the index beside it holds; the database's lower() may know ASCII alone."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")

Clause = tuple[str, list[Any]]
"""A condition with ``%s`` for each value, and the values."""
NOTHING: Final[Clause] = ("FALSE", [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a search works with.

    Attributes:
        connection: In a transaction.
        base: Address of the service.
        seen: Which studies who asks may know of, over ``s`` and ``p``.
    """

    connection: psycopg.Connection[Any]
    rules: Rules
    actor: Actor
    base: str
    seen: Clause

    @property
    def zone(self) -> ZoneInfo:
        """Of times that name none."""
        return self.rules.zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A search parameter.

    Attributes:
        type: FHIR search parameter type.
        clause: Condition of one value; raises `Problem` for one that cannot be used.
        modifiers: That it takes, after a colon.
    """

    name: str
    type: str
    clause: Callable[[Context, str, str], Clause]
    documentation: str = ""
    modifiers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search that was understood.

    Attributes:
        given: Parameter, modifier, value.
        used: As they came, for the self link.
    """

    given: tuple[tuple[Parameter, str, str], ...] = ()
    used: tuple[tuple[str, str], ...] = ()
    count: int = DEFAULT_COUNT
    sort: str = ""
    is_descending: bool = False
    cursor: tuple[str, int] | None = None

    def value(self, name: str) -> str:
        """The first value of a parameter; empty: not given."""
        return next((value for one, _, value in self.given if one.name == name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was found."""

    resources: list[dict[str, Any]] = field(default_factory=list)
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of resource whose rows a query finds.

    Attributes:
        source: What follows FROM.
        number: Expression of the row's number.
        parameters: By name.
        sorts: By name: an expression that is never NULL, and its type.
        sort: Unless asked otherwise; with ``-`` the last first.
        shown: Resources of rows, in their order.
        hidden: A condition that holds unless ``_id`` is asked.
        condition: One that holds always.
    """

    name: str
    action: Action
    source: str
    number: str
    parameters: Mapping[str, Parameter]
    sorts: Mapping[str, tuple[str, str]]
    sort: str
    shown: Callable[[Context, Sequence[int]], list[dict[str, Any]]]
    hidden: str = "TRUE"
    condition: Callable[[Context], Clause] = lambda _: ("TRUE", [])
    interactions: tuple[str, ...] = ("read", "search-type")

    @property
    def sort_names(self) -> tuple[str, ...]:
        """What ``_sort`` takes."""
        return tuple(self.sorts)

    def read(self, context: Context, ident: str) -> dict[str, Any] | None:
        """One by its id; None: there is none."""
        question = Question(given=((self.parameters["_id"], "", ident),), count=1)
        found = self.search(context, question).resources
        return found[0] if found else None

    def search(self, context: Context, question: Question) -> Page:
        """A page.

        Raises:
            Problem: a value cannot be used, or it takes too long.
        """
        clauses = [self.condition(context)]
        if not any(one.name == "_id" for one, _, _ in question.given):
            clauses.append((self.hidden, []))
        clauses += [
            any_of([one.clause(context, value, modifier) for value in alternatives(text)])
            for one, modifier, text in question.given
        ]
        sort = question.sort or self.sort.removeprefix("-")
        is_descending = question.is_descending if question.sort else self.sort.startswith("-")
        expression, type_ = self.sorts[sort]
        after, order = ("<", "DESC") if is_descending else (">", "ASC")
        if question.cursor is not None:
            clauses.append(
                (
                    f"({expression}, {self.number}) {after} (%s::{type_}, %s)",
                    [question.cursor[0], question.cursor[1]],
                )
            )
        where = " AND ".join(sql for sql, _ in clauses)
        values = [value for _, values in clauses for value in values]
        sql = (
            f"SELECT {self.number}, ({expression})::text FROM {self.source} WHERE {where}"
            f" ORDER BY {expression} {order}, {self.number} {order} LIMIT %s"
        )
        context.connection.execute(f"SET LOCAL statement_timeout = {_PATIENCE_MS}")
        try:
            rows = context.connection.execute(sql, [*values, question.count + 1]).fetchall()
        except psycopg.errors.QueryCanceled as error:
            raise Problem("search-too-broad") from error
        except psycopg.DataError as error:
            raise Problem("bad-query", detail="A value of the search cannot be used.") from error
        if question.count == 0:
            return Page()
        page = rows[: question.count]
        resources = self.shown(context, [row[0] for row in page])
        is_more = len(rows) > question.count
        return Page(
            resources=resources, next=cursor_after(page[-1][1], page[-1][0]) if is_more else None
        )


def read_question(
    kind_parameters: Mapping[str, Parameter],
    sorts: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool,
) -> Question:
    """The search that parameters ask for.

    Args:
        kind_parameters: That are known.
        sorts: What ``_sort`` takes.
        pairs: As they came.
        strict: Whether an unknown one is refused.

    Raises:
        Problem: a value cannot be used.
    """
    given: list[tuple[Parameter, str, str]] = []
    used: list[tuple[str, str]] = []
    controls: dict[str, Any] = {}
    for name, value in pairs:
        base, _, modifier = name.partition(":")
        if base in _CONTROLS:
            controls |= _control(base, value, sorts)
        elif base in kind_parameters:
            one = kind_parameters[base]
            if modifier and modifier not in one.modifiers:
                raise Problem("bad-query", detail=f"{base} does not take that modifier.")
            if value == "":
                continue
            if "\0" in value:
                raise Problem("bad-query", detail=f"{base} has a value that cannot be used.")
            given.append((one, modifier, value))
        elif strict:
            raise Problem("bad-query", detail=f"The parameter {base[:40]!r} is not known.")
        else:
            continue
        used.append((name, value))
    if len(given) > _MAX_VALUES:
        raise Problem("bad-query", detail="Too many parameters.")
    return Question(given=tuple(given), used=tuple(used), **controls)


def _control(name: str, value: str, sorts: Sequence[str]) -> dict[str, Any]:
    if name == "_count":
        if not (value.isascii() and value.isdigit() and len(value) < 9):
            raise Problem("bad-query", detail="_count is a number.")
        return {"count": min(int(value), MAX_COUNT)}
    if name == "_cursor":
        try:
            key, number = orjson.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        except (ValueError, binascii.Error, TypeError) as error:
            raise Problem("bad-query", detail="_cursor is none of our links'.") from error
        if not isinstance(key, str) or not isinstance(number, int) or "\0" in key:
            raise Problem("bad-query", detail="_cursor is none of our links'.")
        return {"cursor": (key, number)}
    if name == "_sort" and value:
        sort = value.removeprefix("-")
        if sort not in sorts:
            names = ", ".join(sorts)
            raise Problem("bad-query", detail=f"Sorted by one of {names}, with - the last first.")
        return {"sort": sort, "is_descending": value.startswith("-")}
    return {}


def cursor_after(key: str, number: int) -> str:
    """What the next page's link carries."""
    return base64.urlsafe_b64encode(orjson.dumps([key, number])).decode().rstrip("=")


def alternatives(text: str) -> list[str]:
    r"""Values parted by commas; ``\,`` is one of a value (§3.1.1.4.0.1)."""
    parts = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text)]
    return [part for part in parts if part][:_MAX_VALUES] or [""]


def any_of(clauses: Sequence[Clause]) -> Clause:
    """One of them holds."""
    if len(clauses) == 1:
        return clauses[0]
    return (
        "(" + " OR ".join(sql for sql, _ in clauses) + ")",
        [value for _, values in clauses for value in values],
    )


# -- parameters of each type ----------------------------------------------------------------------


def by_number(expression: str) -> Parameter:
    """``_id`` of rows whose id is our number."""

    def clause(_context: Context, value: str, _modifier: str) -> Clause:
        if _NUMBER.fullmatch(value) is None:
            return NOTHING
        return f"{expression} = %s", [int(value)]

    return Parameter(name="_id", type="token", clause=clause)


def by_date(name: str, expression: str, *, end: str = "", documentation: str = "") -> Parameter:
    """A point in time, or a period from ``expression`` to ``end``."""

    def clause(context: Context, value: str, _modifier: str) -> Clause:
        return dated(context, value, expression, end or expression)

    return Parameter(name=name, type="date", clause=clause, documentation=documentation)


def dated(context: Context, value: str, start: str, end: str) -> Clause:
    """Whether a period lies as a date and its prefix say (§3.1.1.4.7).

    Raises:
        Problem: it is no date.
    """
    prefix, first, last = date_span(value, context.zone)
    return {
        "eq": (f"({start} >= %s AND {end} < %s)", [first, last]),
        "ne": (f"NOT ({start} >= %s AND {end} < %s)", [first, last]),
        "ge": (f"{end} >= %s", [first]),
        "gt": (f"{end} >= %s", [last]),
        "le": (f"{start} < %s", [last]),
        "lt": (f"{start} < %s", [first]),
        "sa": (f"{start} >= %s", [last]),
        "eb": (f"{end} < %s", [first]),
    }[prefix]


def date_span(value: str, zone: ZoneInfo) -> tuple[str, datetime, datetime]:
    """Prefix, and the instants between which a date of some precision lies; days are local ones.

    Raises:
        Problem: it is no date.
    """
    match = _DATE.fullmatch(value)
    if match is None:
        raise Problem(
            "bad-query", detail="A date is written like ge2026-03-01 or 2026-03-01T09:00:00Z."
        )
    prefix, year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        first = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
            int(second or 0), int((fraction or "").ljust(6, "0")), tzinfo=zone,
        )  # fmt: skip
        if offset:
            first = datetime.fromisoformat(
                f"{first:%Y-%m-%dT%H:%M:%S.%f}{offset.replace('Z', '+00:00')}"
            )
        if fraction:
            last = first + timedelta(microseconds=10 ** (6 - len(fraction)))
        elif second:
            last = first + timedelta(seconds=1)
        elif minute:
            last = first + timedelta(minutes=1)
        elif day:
            last = first + timedelta(days=1)
        elif month:
            last = first + timedelta(days=calendar.monthrange(int(year), int(month))[1])
        else:
            last = first.replace(year=first.year + 1)
        first.utctimetuple(), last.utctimetuple()
    except (ValueError, OverflowError) as error:
        raise Problem("bad-query", detail="There is no such date.") from error
    if not 1000 <= first.year <= 9000:
        raise Problem("bad-query", detail="There is no such date.")
    return prefix or "eq", first, last


def by_code(
    name: str, expression: str, *, documentation: str = "", system: str | None = None
) -> Parameter:
    """A token whose code an expression gives; its system is passed over unless one is named."""

    def clause(_context: Context, value: str, _modifier: str) -> Clause:
        given, bar, code = value.rpartition("|")
        if bar and system is not None and given not in ("", system):
            return NOTHING
        return f"{expression} = %s", [code]

    return Parameter(name=name, type="token", clause=clause, documentation=documentation)


def by_reference(
    name: str, kind: str, expression: str, *, documentation: str = "", identified: bool = False
) -> Parameter:
    """A reference to a row: ``Patient/12``, ``12`` or its address.

    Args:
        identified: ``name:identifier=system|value`` of a patient is taken too.
    """

    def clause(context: Context, value: str, modifier: str) -> Clause:
        if modifier == "identifier":
            sql, values = patient_identifier(context, value, expression)
            return sql, values
        type_, _, ident = value.removeprefix(f"{context.base}/").rpartition("/")
        if type_ not in ("", kind) or _NUMBER.fullmatch(ident) is None:
            return NOTHING
        if kind == "Patient":
            return of_file(expression, int(ident))
        return f"{expression} = %s", [int(ident)]

    modifiers = frozenset({"identifier", kind} if identified else {kind})
    return Parameter(
        name=name,
        type="reference",
        clause=clause,
        documentation=documentation,
        modifiers=modifiers,
    )


def of_file(expression: str, number: int) -> Clause:
    """Whether something is of a patient, or of one whose file ended in theirs."""
    return f"{expression} = ANY(ARRAY(SELECT registered_family(%s)))", [number]


def chained_identifier(name: str, expression: str) -> Parameter:
    """``patient.identifier=system|value``: the identifier of who is referred to."""

    def clause(context: Context, value: str, _modifier: str) -> Clause:
        return patient_identifier(context, value, expression)

    return Parameter(
        name=name, type="token", clause=clause, documentation="chained: system|value of the patient"
    )


def patient_identifier(_context: Context, value: str, expression: str) -> Clause:
    """Whether a registered patient has an identifier, now."""
    system, bar, ident = value.rpartition("|")
    sql = (
        f"{expression} IN (SELECT registered_family(i.patient_fk) FROM registered_identifier i"
        " JOIN assigning_authority a ON a.id = i.authority_fk WHERE i.until IS NULL"
    )
    values: list[Any] = []
    if ident:
        sql += " AND i.value = %s"
        values.append(ident)
    if bar and not system:
        return NOTHING  # one that has no system: there is none
    if system.startswith("urn:oid:"):
        sql += " AND a.universal_id = %s"
        values.append(system.removeprefix("urn:oid:"))
    elif system.startswith(AUTHORITY):
        named = system.removeprefix(AUTHORITY)
        sql += " AND (a.universal_id = %s OR (a.universal_id = '' AND a.namespace = %s))"
        values += [named, named]
    elif system:
        return NOTHING
    return f"{sql})", values


def by_name(name: str, columns: Sequence[str], folded: str) -> Parameter:
    """A string that a name begins with, accents and case aside; ``:exact``, ``:contains``."""

    def clause(_context: Context, value: str, modifier: str) -> Clause:
        if modifier == "exact":
            return any_of([(f"{column} = %s", [value]) for column in columns])
        text = fold(value)[:100]
        if not text:
            return NOTHING
        pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        begins = "%" if modifier == "contains" else ""
        likely, values = f"{folded} LIKE %s", [f"%{pattern}%"]
        sql, more = any_of(
            [(f"{_FOLDED.format(column)} LIKE %s", [f"{begins}{pattern}%"]) for column in columns]
        )
        return f"({likely} AND {sql})", [*values, *more]

    return Parameter(
        name=name, type="string", clause=clause, modifiers=frozenset({"exact", "contains"})
    )


def named(*parameters: Parameter) -> dict[str, Parameter]:
    """By their names."""
    return {one.name: one for one in parameters}
