"""Write to the outbox, and what is read from it.

NOTIFY is left to events that somebody waits for. PostgreSQL commits transactions that notify one
after the other, and the writers of the archive must share the flush of the log; the worker looks
every half second anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

CHANNEL: Final = "negatoscope_outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and is committed.

    Attributes:
        id: Rises with time; the same when an event is delivered again.
        kind: ``instances-stored`` …
        payload: JSON; UIDs and our own ids, no names.
        created_at: When the change was made.
        attempts: How often delivery failed before.
    """

    id: int
    kind: str
    payload: Mapping[str, Any]
    created_at: datetime
    attempts: int


def publish(
    connection: psycopg.Connection[Any],
    kind: str,
    payload: Mapping[str, object],
    *,
    wake: bool = False,
) -> int:
    """Add an event to the caller's transaction.

    Args:
        connection: In a transaction of the caller's.
        kind: What happened.
        payload: JSON; no names of patients.
        wake: Tell the worker at once instead of within half a second.
    Returns: The event's id.
    """
    row = connection.execute(
        "INSERT INTO outbox (kind, payload) VALUES (%s, %s) RETURNING id", (kind, Jsonb(payload))
    ).fetchone()
    if wake:
        connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    assert row is not None  # noqa: S101 - an INSERT without conflict clause returns its row
    return int(row[0])
