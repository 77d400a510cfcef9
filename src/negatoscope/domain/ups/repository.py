"""The rows of workitems, subscriptions and events."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.ups.events import Report
from negatoscope.domain.ups.model import DicomJson, UpsEvent, Workitem
from negatoscope.domain.ups.states import ProcedureStepState
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.ups.sql", "ups.sql")
MAX_QUEUED_EVENTS: Final = 10_000
"""Of one subscriber; beyond it the oldest are dropped."""
Connection = psycopg.Connection[Any]


def find(connection: Connection, uid: str, *, lock: bool = False) -> Workitem | None:
    """A workitem; with ``lock`` nobody else changes it until the transaction ends."""
    if "\0" in uid:
        return None
    row = connection.execute(SQL["get_locked" if lock else "get"], {"uid": uid}).fetchone()
    return None if row is None else workitem(row)


def workitem(row: Sequence[Any]) -> Workitem:
    """From a row of the table."""
    return Workitem(
        id=row[0],
        sop_instance_uid=row[1],
        state=ProcedureStepState(row[2]),
        transaction_uid=row[3],
        attributes=row[4],
    )


def insert(connection: Connection, uid: str, attributes: DicomJson) -> int | None:
    """A new workitem. Returns: its key; None when the UID is taken."""
    row = connection.execute(
        SQL["insert"], {"uid": uid, "attributes": Jsonb(attributes)}
    ).fetchone()
    return None if row is None else int(row[0])


def save(
    connection: Connection,
    item: Workitem,
    attributes: DicomJson,
    *,
    state: ProcedureStepState | None = None,
    transaction_uid: str | None = None,
) -> None:
    """A changed workitem."""
    connection.execute(
        SQL["update"],
        {
            "id": item.id,
            "state": str(state or item.state),
            "transaction_uid": transaction_uid or item.transaction_uid,
            "attributes": Jsonb(attributes),
        },
    )


def subscribers(connection: Connection, workitem_id: int) -> list[str]:
    """AE titles subscribed to a workitem."""
    return [row[0] for row in connection.execute(SQL["subscribers_of"], {"id": workitem_id})]


def publish(
    connection: Connection, uid: str, ae_titles: Iterable[str], reports: Iterable[Report]
) -> None:
    """Queue events for subscribers; they exist when the transaction commits."""
    titles = sorted(set(ae_titles))
    if not titles:
        return
    connection.execute(SQL["lock_events"])
    for event_type, information in reports:
        connection.execute(
            SQL["add_event"],
            {
                "uid": uid,
                "aes": titles,
                "type": int(event_type),
                "information": Jsonb(information),
            },
        )
    announce(connection, titles)


def announce(connection: Connection, titles: Sequence[str]) -> None:
    """Keep the queues within their bound, and wake whoever listens for these subscribers."""
    connection.execute(SQL["trim"], {"aes": list(titles), "most": MAX_QUEUED_EVENTS})
    connection.execute(SQL["notify"], {"aes": list(titles)})


def events(connection: Connection, ae_title: str, *, after: int, count: int) -> list[UpsEvent]:
    """What a subscriber is to be told, oldest first."""
    rows = connection.execute(SQL["events"], {"ae": ae_title, "after": after, "count": count})
    return [
        UpsEvent(id=row[0], sop_instance_uid=row[1], event_type_id=row[2], information=row[3])
        for row in rows
    ]
