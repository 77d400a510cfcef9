"""Numbers that we give: accession number, filler order number, procedure and step identifiers.

Each comes from a sequence of the database, so two processes never give the same; the unique
constraints say so again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from negatoscope.kit.numbering import check_pattern, format_number

_MAX_TRIES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """How our numbers look and who gives them.

    Attributes:
        pattern: Of the accession number: ``{n}`` or ``{n:08}`` is the running number, ``{yy}`` and
            ``{yyyy}`` the year (UTC); letters, digits, ``. / - _`` stay as they are.
        issuer: Of our accession numbers (0008,0051) and filler order numbers; may be empty.
    """

    pattern: str = "{yy}{n:08}"
    issuer: str = ""

    def __post_init__(self) -> None:
        """Refuse what gives no number.

        Raises:
            ValueError: the pattern has no running number, another sign, or is too long.
        """
        check_pattern(self.pattern)

    def format(self, number: int, *, year: int) -> str:
        """The number as it is written.

        Raises:
            ValueError: it has more than 16 characters by now.
        """

        return format_number(self.pattern, number, year=year)


def next_order_number(connection: psycopg.Connection[Any], numbering: Numbering) -> str:
    """A number no order has, neither as accession nor as filler number."""
    year = datetime.now(UTC).year
    for _ in range(_MAX_TRIES):
        number = numbering.format(_next(connection, "accession_number_seq"), year=year)
        taken = connection.execute(
            "SELECT 1 FROM imaging_service_request WHERE (accession_number = %(number)s"
            " AND issuer_of_accession_number = %(issuer)s)"
            " OR (filler_order_number = %(number)s AND filler_issuer = %(issuer)s) LIMIT 1",
            {"number": number, "issuer": numbering.issuer},
        ).fetchone()
        if taken is None:
            return number
    raise ValueError(f"the pattern {numbering.pattern} has no free number left")


def next_requested_procedure_id(connection: psycopg.Connection[Any]) -> str:
    """(0040,1001)."""
    return _next_free(connection, "requested_procedure", "requested_procedure_id", "RP")


def next_scheduled_procedure_step_id(connection: psycopg.Connection[Any]) -> str:
    """(0040,0009)."""
    return _next_free(connection, "scheduled_procedure_step", "scheduled_procedure_step_id", "SPS")


def _next_free(connection: psycopg.Connection[Any], table: str, column: str, prefix: str) -> str:
    while True:
        identifier = f"{prefix}{_next(connection, f'{table}_seq')}"
        query = f"SELECT 1 FROM {table} WHERE {column} = %s"
        if connection.execute(query, (identifier,)).fetchone() is None:
            return identifier


def _next(connection: psycopg.Connection[Any], sequence: str) -> int:
    row = connection.execute("SELECT nextval(%s::regclass)", (sequence,)).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM gives a row
    return int(row[0])
