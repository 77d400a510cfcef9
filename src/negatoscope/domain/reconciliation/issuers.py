"""What an empty Issuer of Patient ID means: configured by device, or joined to nobody.

It is written down with each study when it comes, so what was joined stays joined when the meaning
is changed later. Studies that wait without a patient are looked at again when it changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from negatoscope.domain.performed import binding
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.reconciliation.sql", "issuers.sql")
_BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultIssuer:
    """The issuer of what one device sends; with an empty title, of what all others send.

    Attributes:
        waiting: Studies without a patient that came from there with a bare number.
    """

    calling_ae_title: str
    issuer: str
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A device of which studies with a bare number wait for a patient; empty: not known which."""

    calling_ae_title: str
    waiting: int


def default_issuers(database: Database) -> list[DefaultIssuer]:
    """All of them."""
    with database.connection() as connection:
        rows = connection.execute(SQL["all"]).fetchall()
    return [DefaultIssuer(calling_ae_title=row[0], issuer=row[1], waiting=row[2]) for row in rows]


def senders(database: Database) -> list[Sender]:
    """Devices whose bare numbers join nothing, most studies first."""
    with database.connection() as connection:
        rows = connection.execute(SQL["senders"]).fetchall()
    return [Sender(calling_ae_title=row[0], waiting=row[1]) for row in rows]


def issuers_known(database: Database) -> list[str]:
    """Local names of the authorities that gave numbers to patients here."""
    with database.connection() as connection:
        return [row[0] for row in connection.execute(SQL["known"]).fetchall()]


def set_default_issuers(database: Database, wanted: Sequence[DefaultIssuer], *, by: str) -> None:
    """Put these in the place of all that are there; waiting studies they concern become due."""
    given = {
        "titles": [one.calling_ae_title for one in wanted],
        "issuers": [one.issuer for one in wanted],
        "by": by,
    }
    with database.connection() as connection:
        connection.execute(SQL["lock"])
        connection.execute(SQL["drop"], given)
        connection.execute(SQL["put"], given)
        connection.execute(SQL["make_due"])


def look_again(database: Database, *, is_stopping: Callable[[], bool]) -> int:
    """Join waiting studies by what an empty issuer means now.

    Each study has transactions of its own; what is interrupted is begun again.

    Args:
        is_stopping: Asked before each study.

    Returns: How many were looked at.
    """
    count = 0
    while not is_stopping():
        with database.connection() as connection:
            rows = connection.execute(SQL["due"], {"limit": _BATCH}).fetchall()
        if not rows:
            break
        for key, uid in rows:
            if is_stopping():
                break
            with database.connection() as connection:
                connection.execute(SQL["assume"], {"study": key})
            with database.connection() as connection:
                row = connection.execute(SQL["follow"], {"study": key}).fetchone()
                connection.execute(SQL["looked_at"], {"study": key})
                connection.execute(SQL["note"], {"study": key})
                if row is not None and binding.find(connection, uid) is None:
                    binding.decide_if_fitting(connection, uid)
                elif row is not None:
                    binding.decide(connection, uid)
            count += 1
    return count
