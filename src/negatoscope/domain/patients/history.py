"""What happened to files: kept, told, and read by those who follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.patients.model import Change, ChangeKind
from negatoscope.infra.db import load_queries
from negatoscope.infra.events import publish

SQL: Final = load_queries("negatoscope.domain.patients.sql", "history.sql")
EVENT: Final = "patient-changed"
"""Of the event in the outbox; its payload has ``change``, ``patient``, ``other``, ``kind``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Some changes.

    Attributes:
        patients: Whose files changed, in the order of their numbers.
        last: Number of the last change, from which to go on.
    """

    patients: tuple[int, ...]
    last: int


def changed_after(
    connection: psycopg.Connection[Any], change: int, *, limit: int = 1000
) -> Followed | None:
    """Whose files changed after a change; None: nobody's."""
    values = {"after": change, "limit": limit}
    rows = connection.execute(SQL["changed_after"], values).fetchall()
    if not rows:
        return None
    patients = {number for row in rows for number in row[1:] if number is not None}
    return Followed(patients=tuple(sorted(patients)), last=rows[-1][0])


def last_of_yesterday(connection: psycopg.Connection[Any]) -> int:
    """Number of the last change of more than a day ago; 0: there is none."""
    row = connection.execute(SQL["last_of_yesterday"]).fetchone()
    return 0 if row is None else int(row[0])


def of_file(connection: psycopg.Connection[Any], number: int) -> list[Change]:
    """Everything that happened to a patient's file, oldest first."""
    return [
        Change(
            id=row[0],
            patient=row[1],
            at=row[2],
            kind=ChangeKind(row[3]),
            before=row[4],
            after=row[5],
            source=row[6],
            other_patient=row[7],
        )
        for row in connection.execute(SQL["of_file"], {"patient": number})
    ]


def record(
    connection: psycopg.Connection[Any],
    number: int,
    kind: ChangeKind,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    source: str,
    other: int | None = None,
) -> None:
    """Add a line to the history of a file, and tell of it.

    Args:
        connection: In the transaction of the change.
        number: Whose file.
        kind: What happened.
        before, after: What differs, as JSON.
        source: ``hl7:<message>`` or ``user:<name>``.
        other: The other file of two.
    """
    row = connection.execute(
        SQL["record"],
        {
            "patient": number,
            "other": other,
            "kind": kind,
            "before": Jsonb(before or {}),
            "after": Jsonb(after or {}),
            "source": source,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an INSERT returns its row
    payload = {"change": row[0], "patient": number, "other": other, "kind": kind}
    publish(connection, EVENT, payload)
