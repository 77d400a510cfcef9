"""Reads come by the thousand; the trail keeps one row per reader, study and minute.

The first read of a minute is written at once, before anything is delivered; further ones are
counted in memory and added within seconds of the minute's end. A killed process loses a count,
never the fact.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.subscribers.audit.trail import record_in

_LOG = structlog.get_logger(__name__)

_MINUTE_S: Final = 60
_SWEEP_S: Final = 3.0
_MAX_KEYS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Key:
    actor: Actor
    action: str
    study_instance_uid: str | None
    peer: str | None
    minute: int
    door: str | None
    credential: str | None
    event_class: str | None
    destination: str | None = None

    @property
    def text(self) -> str:
        parts = (self.actor.kind, self.actor.name, self.peer or "", self.action)
        more = (
            self.event_class or "",
            self.door or "",
            self.credential or "",
            self.destination or "",
        )
        return "|".join((*parts, *more, self.study_instance_uid or "", str(self.minute)))


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
        self._sweeper: threading.Thread | None = None
        self._closed = threading.Event()

    def seen(
        self,
        *,
        actor: Actor,
        action: str,
        study_instance_uid: str | None,
        peer: str | None = None,
        count: int = 1,
        door: str | None = None,
        credential: str | None = None,
        event_class: str | None = None,
        destination: str | None = None,
    ) -> None:
        """Record a read. The first of its kind in this minute is durable when this returns.

        Raises:
            DatabaseUnavailable: it could not be written; nothing must be delivered.
        """
        minute = int(time.time()) // _MINUTE_S
        key = _Key(
            *(actor, str(action), study_instance_uid, peer, minute, door, credential, event_class),
            destination=destination,
        )
        finished: dict[_Key, int] = {}
        with self._lock:
            if minute != self._minute or len(self._counts) >= _MAX_KEYS:
                finished, self._counts = self._counts, {}
                self._minute = minute
            known = key in self._counts
            if known:
                self._counts[key] += count
            if self._sweeper is None:
                self._sweeper = threading.Thread(
                    target=self._sweep, name="audit-reads", daemon=True
                )
                self._sweeper.start()
        if finished:
            self._write_counts(finished)
        if not known:
            self._write(key, count)
            with self._lock:
                if self._minute == minute:
                    self._counts.setdefault(key, 0)

    def _sweep(self) -> None:
        """Add the counts of a minute that is over, though nobody reads any more."""
        while not self._closed.wait(_SWEEP_S):
            with self._lock:
                if int(time.time()) // _MINUTE_S == self._minute:
                    continue
                finished, self._counts = self._counts, {}
            self._write_counts(finished)

    def close(self) -> None:
        """Write what is counted; nothing is recorded any more."""
        self._closed.set()
        self.flush()

    def flush(self) -> None:
        """Write what is counted but not written yet."""
        with self._lock:
            counts = self._counts
            self._counts = dict.fromkeys(counts, 0)
        self._write_counts(counts)

    def _write(self, key: _Key, count: int, *, at: datetime | None = None) -> None:
        with self._database.connection() as connection:
            record_in(
                connection,
                actor=key.actor,
                action=key.action,
                study_instance_uid=key.study_instance_uid,
                peer=key.peer,
                count=count,
                door=key.door,
                credential=key.credential,
                event_class=key.event_class,
                destination=key.destination,
                coalesce_key=key.text,
                occurred_at=at,
            )

    def _write_counts(self, counts: dict[_Key, int]) -> None:
        try:
            for key, count in counts.items():
                if count:
                    end_s = (key.minute + 1) * _MINUTE_S - 0.001
                    at = datetime.fromtimestamp(min(time.time(), end_s), UTC)
                    self._write(key, count, at=at)
        except DatabaseUnavailable as error:
            _LOG.warning("counts of reads are lost, their rows are not", reason=error.message)
