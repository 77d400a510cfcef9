"""What happened to files: read by those who follow it."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.patients.sql", "history.sql")


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
