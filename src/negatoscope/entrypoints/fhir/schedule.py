"""Schedule and Slot: the calendar of a room, device or person, and when it is free.

Slots are not kept: a search computes the spans in which the resource is free, taken, or closed. Their
ids say which resource and which span, so each can be read again and then says how it is by now.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.scheduling import searching
from negatoscope.domain.scheduling.hours import (
    Interval,
    Openings,
    get_resources,
    merged,
    taken,
    without,
)
from negatoscope.domain.scheduling.model import Resource
from negatoscope.entrypoints.fhir.elements import DCM, concept, instant, pruned, reference
from negatoscope.entrypoints.fhir.search_parameters import (
    by_code,
    by_number,
    by_value,
    date_span,
    named,
    number_in,
)
from negatoscope.entrypoints.fhir.searching import (
    Context,
    Kind,
    Page,
    Parameter,
    Question,
    alternatives,
    cursor_after,
)
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db.conditions import ALWAYS, NEVER, Condition, negated

_TYPES: Final = {"ROOM": "Location", "DEVICE": "Device", "STAFF": "Practitioner"}
_HORIZON: Final = timedelta(days=60)
_DEFAULT: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=31)
_SLOT: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,11})-([0-9]{1,11})")
_STATUSES: Final = ("free", "busy", "busy-unavailable")


def schedule(one: Resource, *, now: datetime) -> dict[str, Any]:
    """The resource of a calendar."""
    modality = {"system": DCM, "code": one.modality}
    return pruned(
        {
            "resourceType": "Schedule",
            "id": str(one.id),
            "identifier": [{"value": one.ae_title}] if one.ae_title else [],
            "active": one.is_active,
            "serviceType": [concept(modality)] if one.modality else [],
            "actor": [
                pruned(
                    {
                        "type": _TYPES[one.kind],
                        "display": one.name,
                        "identifier": {"value": one.ae_title} if one.ae_title else None,
                    }
                )
            ],
            "planningHorizon": {"start": instant(now), "end": instant(now + _HORIZON)},
            "comment": one.location,
        }
    )


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    found = get_resources(context.connection, numbers)
    now = datetime.now(UTC).replace(microsecond=0)
    return [schedule(found[number], now=now) for number in numbers if number in found]


def _actor(context: Context, value: str, _modifier: str) -> Condition:
    kind = value.removeprefix(f"{context.base}/").rpartition("/")[0]
    number = number_in(value, kind, context.base)
    if number is None:
        return NEVER
    kinds = [ours for ours, type_ in _TYPES.items() if kind in ("", type_)]
    return searching.resource_of(number, kinds)


_ACTIVE: Final = searching.IS_ACTIVE.equals(True)
SCHEDULE: Final = Kind(
    name="Schedule",
    action=Action.READ_WORK,
    rows=searching.RESOURCES,
    parameters=named(
        by_number(searching.RESOURCES.number),
        by_code("active", {"true": _ACTIVE, "false": negated(_ACTIVE)}),
        by_value("identifier", searching.AE_TITLE, documentation="AE title of a device"),
        by_value("service-type", searching.MODALITY, documentation="modality of a device"),
        Parameter(
            name="actor",
            type="reference",
            condition=_actor,
            documentation="Location/…, Device/…, Practitioner/… by the number of the Schedule",
        ),
    ),
    sorts={"_id": searching.RESOURCES.number},
    sort="_id",
    shown=_shown,
)


def _unused(_context: Context, _value: str, _modifier: str) -> Condition:
    return ALWAYS


class Slots:
    """Slot: computed from hours, holidays, downtime and bookings."""

    name: Final = "Slot"
    action: Final = Action.READ_WORK
    interactions: Final = ("read", "search-type")
    sort_names: Final = ("start",)
    parameters: Final = named(
        Parameter(
            name="schedule",
            type="reference",
            condition=_unused,
            documentation="needed: Schedule/…",
        ),
        Parameter(
            name="start",
            type="date",
            condition=_unused,
            documentation=f"a range of {_LONGEST.days} days at most; from now for"
            f" {_DEFAULT.days} days unless given",
        ),
        Parameter(
            name="status", type="token", condition=_unused, documentation=", ".join(_STATUSES)
        ),
    )

    def read(self, context: Context, ident: str) -> dict[str, Any] | None:
        """A span of a calendar, as it is by now."""
        match = _SLOT.fullmatch(ident)
        if match is None:
            return None
        found = get_resources(context.connection, [int(match[1])])
        start, end = int(match[2]), int(match[3])
        if not found or not 0 < end - start <= _LONGEST.total_seconds() or end > 4_000_000_000:
            return None
        span = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
        (one,) = found.values()
        spans = self._spans(context, one, *span)
        status = next((status for from_, until, status in spans if (from_, until) == span), None)
        if status is None:
            touched = {status for _, _, status in spans}
            is_whole = sum((b - a for a, b, _ in spans), timedelta()) == span[1] - span[0]
            status = "busy" if "busy" in touched else "busy-unavailable"
            if touched == {"free"} and is_whole:
                status = "free"
        return _slot(one, *span, status)

    def search(self, context: Context, question: Question) -> Page:
        """Spans of the calendars that are named, by time.

        Raises:
            Problem: no calendar is named, or the range is too long.
        """
        numbers = [
            number
            for text in alternatives(question.value("schedule"))
            if (number := number_in(text, "Schedule", context.base)) is not None
        ]
        if not numbers:
            raise Problem("bad-query", detail="Say of which schedule: schedule=Schedule/12.")
        start, end = _range(context, question)
        wanted = {one for text in [question.value("status")] for one in alternatives(text) if one}
        after = question.cursor[0] if question.cursor else ""
        found = [
            _slot(one, from_, until, status)
            for one in get_resources(context.connection, numbers[:20]).values()
            for from_, until, status in self._spans(context, one, start, end)
            if not wanted or status in wanted
        ]
        found.sort(key=_key)
        if question.is_descending:
            found.reverse()
        rest = [
            one
            for one in found
            if not after or (_key(one) < after if question.is_descending else _key(one) > after)
        ]
        page = rest[: question.count]
        is_more = bool(page) and len(rest) > len(page)
        return Page(resources=page, next=cursor_after(_key(page[-1]), 0) if is_more else None)

    def _spans(
        self, context: Context, one: Resource, start: datetime, end: datetime
    ) -> list[tuple[datetime, datetime, str]]:
        openings = Openings(context.connection, context.rules, [one], start, end)
        busy = _within(taken(context.connection, one.id, start, end), start, end)
        closed = [(span.start_at, span.end_at) for span in openings.closed(one.id)]
        unavailable = without(_within(merged(closed), start, end), busy)
        free = without(openings.bookable(one.id), busy)
        return sorted(
            [(a, b, "free") for a, b in free]
            + [(a, b, "busy") for a, b in busy]
            + [(a, b, "busy-unavailable") for a, b in unavailable]
        )


def _within(spans: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    return [(max(a, start), min(b, end)) for a, b in spans if a < end and b > start]


def _range(context: Context, question: Question) -> tuple[datetime, datetime]:
    first: datetime | None = None
    last: datetime | None = None
    for one, _, value in question.given:
        if one.name != "start":
            continue
        prefix, begin, end = date_span(value, context.zone)
        if prefix in ("eq", "ge", "gt", "sa"):
            at = end if prefix in ("gt", "sa") else begin
            first = at if first is None else max(first, at)
        if prefix in ("eq", "le", "lt", "eb"):
            at = begin if prefix in ("lt", "eb") else end
            last = at if last is None else min(last, at)
        if prefix == "ne":
            raise Problem("bad-query", detail="start does not take ne.")
    if first is None:
        first = datetime.now(UTC).replace(second=0, microsecond=0)
        if last is not None and last <= first:
            first = last - _DEFAULT
    last = first + _DEFAULT if last is None else last
    if not timedelta(0) < last - first <= _LONGEST:
        raise Problem("bad-query", detail=f"A range of {_LONGEST.days} days at most is searched.")
    return first.astimezone(UTC), last.astimezone(UTC)


def _key(one: dict[str, Any]) -> str:
    return f"{one['start']} {one['id']}"


def _slot(one: Resource, start: datetime, end: datetime, status: str) -> dict[str, Any]:
    return {
        "resourceType": "Slot",
        "id": f"{one.id}-{int(start.timestamp())}-{int(end.timestamp())}",
        "schedule": reference("Schedule", one.id, one.name),
        "status": status,
        "start": instant(start),
        "end": instant(end),
    }


SLOT: Final = Slots()
