"""The processes of ``serve``, one function each. Every one is told its database by the settings.

What each needs is imported when it runs: the processes are smaller for it, and start sooner.
"""

import os
import signal
import ssl
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from negatoscope.app.process import supervised, tell_ready
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import HostPort, Settings

_LOG = structlog.get_logger(__name__)

_RENEWAL_LOOK_S: Final = 2.0
_RENEWAL_SETTLE_S: Final = 0.5
_RENEWAL_OVERLAP_S: Final = 15.0
"""A new worker has so long to be ready before the old one ends."""
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
    """Serve HTTP, or HTTPS where the settings ask for it, with granian until SIGTERM.

    Under the supervisor each process has one worker, and they share the port: granian ends all
    its workers when one died twice in a few seconds, the supervisor only the one.
    """
    if settings.https is None:
        _serve_http(settings, settings.http)
        return
    certificate, key = settings.https_files
    assert certificate is not None  # noqa: S101 - the settings are consistent
    assert key is not None  # noqa: S101 - the settings are consistent
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigurationError(
            f"HTTPS cannot use {certificate} and {key}: {error}",
            hint="https_certificate and https_key (or tls_certificate, tls_key) name PEM files.",
        ) from error
    threading.Thread(target=_renew, args=(certificate, key), name="renewal", daemon=True).start()
    _serve_http(settings, settings.https, certificate=certificate, key=key)


def run_http_plain(settings: Settings) -> None:
    """Beside HTTPS: lead there, or serve in clear too."""
    if settings.http_redirect:
        _serve_http(settings, settings.http, target="negatoscope.app.asgi:create_redirect")
    else:
        _serve_http(settings, settings.http)


def _serve_http(
    settings: Settings,
    address: HostPort,
    *,
    target: str = "negatoscope.app.asgi:create_app",
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols

    server = Granian(
        target=target,
        factory=True,
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGI,
        workers=1 if supervised() else settings.http_workers,
        http=HTTPModes.auto,
        loop=Loops.uvloop,
        websockets=True,
        backlog=1024,
        workers_kill_timeout=max(1, int(settings.stop_grace_s)),
        respawn_interval=_RENEWAL_OVERLAP_S,
        respawn_failed_workers=True,
        log_access=False,
        log_dictconfig=_GRANIAN_LOGGING,
        ssl_protocol_min=SSLProtocols.tls12,
        ssl_cert=certificate,
        ssl_key=key,
    )
    os.register_at_fork(after_in_child=_die_of_signals)
    server.serve()


def _die_of_signals() -> None:
    """In a new worker of granian: until it listens to signals, they end it.

    It has inherited handlers that only take note of a signal for the process above.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _renew(certificate: Path, key: Path) -> None:
    """Have granian start new workers when the certificate was renewed; the old ones finish."""
    files = (certificate, key)
    seen = _stamps(files)
    while True:
        time.sleep(_RENEWAL_LOOK_S)
        stamps = _stamps(files)
        if stamps == seen or None in stamps:
            continue
        time.sleep(_RENEWAL_SETTLE_S)  # key and certificate are two files
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except OSError as error:
            if _stamps(files) == stamps:
                _LOG.error(
                    "the new certificate cannot be used; the old one stays", reason=str(error)
                )
                seen = stamps
            continue
        seen = stamps
        _LOG.info("certificate renewed")
        os.kill(os.getpid(), signal.SIGHUP)


def _stamps(files: tuple[Path, ...]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino))
    return found


def base_url(settings: Settings, *, local: bool = False) -> str:
    """Where browsers find us, or with ``local`` where this machine does."""
    if settings.public_url and not local:
        return settings.public_url.rstrip("/")
    if settings.https is not None:
        return f"https://{_reachable(settings.https)}"
    return f"http://{_reachable(settings.http)}"


def _reachable(address: HostPort) -> HostPort:
    """Where this machine reaches a listener."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    return address._replace(host=host)


def run_dicom(settings: Settings) -> None:
    """Serve DICOM associations until SIGTERM."""
    from negatoscope.app.dicom import serve
    from negatoscope.app.services import opened_archive

    with (
        database(settings, max_size=16) as opened,
        opened_archive(settings, opened, receives=True) as archive,
    ):
        serve(settings=settings, archive=archive, database=opened, on_ready=tell_ready)


def run_hl7(settings: Settings) -> None:
    """Take HL7 messages and carry them out until SIGTERM."""
    from negatoscope.app.attendant import Attendant
    from negatoscope.app.hl7 import serve

    attendant = Attendant(settings, "hl7")
    with database(settings, max_size=8) as opened:
        attendant.start()
        try:
            serve(settings=settings, database=opened, on_ready=tell_ready)
        finally:
            attendant.stop()


def run_worker(settings: Settings) -> None:
    """Run jobs, hand the outbox on and do the chores until SIGTERM."""
    from negatoscope.app.attendant import Attendant
    from negatoscope.app.chores import chores
    from negatoscope.app.dicom import modality_worklist
    from negatoscope.app.services import opened_archive
    from negatoscope.domain.archive.configured import archive_settings
    from negatoscope.domain.archive.following import present
    from negatoscope.domain.orders import KIND as WORKFLOW_CHANGED
    from negatoscope.domain.reconciliation import on_patient_changed
    from negatoscope.domain.scheduling.hours import Rules
    from negatoscope.domain.ups import Worklist
    from negatoscope.entrypoints.worker.outbox import EVERY_KIND
    from negatoscope.entrypoints.worker.worker import Worker
    from negatoscope.subscribers import audit, binding, metrics, notifications
    from negatoscope.subscribers.appointments import Following
    from negatoscope.subscribers.outbound_hl7 import OutboundHl7
    from negatoscope.subscribers.workitems import StepWorkitems

    os.nice(_WORKER_NICENESS)
    live = {"settings": settings}
    hl7 = OutboundHl7(settings.zone)
    appointments = Following(Rules.of(settings))
    with database(settings) as opened, opened_archive(settings, opened) as archive:
        Worklist(opened).report_status("RESTARTED")
        patients = settings.patients
        present(opened, preferred_authority=patients.preferred_authority, name=patients.dicom_name)
        workitems = StepWorkitems(
            lambda: (
                modality_worklist(live["settings"], opened)
                if live["settings"].steps_as_workitems
                else None
            )
        )
        worker = Worker(
            database=opened,
            subscribers={
                "instances-stored": [
                    audit.on_instances_stored,
                    notifications.on_instances_stored,
                    binding.on_instances_stored,
                ],
                WORKFLOW_CHANGED: [
                    notifications.on_workflow_changed,
                    appointments.on_workflow_changed,
                    binding.on_workflow_changed,
                    workitems.on_workflow_changed,
                    hl7.on_workflow_changed,
                ],
                "patient-changed": [hl7.on_patient_changed, on_patient_changed],
                "duplicates-wanted": [on_patient_changed],
                "hl7-processed": [hl7.on_message_processed],
                EVERY_KIND: [metrics.on_any],
            },
            chores=chores(
                settings,
                archive,
                dicomweb_url=f"{base_url(settings)}/dicom-web",
                in_force=lambda: live["settings"],
            ),
            tasks={},
            services={"settings": settings, "database": opened, "archive": archive},
            grace_s=settings.stop_grace_s,
        )

        def apply(changed: Settings) -> None:
            archive.reconfigure(archive_settings(changed))
            live["settings"] = changed

        attendant = Attendant(settings, "worker", report=worker.report, apply=[apply])
        attendant.start()
        try:
            worker.run(tell_ready)
        finally:
            attendant.stop()


def run_demo(settings: Settings) -> None:
    """Load the demonstration department and its desk's work once, and a day of it each day."""
    from negatoscope.app.services import opened_archive
    from negatoscope.demo.catalogue import load_catalogue
    from negatoscope.demo.day import load_day
    from negatoscope.demo.identities import load_identities
    from negatoscope.demo.loading import load_demo
    from negatoscope.demo.orders import load_orders
    from negatoscope.demo.stays import load_stays
    from negatoscope.domain.orders import Numbering
    from negatoscope.domain.scheduling.hours import Rules

    rules = Rules.of(settings)
    today = datetime.now(rules.zone).date().isoformat()
    marker, day = settings.data_dir / "demo-loaded", settings.data_dir / "demo-day"
    desk = settings.data_dir / "demo-desk"
    has_department = marker.exists()
    if has_department and day.exists() and day.read_text("ascii") == today:
        return
    with database(settings) as opened, opened_archive(settings, opened) as archive:
        if not has_department:
            load_catalogue(opened)
            given = settings.orders
            numbering = Numbering(
                pattern=given.accession_number_pattern, issuer=given.issuer_of_accession_number
            )
            load_orders(opened, zone=settings.zone, numbering=numbering)  # before their images
            summary: Any = load_demo(archive)
            marker.touch()
            _LOG.info(
                "demonstration department loaded",
                studies=summary.studies,
                instances=summary.instances,
                seconds=round(summary.duration_s, 1),
            )
        begun = time.monotonic()
        count = load_day(opened, archive, rules)
        load_stays(opened, rules)
        if not desk.exists():
            count += load_identities(opened, archive, zone=settings.zone)[1]
            desk.touch()
        day.write_text(today, "ascii")
    _LOG.info(
        "demonstration day loaded",
        instances=count,
        seconds=round(time.monotonic() - begun, 1),
    )
