"""Performed steps that wait to be told to other systems."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.performed.sql", "forwarding.sql")
GIVE_UP_S: Final = 3 * 86400.0
"""What could not be delivered in this time is given up."""
Command = Literal["N-CREATE", "N-SET"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One request for one receiver.

    Attributes:
        data_set: DICOM JSON, as it came.
    """

    id: int
    sop_instance_uid: str
    command: Command
    data_set: dict[str, Any]


class Forwarding:
    """The queue. Safe for many threads.

    Args:
        database: Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self) -> list[str]:
        """Receivers who can be tried now; what is old is given up and forgotten."""
        self._write("give_up", age_s=GIVE_UP_S)
        self._write("forget")
        with self._database.connection() as connection:
            return [row[0] for row in connection.execute(SQL["due"])]

    def waiting(self, ae_title: str) -> list[Waiting]:
        """What waits for a receiver, in its order."""
        with self._database.connection() as connection:
            rows = connection.execute(SQL["next"], {"ae_title": ae_title}).fetchall()
        return [
            Waiting(id=row[0], sop_instance_uid=row[1], command=row[2], data_set=row[3])
            for row in rows
        ]

    def delivered(self, number: int) -> None:
        """It was taken."""
        self._write("delivered", id=number)

    def refused(self, number: int, reason: str) -> None:
        """The receiver said no; it is kept for a month, and not tried again."""
        self._write("refused", id=number, error=reason[:500])

    def put_off(self, ae_title: str, reason: str) -> None:
        """The receiver cannot be reached: later, and later."""
        self._write("put_off", ae_title=ae_title, error=reason[:500])

    @contextmanager
    def alone(self, ae_title: str) -> Iterator[bool]:
        """Whether no other worker tells the same receiver, until the end of the block."""
        with self._database.connect() as connection:
            row = connection.execute(SQL["lock"], {"ae_title": ae_title}).fetchone()
            yield bool(row and row[0])

    def _write(self, query: str, **given: object) -> None:
        with self._database.connection() as connection:
            connection.execute(SQL[query], given)
