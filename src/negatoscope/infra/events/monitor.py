"""The outbox as an administrator sees it: how much waits, for how long, what was parked and why."""

from dataclasses import dataclass
from datetime import datetime

from negatoscope.infra.db import Database

_SUMMARY = """
SELECT count(*) FILTER (WHERE parked_at IS NULL), min(created_at) FILTER (WHERE parked_at IS NULL),
       count(*) FILTER (WHERE parked_at IS NULL AND attempts > 0), count(*) FILTER (WHERE parked_at IS NOT NULL)
FROM outbox
"""
_PARKED = """
SELECT id, kind, created_at, parked_at, attempts, coalesce(last_error, '') FROM outbox
WHERE parked_at IS NOT NULL ORDER BY id LIMIT %s
"""
_UNPARK = """
UPDATE outbox SET attempts = 0, parked_at = NULL, not_before = NULL WHERE id = %s AND parked_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """How delivery stands."""

    waiting: int
    oldest_at: datetime | None
    retrying: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedEvent:
    """An event set aside after repeated failure; it is not lost and not delivered."""

    id: int
    kind: str
    created_at: datetime
    parked_at: datetime
    attempts: int
    reason: str


def summary(database: Database) -> Outbox:
    """Counts."""
    with database.connection() as connection:
        row = connection.execute(_SUMMARY).fetchone() or (0, None, 0, 0)
    return Outbox(waiting=row[0], oldest_at=row[1], retrying=row[2], parked=row[3])


def parked(database: Database, *, limit: int = 200) -> list[ParkedEvent]:
    """Events set aside, the oldest first."""
    with database.connection() as connection:
        rows = connection.execute(_PARKED, (limit,)).fetchall()
    return [
        ParkedEvent(
            id=row[0],
            kind=row[1],
            created_at=row[2],
            parked_at=row[3],
            attempts=row[4],
            reason=row[5],
        )
        for row in rows
    ]


def deliver_again(database: Database, event_id: int) -> bool:
    """Have a parked event delivered again, from its first attempt. Returns: Whether it was parked."""
    with database.connection() as connection:
        return connection.execute(_UNPARK, (event_id,)).rowcount == 1
