"""How the trail is: its chains, what waits, the last anchor, the repositories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from negatoscope.infra.db import Database
from negatoscope.subscribers.audit import chain

_WAITING: Final = "SELECT count(*), min(occurred_at) FROM audit_pending"
_ANCHOR: Final = "SELECT number, made_at FROM audit_anchor ORDER BY number DESC LIMIT 1"
_FIRST: Final = "SELECT chain, max(seq) FROM audit_checkpoint GROUP BY chain"
_SINKS: Final = """
SELECT name, position, sent_count, last_sent_at, attempt_count, failed_since, next_attempt_at, last_error,
       (SELECT count(*) FROM (SELECT FROM audit_record r WHERE r.position > s.position LIMIT 100000) AS rest),
       (SELECT min(sealed_at) FROM (SELECT sealed_at FROM audit_record r WHERE r.position > s.position
                                    ORDER BY r.position LIMIT 1) AS oldest)
FROM audit_sink s ORDER BY name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """One chain: its last number, and up to where it was purged."""

    chain: str
    seq: int
    hash: str
    purged_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """A repository and what it was told.

    Attributes:
        waiting_count: Records it was not told yet; 100,000 stands for that many or more.
        oldest_waiting_at: When the first of these was sealed.
    """

    name: str
    position: int
    sent_count: int
    last_sent_at: datetime | None
    attempt_count: int
    failed_since: datetime | None
    next_attempt_at: datetime
    last_error: str | None
    waiting_count: int
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailState:
    """The trail at a moment."""

    chains: Sequence[ChainState]
    waiting_count: int
    oldest_waiting_at: datetime | None
    anchor_number: int | None
    anchored_at: datetime | None
    sinks: Sequence[SinkState]


def state(database: Database) -> TrailState:
    """Look."""
    with database.connection() as connection:
        heads = chain.heads(connection)
        purged: Mapping[str, int] = dict(connection.execute(_FIRST).fetchall())
        waiting = connection.execute(_WAITING).fetchone() or (0, None)
        anchor = connection.execute(_ANCHOR).fetchone() or (None, None)
        sinks = connection.execute(_SINKS).fetchall()
    return TrailState(
        chains=[
            ChainState(chain=name, seq=seq, hash=digest.hex(), purged_seq=purged.get(name, 0))
            for name, (seq, digest) in heads.items()
        ],
        waiting_count=waiting[0],
        oldest_waiting_at=waiting[1],
        anchor_number=anchor[0],
        anchored_at=anchor[1],
        sinks=[
            SinkState(
                name=row[0], position=row[1], sent_count=row[2], last_sent_at=row[3], attempt_count=row[4],
                failed_since=row[5], next_attempt_at=row[6], last_error=row[7], waiting_count=row[8],
                oldest_waiting_at=row[9],
            )
            for row in sinks
        ],
    )  # fmt: skip
