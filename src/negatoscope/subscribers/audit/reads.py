"""Reads come by the thousand; the trail keeps one row per reader, study and minute.

The first read of a minute is written at once, before anything is delivered; further ones are
counted in memory and added when the minute is over. A killed process loses a count, never the
fact.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

import structlog

from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.subscribers.audit.trail import record_in

_LOG = structlog.get_logger(__name__)

_MINUTE_S: Final = 60
_MAX_KEYS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Key:
    actor: Actor
    action: str
    study_instance_uid: str | None
    peer: str | None
    minute: int

    @property
    def text(self) -> str:
        parts = (self.actor.kind, self.actor.name, self.peer or "", self.action)
        return "|".join((*parts, self.study_instance_uid or "", str(self.minute)))


class ReadRecorder:
    """Records reads for one process; every thread may use it.

    Args:
        database: Where the trail is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counts: dict[_Key, int] = {}
        self._minute = 0

    def seen(
        self,
        *,
        actor: Actor,
        action: str,
        study_instance_uid: str | None,
        peer: str | None = None,
        count: int = 1,
    ) -> None:
        """Record a read. The first of its kind in this minute is durable when this returns.

        Raises:
            DatabaseUnavailable: it could not be written; nothing must be delivered.
        """
        minute = int(time.time()) // _MINUTE_S
        key = _Key(actor, str(action), study_instance_uid, peer, minute)
        finished: dict[_Key, int] = {}
        with self._lock:
            if minute != self._minute or len(self._counts) >= _MAX_KEYS:
                finished, self._counts = self._counts, {}
                self._minute = minute
            known = key in self._counts
            if known:
                self._counts[key] += count
        if finished:
            self._write_counts(finished)
        if not known:
            self._write(key, count)
            with self._lock:
                if self._minute == minute:
                    self._counts.setdefault(key, 0)

    def flush(self) -> None:
        """Write what is counted but not written yet."""
        with self._lock:
            counts = self._counts
            self._counts = dict.fromkeys(counts, 0)
        self._write_counts(counts)

    def _write(self, key: _Key, count: int) -> None:
        with self._database.connection() as connection:
            record_in(
                connection,
                actor=key.actor,
                action=key.action,
                study_instance_uid=key.study_instance_uid,
                peer=key.peer,
                count=count,
                coalesce_key=key.text,
            )

    def _write_counts(self, counts: dict[_Key, int]) -> None:
        try:
            for key, count in counts.items():
                if count:
                    self._write(key, count)
        except DatabaseUnavailable as error:
            _LOG.warning("counts of reads are lost, their rows are not", reason=error.message)
