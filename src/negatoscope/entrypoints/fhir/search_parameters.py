"""Search parameters of each type: what a value asks of a column.

Standard: HL7 FHIR R4 §3.1.1.4.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from negatoscope.domain.patients.searching import (
    AskedIdentifier,
    Match,
    of_identified,
    of_patient,
)
from negatoscope.domain.patients.searching import (
    named as patient_named,
)
from negatoscope.entrypoints.fhir.elements import AUTHORITY
from negatoscope.entrypoints.fhir.searching import Context, Parameter
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db.conditions import NEVER, Column, Condition, Span, negated

_DATE: Final = re.compile(
    r"(eq|ne|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_MATCHES: Final = {"": Match.BEGINS, "exact": Match.EXACT, "contains": Match.CONTAINS}
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


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
