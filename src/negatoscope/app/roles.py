"""The processes of ``serve``, one function each. Every one is told its database by the settings.

What each needs is imported when it runs: the processes are smaller for it, and start sooner.
"""

import os
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import structlog

from negatoscope.app.process import supervised, tell_ready
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings

_LOG = structlog.get_logger(__name__)

_READY_PATIENCE_S = 30.0
_WORKER_NICENESS = 10
"""Settling, metadata and scrubbing take what reception and reading leave."""

_GRANIAN_LOGGING = {
    "formatters": {},
    "handlers": {},
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": True},
    },
}
"""Its events go where all others go."""


def database(settings: Settings, *, max_size: int = 8) -> Database:
    """A pool on the database the settings name.

    Raises:
        ConfigurationError: they name none.
    """
    if settings.database_url is None:
        raise ConfigurationError(
            "no database is named", hint="`negatoscope serve` starts one and names it."
        )
    return Database(settings.database_url, max_size=max_size)


def run_http(settings: Settings) -> None:
    """Serve HTTP with granian until SIGTERM.

    Under the supervisor each process has one worker, and they share the port: granian ends all
    its workers when one died twice in a few seconds, the supervisor only the one.
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops

    server = Granian(
        target="negatoscope.app.asgi:create_app",
        factory=True,
        address=settings.http.host,
        port=settings.http.port,
        interface=Interfaces.ASGI,
        workers=1 if supervised() else settings.http_workers,
        http=HTTPModes.auto,
        loop=Loops.uvloop,
        websockets=True,
        backlog=1024,
        workers_kill_timeout=max(1, int(settings.stop_grace_s)),
        respawn_failed_workers=True,
        log_access=False,
        log_dictconfig=_GRANIAN_LOGGING,
    )
    threading.Thread(target=_tell_when_http_answers, args=(settings,), daemon=True).start()
    server.serve()


def _tell_when_http_answers(settings: Settings) -> None:
    """Wait for ``/readyz``; a node that stays unready (a full volume) still serves what it can."""
    url = f"{base_url(settings, local=True)}/readyz"
    deadline_s = time.monotonic() + _READY_PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except urllib.error.HTTPError as error:
            if time.monotonic() < deadline_s:
                time.sleep(0.1)
                continue
            _LOG.warning("it answers but is not ready", url=url, status=error.code)
        except OSError:
            time.sleep(0.1)
            continue
        tell_ready()
        return


def base_url(settings: Settings, *, local: bool = False) -> str:
    """Where browsers find us, or with ``local`` where this machine does."""
    if settings.public_url and not local:
        return settings.public_url.rstrip("/")
    address = settings.http
    if address.host in {"0.0.0.0", "::"}:  # noqa: S104
        address = address._replace(host="127.0.0.1" if address.host == "0.0.0.0" else "::1")  # noqa: S104
    return f"http://{address}"


def run_dicom(settings: Settings) -> None:
    """Serve DICOM associations until SIGTERM."""
    from negatoscope.app.dicom import serve
    from negatoscope.app.services import opened_archive

    with database(settings, max_size=16) as opened, opened_archive(settings, opened) as archive:
        serve(settings=settings, archive=archive, database=opened, on_ready=tell_ready)


def run_hl7(settings: Settings) -> None:
    """Take HL7 messages and carry them out until SIGTERM."""
    from negatoscope.app.hl7 import serve

    with database(settings, max_size=4) as opened:
        serve(settings=settings, database=opened, on_ready=tell_ready)


def run_worker(settings: Settings) -> None:
    """Run jobs, hand the outbox on and do the chores until SIGTERM."""
    from negatoscope.app.chores import chores
    from negatoscope.app.services import opened_archive
    from negatoscope.domain.ups import Worklist
    from negatoscope.entrypoints.worker.outbox import EVERY_KIND
    from negatoscope.entrypoints.worker.worker import Worker
    from negatoscope.subscribers import audit, metrics

    os.nice(_WORKER_NICENESS)
    with database(settings) as opened, opened_archive(settings, opened) as archive:
        Worklist(opened).report_status("RESTARTED")
        worker = Worker(
            database=opened,
            subscribers={
                "instances-stored": [audit.on_instances_stored],
                EVERY_KIND: [metrics.on_any],
            },
            chores=chores(settings, archive, dicomweb_url=f"{base_url(settings)}/dicom-web"),
            tasks={},
            services={"settings": settings, "database": opened, "archive": archive},
            grace_s=settings.stop_grace_s,
        )
        worker.run(tell_ready)


def run_demo(settings: Settings) -> None:
    """Load the demonstration department, once."""
    from negatoscope.app.services import opened_archive
    from negatoscope.demo.loading import load_demo

    marker = settings.data_dir / "demo-loaded"
    if marker.exists():
        return
    with database(settings) as opened, opened_archive(settings, opened) as archive:
        summary: Any = load_demo(archive)
    marker.touch()
    _LOG.info(
        "demonstration department loaded",
        studies=summary.studies,
        instances=summary.instances,
        seconds=round(summary.duration_s, 1),
    )
