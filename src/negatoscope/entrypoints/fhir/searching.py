"""Searching one type of resource: its parameters as conditions on rows of the domain, sorted, paged by key.

Standard: HL7 FHIR R4 §3.1.1. Of a parameter several values parted by commas are alternatives; given
twice, both must hold. What is not known is passed over unless ``Prefer: handling=strict`` is said. Pages
follow the last key of the page before, so that what arrives meanwhile is neither shown twice nor lost.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import psycopg

from negatoscope.domain.identity import Action, Actor
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db.conditions import (
    ALWAYS,
    Column,
    Condition,
    SearchTooBroad,
    Selection,
    UnusableValue,
    any_of,
)

MAX_COUNT: Final = 500
DEFAULT_COUNT: Final = 50
_MAX_VALUES: Final = 50
_PATIENCE_MS: Final = 5000
_CONTROLS: Final = frozenset({"_count", "_sort", "_cursor", "_format", "_pretty", "_summary"})


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
        includes, reverse_includes: What shall come along, as it was written.
    """

    given: tuple[tuple[Parameter, str, str], ...] = ()
    used: tuple[tuple[str, str], ...] = ()
    count: int = DEFAULT_COUNT
    sort: str = ""
    is_descending: bool = False
    cursor: tuple[str, int] | None = None
    includes: tuple[str, ...] = ()
    reverse_includes: tuple[str, ...] = ()

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
        conditions: list[Condition] = []
        if not any(one.name == "_id" for one, _, _ in question.given):
            conditions.append(self.hidden)
        conditions += [
            any_of(*(one.condition(context, value, modifier) for value in alternatives(text)))
            for one, modifier, text in question.given
        ]
        rows = self._rows(
            context,
            conditions,
            question.sort or self.sort.removeprefix("-"),
            is_descending=question.is_descending if question.sort else self.sort.startswith("-"),
            after=question.cursor,
            limit=question.count + 1,
        )
        if question.count == 0:
            return Page()
        page = rows[: question.count]
        resources = self.shown(context, [row[0] for row in page])
        is_more = len(rows) > question.count
        return Page(
            resources=resources, next=cursor_after(page[-1][1], page[-1][0]) if is_more else None
        )

    def find(
        self, context: Context, conditions: Iterable[Condition], limit: int
    ) -> list[dict[str, Any]]:
        """Resources of which conditions hold, by their numbers; hidden ones too.

        Raises:
            Problem: it takes too long.
        """
        rows = self._rows(context, conditions, "_id", limit=limit)
        return self.shown(context, [row[0] for row in rows])

    def _rows(
        self,
        context: Context,
        conditions: Iterable[Condition],
        sort: str,
        *,
        is_descending: bool = False,
        after: tuple[str, int] | None = None,
        limit: int,
    ) -> list[tuple[int, str]]:
        try:
            return self.rows.page(
                context.connection,
                [self.condition(context), *conditions],
                order=self.sorts[sort],
                is_descending=is_descending,
                after=after,
                limit=limit,
                patience_ms=_PATIENCE_MS,
            )
        except SearchTooBroad as error:
            raise Problem("search-too-broad") from error
        except UnusableValue as error:
            raise Problem("bad-query", detail="A value of the search cannot be used.") from error


def read_question(
    kind_parameters: Mapping[str, Parameter],
    sorts: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool,
    includes: Collection[str] = (),
    reverse_includes: Collection[str] = (),
) -> Question:
    """The search that parameters ask for.

    Args:
        kind_parameters: That are known.
        sorts: What ``_sort`` takes.
        pairs: As they came.
        strict: Whether an unknown one is refused.
        includes, reverse_includes: What may come along; a type of its target may follow.

    Raises:
        Problem: a value cannot be used.
    """
    given: list[tuple[Parameter, str, str]] = []
    used: list[tuple[str, str]] = []
    controls: dict[str, Any] = {}
    along: dict[str, list[str]] = {"_include": [], "_revinclude": []}
    allowed = {"_include": includes, "_revinclude": reverse_includes}
    for name, value in pairs:
        base, _, modifier = name.partition(":")
        if base in _CONTROLS:
            controls |= _control(base, value, sorts)
        elif name in along and ":".join(value.split(":")[:2]) in allowed[name]:
            along[name].append(value)
        elif base in along and strict:
            raise Problem("bad-query", detail=f"{base} does not take {value[:60]!r} here.")
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
    if len(used) > 2 * _MAX_VALUES:
        raise Problem("bad-query", detail="Too many parameters.")
    return Question(
        given=tuple(given),
        used=tuple(used),
        includes=tuple(along["_include"]),
        reverse_includes=tuple(along["_revinclude"]),
        **controls,
    )


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
