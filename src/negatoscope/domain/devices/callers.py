"""Who called, registered or not: counted in memory, written at intervals, bounded in both places.

A scan of thousands of AE titles costs a process ``MAX_KEYS`` entries and the table ``KEEP_UNKNOWN``
rows; what is beyond is counted under no title.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database

MAX_KEYS: Final = 1000
KEEP_UNKNOWN: Final = 2000
FORGET_AFTER: Final = timedelta(days=90)
_UNUSABLE: Final = re.compile(r"[^ -~]")

_ADD = """
INSERT INTO caller (ae_title, peer_host, accepted_count, refused_count, last_accepted_at, last_refused_at, last_refusal,
                    implementation_class_uid, implementation_version_name)
VALUES (%(ae_title)s, %(peer_host)s, %(accepted)s, %(refused)s, %(accepted_at)s, %(refused_at)s, %(refusal)s,
        %(implementation)s, %(version)s)
ON CONFLICT (ae_title, peer_host) DO UPDATE SET
    accepted_count = caller.accepted_count + excluded.accepted_count,
    refused_count = caller.refused_count + excluded.refused_count,
    last_accepted_at = coalesce(excluded.last_accepted_at, caller.last_accepted_at),
    last_refused_at = coalesce(excluded.last_refused_at, caller.last_refused_at),
    last_refusal = coalesce(excluded.last_refusal, caller.last_refusal),
    implementation_class_uid = coalesce(excluded.implementation_class_uid, caller.implementation_class_uid),
    implementation_version_name = coalesce(excluded.implementation_version_name, caller.implementation_version_name)
"""
_SELECT = """
SELECT c.ae_title, c.peer_host, c.accepted_count, c.refused_count, c.first_at, c.last_accepted_at, c.last_refused_at,
       c.last_refusal, c.implementation_class_uid, c.implementation_version_name, a.id IS NOT NULL
FROM caller c LEFT JOIN application_entity a USING (ae_title)
WHERE %(ae_title)s::text IS NULL OR c.ae_title = %(ae_title)s
ORDER BY greatest(c.last_accepted_at, c.last_refused_at) DESC LIMIT %(limit)s
"""
_FORGET = """
DELETE FROM caller c WHERE greatest(last_accepted_at, last_refused_at) < %(before)s
   OR (ae_title, peer_host) IN (
        SELECT u.ae_title, u.peer_host FROM caller u
        WHERE NOT EXISTS (SELECT 1 FROM application_entity a WHERE a.ae_title = u.ae_title)
        ORDER BY greatest(u.last_accepted_at, u.last_refused_at) DESC OFFSET %(keep)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A calling AE title at a host.

    Attributes:
        last_refusal: Why it was refused last, in the words of the acceptor's policy.
        is_registered: Whether the registry has that title now.
    """

    ae_title: str
    peer_host: str
    accepted_count: int
    refused_count: int
    first_at: datetime
    last_accepted_at: datetime | None
    last_refused_at: datetime | None
    last_refusal: str | None
    implementation_class_uid: str | None
    implementation_version_name: str | None
    is_registered: bool


@dataclass(slots=True)
class _Count:
    accepted: int = 0
    refused: int = 0
    accepted_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str | None = None
    implementation: str | None = None
    version: str | None = None


class CallerLedger:
    """Counts the callers of one process; every thread may use it.

    Args:
        database: Where ``flush`` adds them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], _Count] = {}

    def seen(
        self,
        ae_title: str,
        peer_host: str,
        *,
        refusal: str | None = None,
        implementation_class_uid: str = "",
        implementation_version_name: str = "",
    ) -> None:
        """Count an association, accepted unless there is a ``refusal``; never blocks."""
        key = (_shown(ae_title, 16), _shown(peer_host, 64))
        now = utc_now()
        with self._lock:
            count = self._counts.get(key)
            if count is None:
                if len(self._counts) >= MAX_KEYS:
                    return
                count = self._counts[key] = _Count()
            if refusal is None:
                count.accepted += 1
                count.accepted_at = now
            else:
                count.refused += 1
                count.refused_at, count.refusal = now, refusal
            count.implementation = _shown(implementation_class_uid, 64) or count.implementation
            count.version = _shown(implementation_version_name, 16) or count.version

    def flush(self) -> None:
        """Add what was counted to the table.

        Raises:
            DatabaseUnavailable: it cannot be written now; it is counted on.
        """
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with self._database.connection() as connection:
                for (ae_title, peer_host), count in sorted(counts.items()):
                    connection.execute(
                        _ADD,
                        {
                            "ae_title": ae_title,
                            "peer_host": peer_host,
                            "accepted": count.accepted,
                            "refused": count.refused,
                            "accepted_at": count.accepted_at,
                            "refused_at": count.refused_at,
                            "refusal": count.refusal,
                            "implementation": count.implementation,
                            "version": count.version,
                        },
                    )
        except Exception:
            with self._lock:
                for key, count in counts.items():
                    self._counts.setdefault(key, count)
            raise


def list_callers(
    database: Database, *, ae_title: str | None = None, limit: int = 500
) -> list[Caller]:
    """Callers, the latest first; of one title or of all."""
    with database.connection() as connection:
        rows = connection.execute(_SELECT, {"ae_title": ae_title, "limit": limit}).fetchall()
    return [
        Caller(
            ae_title=row[0],
            peer_host=row[1],
            accepted_count=row[2],
            refused_count=row[3],
            first_at=row[4],
            last_accepted_at=row[5],
            last_refused_at=row[6],
            last_refusal=row[7],
            implementation_class_uid=row[8],
            implementation_version_name=row[9],
            is_registered=row[10],
        )
        for row in rows
    ]


def dismiss(database: Database, *, ae_title: str, peer_host: str) -> bool:
    """Take a caller off the list; it comes back when it calls again.

    Returns: Whether it was there.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "DELETE FROM caller WHERE ae_title = %s AND peer_host = %s", (ae_title, peer_host)
        )
    return cursor.rowcount == 1


def forget(database: Database) -> None:
    """Take away who has not called for long, and unknown ones beyond ``KEEP_UNKNOWN``."""
    with database.connection() as connection:
        connection.execute(_FORGET, {"before": utc_now() - FORGET_AFTER, "keep": KEEP_UNKNOWN})


def activity(callers: Iterable[Caller]) -> dict[str, tuple[datetime | None, int, int]]:
    """When each title was seen last, how often it was accepted and refused, all hosts together."""
    found: dict[str, tuple[datetime | None, int, int]] = {}
    for one in callers:
        latest, accepted, refused = found.get(one.ae_title, (None, 0, 0))
        times = [at for at in (latest, one.last_accepted_at, one.last_refused_at) if at is not None]
        found[one.ae_title] = (
            max(times, default=None),
            accepted + one.accepted_count,
            refused + one.refused_count,
        )
    return found


def _shown(text: str, length: int) -> str:
    """Printable ASCII of a bounded length, whatever a peer sent."""
    return _UNUSABLE.sub("?", text.strip(" "))[:length]
