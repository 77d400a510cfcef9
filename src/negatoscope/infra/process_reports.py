"""What running processes say of themselves, for whoever asks any of them.

Each process writes one row at intervals; a row older than ``STALE_AFTER`` is of a process that is
gone, or that the database has not heard of since.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.infra.db import Database

STALE_AFTER: Final = timedelta(seconds=30)
_KEPT_FOR: Final = timedelta(minutes=10)

_PUBLISH = """
INSERT INTO process_report (node, pid, role, started_at, report) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (node, pid) DO UPDATE
    SET role = excluded.role, started_at = excluded.started_at, reported_at = now(), report = excluded.report
"""
_SELECT = """
SELECT node, pid, role, started_at, reported_at, report, extract(epoch FROM now() - reported_at)::float8
FROM process_report WHERE reported_at > now() - %s ORDER BY node, role, pid LIMIT 500
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """A process as of ``age_s`` ago, by the database's clock."""

    node: str
    pid: int
    role: str
    started_at: datetime
    reported_at: datetime
    report: Mapping[str, Any]
    age_s: float


@cache
def node_name() -> str:
    """This machine's name, as it calls itself."""
    return socket.gethostname()[:100]


def publish(
    connection: psycopg.Connection[Any], *, role: str, started_at: datetime, report: object
) -> None:
    """Write what this process says of itself."""
    connection.execute(_PUBLISH, (node_name(), os.getpid(), role, started_at, Jsonb(report)))


def withdraw(connection: psycopg.Connection[Any]) -> None:
    """Take this process's row away; it ends."""
    connection.execute(
        "DELETE FROM process_report WHERE node = %s AND pid = %s", (node_name(), os.getpid())
    )


def list_reports(database: Database) -> list[ProcessReport]:
    """Processes heard of lately."""
    with database.connection() as connection:
        rows = connection.execute(_SELECT, (STALE_AFTER,)).fetchall()
    return [
        ProcessReport(
            node=row[0],
            pid=row[1],
            role=row[2],
            started_at=row[3],
            reported_at=row[4],
            report=row[5],
            age_s=row[6],
        )
        for row in rows
    ]


def forget(database: Database) -> None:
    """Take away rows of processes that are gone."""
    with database.connection() as connection:
        connection.execute(
            "DELETE FROM process_report WHERE reported_at < now() - %s", (_KEPT_FOR,)
        )
