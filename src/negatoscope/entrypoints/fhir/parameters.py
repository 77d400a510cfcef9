"""The search parameters of AuditEvent.

Standard: HL7 FHIR R4 §3.1.1 (search), AuditEvent's parameters; IHE ITI-81.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from negatoscope.entrypoints.web.problems import Problem
from negatoscope.subscribers.audit import EventClass
from negatoscope.subscribers.audit.errors import BadCursor
from negatoscope.subscribers.audit.searching import Cursor, Filter

MAX_COUNT: Final = 500
DEFAULT_COUNT: Final = 50
NAMES: Final = (
    *("_id", "date", "agent", "agent-name", "patient", "entity", "type", "action", "outcome"),
    *("address", "_count", "_sort", "_cursor", "_format"),
)
_DATE: Final = re.compile(
    r"(eq|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_OUTCOMES: Final = {"0": "SUCCESS", "4": "FAILED", "8": "REFUSED", "12": "NONE"}
_CLASSES_OF_TYPE: Final = {
    "110100": (EventClass.SYSTEM,),
    "110101": (EventClass.AUDIT,),
    "110103": (EventClass.VIEW, EventClass.CHANGE),
    "110104": (EventClass.RETRIEVE, EventClass.STORE, EventClass.EXPORT),
    "110105": (EventClass.DELETE,),
    "110106": (EventClass.EXPORT,),
    "110112": (EventClass.QUERY,),
    "110114": (EventClass.SIGN_IN, EventClass.SIGN_OUT),
}
"""Of types that some classes alone become; the others are looked for in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search.

    Attributes:
        filter: What the trail is asked.
        types, actions: Of the resources; what the trail's own facts do not tell apart.
        used: The parameters that were understood, for the self link.
    """

    filter: Filter = field(default_factory=Filter)
    types: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    count: int = DEFAULT_COUNT
    cursor: Cursor | None = None
    used: tuple[tuple[str, str], ...] = ()


def read_question(pairs: Sequence[tuple[str, str]], *, strict: bool) -> Question:
    """The search that parameters ask for.

    Args:
        pairs: As they came.
        strict: Whether a parameter that is not known is refused (``Prefer: handling=strict``).
    Raises:
        Problem: a value cannot be used.
    """
    question = Question()
    used: list[tuple[str, str]] = []
    for name, value in pairs:
        base = name.partition(":")[0].partition(".")[0]
        if base not in NAMES:
            if strict:
                raise Problem("bad-query", detail=f"The parameter {base[:40]!r} is not known.")
            continue
        if value == "":
            continue
        question = _add(question, base, value)
        used.append((name, value))
    return replace(question, used=tuple(used))


def _add(question: Question, name: str, value: str) -> Question:
    wanted = question.filter
    match name:
        case "_id":
            found = [
                int(one)
                for one in value.split(",")
                if one.isascii() and one.isdigit() and len(one) < 19
            ]
            return replace(question, filter=replace(wanted, ids=found or [-1]))
        case "date":
            return replace(question, filter=_dated(wanted, value))
        case "agent" | "agent-name":
            return replace(question, filter=replace(wanted, actor=_reference(value)[1]))
        case "patient":
            system, ident = _reference(value)
            issuer = None if system is None else system.removeprefix("urn:oid:")
            return replace(
                question, filter=replace(wanted, patient_id=ident, issuer_of_patient_id=issuer)
            )
        case "entity":
            ident = _reference(value)[1].removeprefix("urn:oid:")
            return replace(question, filter=replace(wanted, study_instance_uid=ident))
        case "address":
            return replace(question, filter=replace(wanted, peer=_plain(value)))
        case "outcome":
            found_outcomes = [
                _OUTCOMES.get(one.rpartition("|")[2], "NONE") for one in value.split(",")
            ]
            return replace(question, filter=replace(wanted, outcomes=found_outcomes))
        case "type":
            types = frozenset(one.rpartition("|")[2] for one in value.split(","))
            classes: list[str] = []
            if all(one in _CLASSES_OF_TYPE for one in types):
                classes = sorted({str(one) for code in types for one in _CLASSES_OF_TYPE[code]})
            return replace(question, types=types, filter=replace(wanted, event_classes=classes))
        case "action":
            return replace(
                question, actions=frozenset(one.rpartition("|")[2] for one in value.split(","))
            )
        case _:
            return _control(question, name, value)


def _control(question: Question, name: str, value: str) -> Question:
    if name == "_count":
        if not (value.isascii() and value.isdigit() and len(value) < 9):
            raise Problem("bad-query", detail="_count is a number.")
        return replace(question, count=min(int(value), MAX_COUNT))
    if name == "_cursor":
        try:
            return replace(question, cursor=Cursor.parse(value))
        except BadCursor as error:
            raise Problem("bad-query", detail="_cursor is none of our links'.") from error
    if name == "_sort" and value != "-date":
        raise Problem("bad-query", detail="Events are sorted by -date only.")
    return question


def _reference(value: str) -> tuple[str | None, str]:
    """System and value of an identifier; what stands for them in a reference."""
    system, bar, ident = value.rpartition("|")
    if not bar:
        return None, _plain(value.rpartition("/")[2])
    return _plain(system) or None, _plain(ident)


def _plain(value: str) -> str:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")[:256]


def _dated(wanted: Filter, value: str) -> Filter:
    match = _DATE.fullmatch(value)
    if match is None:
        raise Problem(
            "bad-query", detail="date is written like ge2026-03-01 or 2026-03-01T09:00:00Z."
        )
    try:
        start, end = _span(match)
    except (ValueError, OverflowError) as error:
        raise Problem("bad-query", detail="There is no such date.") from error
    after, before = {
        "eq": (start, end),
        "ge": (start, None),
        "gt": (end, None),
        "sa": (end, None),
        "le": (None, end),
        "lt": (None, start),
        "eb": (None, start),
    }[match[1] or "eq"]
    if after is not None and wanted.after is not None:
        after = max(after, wanted.after)
    if before is not None and wanted.before is not None:
        before = min(before, wanted.before)
    return replace(wanted, after=after or wanted.after, before=before or wanted.before)


def _span(match: re.Match[str]) -> tuple[datetime, datetime]:
    """The instants between which a date of some precision lies."""
    year, month, day, hour, minute, second, fraction, zone = match.groups()[1:]
    offset = timedelta()
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        offset = (1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes)
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "").ljust(6, "0")), tzinfo=UTC,
    ) - offset  # fmt: skip
    if fraction:
        length = timedelta(microseconds=10 ** (6 - len(fraction)))
    elif second:
        length = timedelta(seconds=1)
    elif minute:
        length = timedelta(minutes=1)
    elif day:
        length = timedelta(days=1)
    elif month:
        length = timedelta(days=calendar.monthrange(int(year), int(month))[1])
    else:
        length = timedelta(days=366 if calendar.isleap(int(year)) else 365)
    return start, start + length
