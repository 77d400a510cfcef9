"""Find events: by patient, user, time, class, outcome, study and words; page by page.

Every question is asked of both tables, sealed and waiting, each by an index that yields the newest
first, so that a page costs the same in a trail of a thousand and of a hundred million rows.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import psycopg

from negatoscope.infra.db import Database
from negatoscope.subscribers.audit.errors import BadCursor, SearchTooBroad
from negatoscope.subscribers.audit.model import COLUMNS, AuditEvent, from_row

TIMEOUT_S: Final = 15
PAGE: Final = 2000
"""Rows fetched at a time for an export."""
MAX_WORDS: Final = 8
_WORD = re.compile(r"\S*\w\S*")
_FOLD: Final = str.maketrans("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy")
"""As ``audit_words`` does."""
_WORDY: Final = (
    *("actor_name", "action", "peer", "reason", "destination", "patient_id", "accession_number"),
    "detail",
)
"""What the index of words is of, in its order."""
_MANY: Final = {
    "event_class": "event_classes",
    "outcome": "outcomes",
    "actor_kind": "actor_kinds",
    "id": "ids",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is looked for; everything given must hold.

    Attributes:
        patient_id: The identifier, whole.
        issuer_of_patient_id: Whose identifier; ``""`` is none, None is any.
        actor: A user's name or an AE title, whole, in any case.
        after, before: From this instant, up to and without that.
        event_classes, outcomes, actor_kinds: Any of these.
        study_instance_uid, accession_number, door, action, peer: Whole.
        text: Words, each of which some word of the event begins with.
        ids: Only these.
    """

    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    actor: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    event_classes: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    actor_kinds: Sequence[str] = ()
    study_instance_uid: str | None = None
    accession_number: str | None = None
    door: str | None = None
    action: str | None = None
    peer: str | None = None
    text: str = ""
    ids: Sequence[int] = ()


class Cursor(NamedTuple):
    """Where a page ended."""

    occurred_at: datetime
    id: int

    def __str__(self) -> str:
        """For a link."""
        text = f"{self.occurred_at.astimezone(UTC).isoformat(timespec='microseconds')} {self.id}"
        return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a link's.

        Raises:
            BadCursor: it is none of ours.
        """
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            at, ident = raw.decode("ascii").split(" ")
            moment, number = datetime.fromisoformat(at), int(ident)
        except (ValueError, binascii.Error) as error:
            raise BadCursor from error
        if moment.tzinfo is None or not 0 <= number < 1 << 63:
            raise BadCursor
        return cls(moment, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some events, newest first; ``next`` is where the following page begins."""

    events: Sequence[AuditEvent]
    next: Cursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Events of a day and class."""

    day: date
    event_class: str
    outcome: str
    event_count: int


def search_page(
    database: Database, wanted: Filter, *, cursor: Cursor | None = None, limit: int = 100
) -> Page:
    """A page of events, newest first.

    Raises:
        SearchTooBroad: it takes longer than ``TIMEOUT_S``.
    """
    condition, values = conditions(wanted)
    if cursor is not None:
        condition += " AND (occurred_at, id) < (%(cursor_at)s, %(cursor_id)s)"
        values |= {"cursor_at": cursor.occurred_at, "cursor_id": cursor.id}
    one = (
        f"(SELECT {COLUMNS}, {{place}} FROM {{table}} WHERE {condition}"
        " ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s)"
    )
    sql = (
        f"SELECT * FROM ({one.format(place='chain, seq', table='audit_record')} UNION ALL "
        f"{one.format(place='NULL::text, NULL::bigint', table='audit_pending')}) AS both_tables"
        " ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s"
    )
    rows = ask(database, sql, values | {"limit": limit + 1})
    events = [from_row(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(events=events, next=Cursor(events[-1].occurred_at, events[-1].id) if more else None)


def pages(database: Database, wanted: Filter) -> Iterator[Sequence[AuditEvent]]:
    """Everything that matches, newest first, in pages of a transaction each."""
    cursor: Cursor | None = None
    while True:
        page = search_page(database, wanted, cursor=cursor, limit=PAGE)
        if page.events:
            yield page.events
        cursor = page.next
        if cursor is None:
            return


def days(database: Database, wanted: Filter) -> Sequence[DayCount]:
    """Events by day (UTC), class and outcome, for figures.

    Raises:
        SearchTooBroad: it takes longer than ``TIMEOUT_S``.
    """
    condition, values = conditions(wanted)
    rows = ask(
        database,
        "SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, event_class, outcome, sum(event_count)"
        f" FROM audit_event WHERE {condition} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        values,
    )
    return [
        DayCount(day=row[0], event_class=row[1], outcome=row[2], event_count=int(row[3]))
        for row in rows
    ]


def ask(database: Database, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a question that may not take for ever.

    Raises:
        SearchTooBroad: it took longer than ``TIMEOUT_S``.
    """
    try:
        with database.connection() as connection:
            connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT_S}s'")
            return connection.execute(sql, values).fetchall()
    except psycopg.errors.QueryCanceled as error:
        raise SearchTooBroad(TIMEOUT_S) from error


def conditions(wanted: Filter, *, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """The WHERE clause, made of what is given only: each set has its own plan.

    Args:
        wanted: What is looked for.
        prefix: Before each column, when there are other tables.
    """
    parts = ["true"]
    values: dict[str, Any] = {}

    def add(sql: str, **more: Any) -> None:
        parts.append(prefix + sql)
        values.update(more)

    for column in (
        "patient_id",
        "study_instance_uid",
        "accession_number",
        "door",
        "action",
        "peer",
    ):
        if (value := getattr(wanted, column)) is not None:
            add(f"{column} = %({column})s", **{column: value})
    if wanted.issuer_of_patient_id == "":
        add("issuer_of_patient_id IS NULL")
    elif wanted.issuer_of_patient_id is not None:
        add("issuer_of_patient_id = %(issuer)s", issuer=wanted.issuer_of_patient_id)
    if wanted.after is not None:
        add("occurred_at >= %(after)s", after=wanted.after)
    if wanted.before is not None:
        add("occurred_at < %(before)s", before=wanted.before)
    for column in ("event_class", "outcome", "actor_kind", "id"):
        if some := getattr(wanted, _MANY[column]):
            add(f"{column} = ANY(%({column})s)", **{column: list(some)})
    if wanted.outcomes and "SUCCESS" not in wanted.outcomes:
        add("outcome <> 'SUCCESS'")  # the index is of these
    if wanted.actor is not None:
        parts.append(f"lower({prefix}actor_name) = lower(%(actor)s)")
        values["actor"] = wanted.actor
    if words := _WORD.findall(wanted.text.lower().translate(_FOLD))[:MAX_WORDS]:
        quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in words)
        row = ", ".join(prefix + column for column in _WORDY)
        parts.append(f"audit_words({row}) @@ to_tsquery('simple', %(words)s)")
        values["words"] = " & ".join(f"'{word}':*" for word in quoted)
    return " AND ".join(parts), values
