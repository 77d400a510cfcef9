"""Beside the work of each process: says how it is, and hears of changed settings and certificates.

One thread and one connection. Nothing waits for it: a database that is away is tried again, and
the process goes on with what it knows.
"""

import select
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from negatoscope.infra import logging, process_reports, runtime_settings
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db.database import connect
from negatoscope.infra.logging import describe
from negatoscope.infra.settings import Settings

_LOG = structlog.get_logger(__name__)

EVERY_S: Final = 3.0
_RETRY_S: Final = 5.0

Apply = Callable[[Settings], None]


class Attendant:
    """Runs from ``start`` to ``stop``.

    Args:
        settings: As this process read them, ``database_url`` included.
        role: What the process is.
        report: What it says of itself: JSON, small, no patient.
        apply: Called with other settings when an administrator changed some.
        at_intervals: Called about every ``EVERY_S``.
        watched: Files whose change is told to ``on_files``.
        on_files: Likewise.
    """

    def __init__(
        self,
        settings: Settings,
        role: str,
        *,
        report: Callable[[], Mapping[str, Any]] = dict,
        apply: Sequence[Apply] = (),
        at_intervals: Sequence[Callable[[], None]] = (),
        watched: Sequence[Path] = (),
        on_files: Callable[[], None] | None = None,
    ) -> None:
        self._base = self._current = settings
        self._role = role
        self._report = report
        self._apply = (_apply_log_level, *apply)
        self._at_intervals = at_intervals
        self._watched = tuple(watched)
        self._on_files = on_files
        self._seen = _stamps(self._watched)
        self._started_at = utc_now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="attendant", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say so."""
        self._stop.set()
        self._thread.join(EVERY_S + 2)

    def _run(self) -> None:
        url = self._base.database_url
        if url is None:
            return
        while not self._stop.is_set():
            try:
                with connect(url, autocommit=True) as connection:
                    connection.execute(f"LISTEN {runtime_settings.CHANNEL}")
                    while not self._stop.is_set():
                        self._take(runtime_settings.in_force(self._base, connection))
                        self._look_at_files()
                        for act in self._at_intervals:
                            act()
                        process_reports.publish(
                            connection,
                            role=self._role,
                            started_at=self._started_at,
                            report=dict(self._report()),
                        )
                        select.select([connection.fileno()], [], [], EVERY_S)
                        for _ in connection.notifies(timeout=0):
                            pass
                    process_reports.withdraw(connection)
            except Exception as error:  # noqa: BLE001 - the process's own work goes on
                if not self._stop.is_set():
                    _LOG.warning("not heard of for now", reason=describe(error))
                self._look_at_files()
                self._stop.wait(_RETRY_S)

    def _take(self, settings: Settings) -> None:
        if settings == self._current:
            return
        changed = [
            name
            for name in type(settings).model_fields
            if getattr(settings, name) != getattr(self._current, name)
        ]
        self._current = settings
        for apply in self._apply:
            apply(settings)
        _LOG.info("settings changed", names=changed)

    def _look_at_files(self) -> None:
        stamps = _stamps(self._watched)
        if stamps == self._seen or self._on_files is None:
            return
        self._seen = stamps
        try:
            self._on_files()
        except OSError as error:
            _LOG.error("the new certificate cannot be used; the old one stays", reason=str(error))
        else:
            _LOG.info("certificates read again")


def _apply_log_level(settings: Settings) -> None:
    logging.set_level(settings.log_level)


def _stamps(paths: Sequence[Path]) -> tuple[tuple[int, int, int], ...]:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)
