"""Seal what was recorded: number it without a gap and chain it by hashes.

Who records only inserts a row into ``audit_pending``. One process of a cluster at a time moves
these rows, in batches and in the order of their ids, into ``audit_record``: each gets the next
number of its chain and ``sha256(hash before || canonical form)``. A row of which like events are
still counted waits until its minute is over, all others go within a second or two. Until then a
row can be changed by whoever commands the database; afterwards the change shows.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.infra import metrics
from negatoscope.infra.db import Database, load_queries
from negatoscope.subscribers.audit.model import CHAIN_OF, Chain, event_class

_LOG = structlog.get_logger(__name__)
_SQL = load_queries("negatoscope.subscribers.audit.sql", "chain.sql")

BATCH: Final = 1000
COUNTING_S: Final = 75
"""How long like events share a row: their minute, and time to add the counts of each process."""
LOCK: Final = 0x4E45_4741_544F_0011

FIELDS: Final = (
    *("id", "occurred_at", "last_at", "event_count", "event_class", "actor_kind", "actor_name", "actor_roles"),
    *("credential", "peer", "door", "action", "outcome", "reason", "study_instance_uid", "patient_id"),
    *("issuer_of_patient_id", "accession_number", "destination", "detail"),
)  # fmt: skip
"""What the hash covers, beside the place in the chain and the time of sealing."""


def genesis(chain: str) -> bytes:
    """What stands before the first record of a chain."""
    return hashlib.sha256(f"negatoscope audit {chain}".encode()).digest()


def canonical(chain: str, seq: int, sealed_at: datetime, facts: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed: JSON (RFC 8259) with sorted keys, no spaces, UTF-8.

    Times are UTC with six digits, ``2026-11-24T09:30:00.000000Z``. Whoever has the rows and this
    rule can check the chain without this program.
    """
    document = {
        name: _text(value) if isinstance(value, datetime) else value
        for name, value in facts.items()
    }
    document |= {"chain": chain, "seq": seq, "sealed_at": _text(sealed_at)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(
        "utf-8", "surrogatepass"
    )


def link(before: bytes, form: bytes) -> bytes:
    """The hash of a record."""
    return hashlib.sha256(before + form).digest()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Sealer:
    """Chains what waits.

    Args:
        database: Where the trail is.
        counting_s: How long a row that counts like events waits; less in tests.
    """

    def __init__(self, database: Database, *, counting_s: float = COUNTING_S) -> None:
        self._database = database
        self._counting_s = counting_s

    def seal(self, *, everything: bool = False) -> int:
        """Seal what is due, batch after batch, until nothing is.

        Args:
            everything: Rows that still count too; further like events get a row of their own.
        Returns: How many rows.
        """
        total = 0
        counting_s = 0.0 if everything else self._counting_s
        while True:
            with self._database.connection() as connection:
                count = seal_batch(connection, counting_s=counting_s)
            total += count
            if count < BATCH:
                break
        if total:
            metrics.AUDIT_SEALED.inc(total)
        return total

    def measure(self) -> None:
        """Tell how many rows wait and how long the oldest that is due has."""
        with self._database.connection() as connection:
            waiting, oldest_s = connection.execute(_SQL["waiting"]).fetchone() or (0, 0.0)
        metrics.AUDIT_WAITING.set(waiting)
        metrics.AUDIT_LAG_SECONDS.set(max(0.0, float(oldest_s)))


def seal_batch(connection: psycopg.Connection[Any], *, counting_s: float = COUNTING_S) -> int:
    """Seal up to ``BATCH`` rows in the caller's transaction.

    Returns: How many.
    """
    connection.execute(_SQL["lock"], (LOCK,))
    rows = connection.execute(_SQL["due"], {"counting_s": counting_s, "limit": BATCH}).fetchall()
    if not rows:
        return 0
    heads = {chain: (seq, digest) for chain, seq, digest in connection.execute(_SQL["heads"])}
    sealed_at = _now(connection)
    touched: set[str] = set()
    with connection.cursor().copy(_SQL["append"]) as copy:
        for row in rows:
            facts = dict(zip(FIELDS, row, strict=True))
            kind = event_class(facts["event_class"], facts["action"])
            facts["event_class"] = str(kind)
            chain = str(CHAIN_OF[kind])
            seq, before = heads[chain]
            seq += 1
            digest = link(before, canonical(chain, seq, sealed_at, facts))
            heads[chain] = (seq, digest)
            touched.add(chain)
            facts["detail"] = Jsonb(facts["detail"])
            copy.write_row((chain, seq, digest, sealed_at, *facts.values()))
    for chain in touched:
        connection.execute(
            _SQL["advance"], {"chain": chain, "seq": heads[chain][0], "hash": heads[chain][1]}
        )
    connection.execute(_SQL["forget_pending"], ([row[0] for row in rows],))
    return len(rows)


def heads(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, bytes]]:
    """Number and hash of the last record of each chain."""
    found: Iterable[tuple[str, int, bytes]] = connection.execute(_SQL["heads"])
    known = {chain: (seq, digest) for chain, seq, digest in found}
    return {chain: known.get(chain, (0, genesis(chain))) for chain in map(str, Chain)}


def _now(connection: psycopg.Connection[Any]) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without a table has a row
    at: datetime = row[0]
    return at


def wait_sealed(database: Database, *, timeout_s: float = 5.0) -> None:
    """Seal all there is now; for commands that look at the chain."""
    deadline_s = time.monotonic() + timeout_s
    sealer = Sealer(database)
    while sealer.seal(everything=True) and time.monotonic() < deadline_s:
        continue
