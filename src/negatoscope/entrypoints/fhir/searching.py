"""Searching one type of resource: its parameters as conditions on rows of the domain, sorted, paged by key.

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
from negatoscope.domain.patients.searching import (
    AskedIdentifier,
    Match,
    of_identified,
    of_patient,
)
from negatoscope.domain.patients.searching import (
    named as patient_named,
)
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.fhir.elements import AUTHORITY
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db.conditions import (
    ALWAYS,
    NEVER,
    Column,
    Condition,
    SearchTooBroad,
    Selection,
    Span,
    UnusableValue,
    any_of,
    negated,
)

MAX_COUNT: Final = 500
DEFAULT_COUNT: Final = 50
_MAX_VALUES: Final = 50
_PATIENCE_MS: Final = 5000
_CONTROLS: Final = frozenset({"_count", "_sort", "_cursor", "_format", "_pretty", "_summary"})
_DATE: Final = re.compile(
    r"(eq|ne|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_MATCHES: Final = {"": Match.BEGINS, "exact": Match.EXACT, "contains": Match.CONTAINS}
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a search works with.

    Attributes:
        connection: In a transaction.
        base: Address of the service.
        seen: Which studies who asks may know of.
    """

    connection: psycopg.Connection[Any]
    rules: Rules
    actor: Actor
    base: str
    seen: Condition

    @property
    def zone(self) -> ZoneInfo:
        """Of times that name none."""
        return self.rules.zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A search parameter.

    Attributes:
        type: FHIR search parameter type.
        condition: Of one value; raises `Problem` for one that cannot be used.
        modifiers: That it takes, after a colon.
    """

    name: str
    type: str
    condition: Callable[[Context, str, str], Condition]
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
        rows: Where they are.
        parameters: By name.
        sorts: By name; never NULL.
        sort: Unless asked otherwise; with ``-`` the last first.
        shown: Resources of rows, in their order.
        hidden: A condition that holds unless ``_id`` is asked.
        condition: One that holds always.
    """

    name: str
    action: Action
    rows: Selection
    parameters: Mapping[str, Parameter]
    sorts: Mapping[str, Column]
    sort: str
    shown: Callable[[Context, Sequence[int]], list[dict[str, Any]]]
    hidden: Condition = ALWAYS
    condition: Callable[[Context], Condition] = lambda _: ALWAYS
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
        conditions = [self.condition(context)]
        if not any(one.name == "_id" for one, _, _ in question.given):
            conditions.append(self.hidden)
        conditions += [
            any_of(*(one.condition(context, value, modifier) for value in alternatives(text)))
            for one, modifier, text in question.given
        ]
        try:
            rows = self.rows.page(
                context.connection,
                conditions,
                order=self.sorts[question.sort or self.sort.removeprefix("-")],
                is_descending=question.is_descending
                if question.sort
                else self.sort.startswith("-"),
                after=question.cursor,
                limit=question.count + 1,
                patience_ms=_PATIENCE_MS,
            )
        except SearchTooBroad as error:
            raise Problem("search-too-broad") from error
        except UnusableValue as error:
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


# -- parameters of each type ----------------------------------------------------------------------


def number_in(value: str, kind: str, base: str = "") -> int | None:
    """The number in ``kind/12``, ``12`` or the address of such a resource; None: it is none."""
    type_, _, ident = value.removeprefix(f"{base}/").rpartition("/")
    if type_ not in ("", kind) or _NUMBER.fullmatch(ident) is None:
        return None
    return int(ident)


def by_number(column: Column) -> Parameter:
    """``_id`` of rows whose id is our number."""

    def condition(_context: Context, value: str, _modifier: str) -> Condition:
        return NEVER if _NUMBER.fullmatch(value) is None else column.equals(int(value))

    return Parameter(name="_id", type="token", condition=condition)


def by_date(name: str, span: Span, *, documentation: str = "") -> Parameter:
    """A point in time, or a period."""

    def condition(context: Context, value: str, _modifier: str) -> Condition:
        return dated(context, value, span)

    return Parameter(name=name, type="date", condition=condition, documentation=documentation)


def dated(context: Context, value: str, span: Span) -> Condition:
    """Whether a period lies as a date and its prefix say (§3.1.1.4.7).

    Raises:
        Problem: it is no date.
    """
    prefix, first, last = date_span(value, context.zone)
    match prefix:
        case "eq":
            return span.lies_within(first, last)
        case "ne":
            return negated(span.lies_within(first, last))
        case "ge":
            return span.ends_from(first)
        case "gt":
            return span.ends_from(last)
        case "le":
            return span.starts_before(last)
        case "lt":
            return span.starts_before(first)
        case "sa":
            return span.starts_from(last)
        case _:
            return span.ends_before(first)


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
    name: str,
    known: Mapping[str, Condition],
    *,
    documentation: str = "",
    system: str | None = None,
) -> Parameter:
    """A token of a value set.

    Args:
        known: What holds of rows that have a code; no row has another.
        system: Of the codes; None: any is passed over.
    """

    def condition(_context: Context, value: str, _modifier: str) -> Condition:
        code = code_in(value, system)
        return NEVER if code is None else known.get(code, NEVER)

    return Parameter(name=name, type="token", condition=condition, documentation=documentation)


def by_value(name: str, column: Column, *, documentation: str = "") -> Parameter:
    """A token whose code is what a column holds; its system is passed over."""

    def condition(_context: Context, value: str, _modifier: str) -> Condition:
        return column.equals(value.rpartition("|")[2])

    return Parameter(name=name, type="token", condition=condition, documentation=documentation)


def code_in(value: str, system: str | None) -> str | None:
    """The code of a token; None: its system is another one."""
    given, bar, code = value.rpartition("|")
    return None if bar and system is not None and given not in ("", system) else code


def by_patient(name: str, column: Column) -> Parameter:
    """A reference to a patient, or ``name:identifier=system|value``."""

    def condition(context: Context, value: str, modifier: str) -> Condition:
        if modifier == "identifier":
            return identified_patient(value, column)
        number = number_in(value, "Patient", context.base)
        return NEVER if number is None else of_patient(column, number)

    return Parameter(
        name=name,
        type="reference",
        condition=condition,
        modifiers=frozenset({"identifier", "Patient"}),
    )


def chained_identifier(name: str, column: Column) -> Parameter:
    """``patient.identifier=system|value``: the identifier of who is referred to."""

    def condition(_context: Context, value: str, _modifier: str) -> Condition:
        return identified_patient(value, column)

    return Parameter(
        name=name,
        type="token",
        condition=condition,
        documentation="chained: system|value of the patient",
    )


def identified_patient(value: str, column: Column) -> Condition:
    """Whether something is of a patient who has an identifier, now."""
    asked = asked_identifier(value)
    return NEVER if asked is None else of_identified(column, asked)


def asked_identifier(value: str) -> AskedIdentifier | None:
    """The identifier that ``system|value`` asks for; None: there is none such."""
    system, bar, ident = value.rpartition("|")
    if bar and not system:
        return None  # one that has no system: there is none
    if system.startswith("urn:oid:"):
        return AskedIdentifier(value=ident, universal_id=system.removeprefix("urn:oid:"))
    if system.startswith(AUTHORITY):
        return AskedIdentifier(value=ident, authority=system.removeprefix(AUTHORITY))
    return None if system else AskedIdentifier(value=ident)


def by_name(name: str, columns: Sequence[str]) -> Parameter:
    """A string that a name begins with, accents and case aside; ``:exact``, ``:contains``."""

    def condition(_context: Context, value: str, modifier: str) -> Condition:
        return patient_named(value, columns, _MATCHES[modifier])

    return Parameter(
        name=name, type="string", condition=condition, modifiers=frozenset({"exact", "contains"})
    )


def named(*parameters: Parameter) -> dict[str, Parameter]:
    """By their names."""
    return {one.name: one for one in parameters}
