"""Pairs found as files change: only those that share a key with the file that changed are compared."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.patients import Registry, UnknownPatient
from negatoscope.domain.reconciliation.scoring import THRESHOLD, Score, block_keys, score
from negatoscope.infra.db import load_queries
from negatoscope.infra.events import Event

SQL: Final = load_queries("negatoscope.domain.reconciliation.sql", "duplicates.sql")
MOST_TOGETHER: Final = 150
"""A key that more files have than this tells nothing."""
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two files that may be one person's.

    Attributes:
        first: The older file.
        score: 0 to 100.
        reasons: ``[{"code": …, "points": …}]``, the strongest first.
    """

    first: int
    second: int
    score: int
    reasons: list[dict[str, Any]]
    found_at: datetime


def on_patient_changed(connection: Connection, event: Event) -> None:
    """Compare the patients of an event ``patient-changed`` or ``duplicates-wanted``."""
    for name in ("patient", "other"):
        number = event.payload.get(name)
        if number is not None:
            compare(connection, int(number))


def compare(connection: Connection, patient: int) -> int:
    """Find the files that may be the same person's as this one. Returns: how many pairs it has."""
    registry = Registry(connection)
    try:
        one = registry.get(patient)
    except UnknownPatient:
        return 0
    keys = set() if one.merged_into is not None else block_keys(one)
    before = {row[0] for row in connection.execute(SQL["blocks"], {"patient": patient})}
    gone, new = sorted(before - keys), sorted(keys - before)
    if gone:
        connection.execute(SQL["drop_blocks"], {"patient": patient, "keys": gone})
    if new:
        connection.execute(SQL["add_blocks"], {"patient": patient, "keys": new})
    rows = connection.execute(
        SQL["neighbours"], {"keys": sorted(keys), "patient": patient, "most": MOST_TOGETHER}
    ).fetchall()
    found = {
        other.id: scored
        for other in registry.get_all([row[0] for row in rows])
        if other.merged_into is None and (scored := score(one, other)).points >= THRESHOLD
    }
    connection.execute(SQL["forget"], {"patient": patient, "kept": sorted(found)})
    for other_id, scored in sorted(found.items()):
        connection.execute(
            SQL["put"],
            {"a": patient, "b": other_id, "score": scored.points, "reasons": reasons_of(scored)},
        )
    return len(found)


def reasons_of(scored: Score) -> Jsonb:
    """As they are kept."""
    return Jsonb([{"code": str(sign), "points": points} for sign, points in scored.signs])


def open_pairs(
    connection: Connection,
    *,
    limit: int,
    after: tuple[int, int, int] | None = None,
    is_dismissed: bool = False,
) -> list[Pair]:
    """Pairs to be looked at, the likeliest first.

    Args:
        limit: At most so many.
        after: Score, first and second of the last one seen.
        is_dismissed: Those of whom a person said that they are two.
    """
    last = after or (None, 0, 0)
    parameters = {
        "state": "DISMISSED" if is_dismissed else "OPEN", "limit": limit,
        "after_score": last[0], "after_first": last[1], "after_second": last[2],
    }  # fmt: skip
    return [
        Pair(first=row[0], second=row[1], score=row[2], reasons=row[3], found_at=row[4])
        for row in connection.execute(SQL["open"], parameters)
    ]


def decide(connection: Connection, a: int, b: int, *, state: str, by: str) -> None:
    """Remember what a person says of a pair: ``DISMISSED``, or ``OPEN`` again."""
    registry = Registry(connection)
    scored = score(registry.get(a), registry.get(b))
    connection.execute(
        SQL["decide"],
        {
            "a": a, "b": b, "score": scored.points, "reasons": reasons_of(scored), "state": state,
            "by": by,
        },
    )  # fmt: skip
