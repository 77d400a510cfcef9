"""What an empty Issuer of Patient ID means: configured by device, or joined to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

from negatoscope.infra.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultIssuer:
    """The issuer of what one device sends; with an empty title, of what all others send."""

    calling_ae_title: str
    issuer: str


def default_issuers(database: Database) -> list[DefaultIssuer]:
    """All of them."""
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT calling_ae_title, issuer FROM default_issuer ORDER BY calling_ae_title"
        ).fetchall()
    return [DefaultIssuer(calling_ae_title=row[0], issuer=row[1]) for row in rows]


def set_default_issuers(database: Database, wanted: Sequence[DefaultIssuer], *, by: str) -> None:
    """Put these in the place of all that are there."""
    with database.connection() as connection:
        connection.execute("DELETE FROM default_issuer")
        for one in wanted:
            connection.execute(
                "INSERT INTO default_issuer (calling_ae_title, issuer, changed_by) VALUES (%s, %s, %s)",
                (one.calling_ae_title, one.issuer, by),
            )
