"""Take away what was kept as long as it must be, and leave the chain verifiable.

A chain is purged from its beginning. A checkpoint keeps the number and the hash of the last record
that went; a record of its own says what was purged, and the verification asks for it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from negatoscope.domain.identity import Actor
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database, load_queries
from negatoscope.subscribers.audit import chain
from negatoscope.subscribers.audit.model import EventClass
from negatoscope.subscribers.audit.trail import record_in

_LOG = structlog.get_logger(__name__)
_SQL = load_queries("negatoscope.subscribers.audit.sql", "retention.sql")
_BATCH: Final = 5000


def purge(
    database: Database,
    days: Mapping[str, int],
    *,
    told_position: int | None = None,
    now: datetime | None = None,
) -> dict[str, int]:
    """Purge one batch of each chain that holds older records.

    Args:
        database: Where the trail is.
        days: For how long each chain keeps its records; 0 is for ever.
        told_position: Up to where every audit repository was told; nothing beyond goes.
        now: Counted from.
    Returns: How many records went, by chain; call again while there are any.
    """
    now = now or utc_now()
    gone: dict[str, int] = {}
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (chain.LOCK,))
        for name, age in days.items():
            if age <= 0:
                continue
            row = connection.execute(
                _SQL["prefix"],
                {
                    "chain": name,
                    "before": now - timedelta(days=age),
                    "told": told_position,
                    "limit": _BATCH,
                },
            ).fetchone()
            if row is None or row[0] is None:
                continue
            last_seq, count = row
            connection.execute(_SQL["checkpoint"], {"chain": name, "seq": last_seq, "count": count})
            connection.execute(_SQL["remove"], {"chain": name, "seq": last_seq})
            gone[name] = count
        if gone:
            checkpoints = [
                {"chain": one, "seq": seq, "hash": digest.hex()}
                for one, seq, digest in connection.execute(_SQL["checkpoints"])
            ]
            record_in(
                connection,
                actor=Actor.system("retention"),
                action="audit purge",
                event_class=EventClass.AUDIT,
                door="worker",
                detail={"checkpoints": checkpoints, "removed": gone},
            )
    if gone:
        _LOG.info("audit.purged", **gone)
    return gone
