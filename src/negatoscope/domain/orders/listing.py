"""Orders found as somebody looks for them, and what waits for a radiologist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from negatoscope.domain.orders import repository
from negatoscope.domain.orders.model import Order, Vetting
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import RequestState
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold

MAX_PAGE: Final = 200
_MAX_WORDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What is looked for; empty sequences and None do not limit.

    Attributes:
        text: Words: of patients' names, units and procedures; beginnings of numbers and codes.
        created_from: Aware; when the order came in.
        created_until: Before this.
        is_not_in_catalogue: A procedure has a code that the catalogue does not know.
    """

    states: Sequence[RequestState] = ()
    priorities: Sequence[str] = ()
    modalities: Sequence[str] = ()
    vetting: Sequence[Vetting] = ()
    text: str = ""
    patient: int | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    is_not_in_catalogue: bool = False


def search(
    connection: Connection, wanted: OrderFilter, *, before: int | None = None, limit: int = 50
) -> list[Order]:
    """Orders that match, the newest first; older ones than ``before``."""
    query = (
        f"SELECT r.id {SQL['matching']}"
        " AND (%(states)s::text[] IS NULL OR r.state = ANY(%(states)s))"
        " AND (%(before)s::bigint IS NULL OR r.id < %(before)s) ORDER BY r.id DESC LIMIT %(limit)s"
    )
    parameters = {**_parameters(wanted), "before": before, "limit": min(limit, MAX_PAGE)}
    rows = connection.execute(query, parameters).fetchall()
    return repository.get_all(connection, [row[0] for row in rows])


def count(connection: Connection, wanted: OrderFilter) -> dict[RequestState, int]:
    """How many match in each state, whatever states are looked for."""
    query = f"SELECT r.state, count(*) {SQL['matching']} GROUP BY r.state"
    rows = connection.execute(query, _parameters(wanted))
    return {RequestState(row[0]): row[1] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A procedure that waits for a radiologist.

    Attributes:
        rank: Of its order's priority, 1 is STAT; with the procedure the place in the list.
    """

    procedure: int
    order: Order
    rank: int


def waiting_for_vetting(
    connection: Connection,
    *,
    modalities: Sequence[str] = (),
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[Waiting]:
    """What waits for a radiologist, the most urgent first.

    Args:
        after: Rank and procedure of the last one that was given.
    """
    rows = connection.execute(
        SQL["waiting_for_vetting"],
        {
            "modalities": list(modalities) or None,
            "after_rank": None if after is None else after[0],
            "after_id": None if after is None else after[1],
            "limit": min(limit, MAX_PAGE),
        },
    ).fetchall()
    orders = {
        one.id: one
        for one in repository.get_all(connection, list(dict.fromkeys(row[1] for row in rows)))
    }
    return [
        Waiting(procedure=row[0], order=orders[row[1]], rank=row[2])
        for row in rows
        if row[1] in orders
    ]


def count_waiting(connection: Connection) -> dict[str, int]:
    """How many wait for a radiologist, by modality."""
    rows = connection.execute(SQL["count_waiting_for_vetting"])
    return {row[0]: row[1] for row in rows}


def studies_of(connection: Connection, order: int) -> dict[int, list[str]]:
    """Studies of the archive that were made for an order, by procedure."""
    found: dict[int, list[str]] = {}
    for row in connection.execute(SQL["studies_of"], {"id": order}):
        found.setdefault(row[0], []).append(row[1])
    return found


def _parameters(wanted: OrderFilter) -> dict[str, Any]:
    words = [
        literal_like(word) for word in fold(wanted.text.replace("\0", "")).split()[:_MAX_WORDS]
    ]
    return {
        "states": [str(one) for one in wanted.states] or None,
        "priorities": [str(one) for one in wanted.priorities] or None,
        "modalities": list(wanted.modalities) or None,
        "vetting": [str(one) for one in wanted.vetting] or None,
        "words": words or None,
        "patient": wanted.patient,
        "created_from": wanted.created_from,
        "created_until": wanted.created_until,
        "is_not_in_catalogue": wanted.is_not_in_catalogue,
    }
