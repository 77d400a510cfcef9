"""The DICOM process: services over the archive, behind one listener."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from negatoscope.app.attendant import Apply, Attendant
from negatoscope.app.calling import client_tls
from negatoscope.app.registry import PatientRegistry
from negatoscope.domain.archive import Archive
from negatoscope.domain.archive.commitment import Commitment
from negatoscope.domain.archive.configured import archive_settings, volumes
from negatoscope.domain.archive.headers import header_reader
from negatoscope.domain.archive.query import QueryLimits
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.devices import ApplicationEntity, ae
from negatoscope.domain.devices.callers import CallerLedger
from negatoscope.domain.identity import Actor
from negatoscope.domain.performed.mpps import PerformedSteps
from negatoscope.domain.scheduling.worklist import ModalityWorklist, Naming
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.entrypoints.dimse.mpps_scp import MppsScp
from negatoscope.entrypoints.dimse.policy import ServiceTable
from negatoscope.entrypoints.dimse.query_scp import QueryScp
from negatoscope.entrypoints.dimse.retrieve_scp import RetrieveSCP
from negatoscope.entrypoints.dimse.server import (
    Dispatcher,
    build_server,
    limits_of,
    timeouts_of,
    tls_context,
)
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.entrypoints.dimse.storage_commitment_scp import StorageCommitment
from negatoscope.entrypoints.dimse.storage_scp import StorageScp
from negatoscope.entrypoints.dimse.ups_scp import UpsScp
from negatoscope.entrypoints.dimse.verification_scp import VERIFICATION_SERVICE
from negatoscope.entrypoints.dimse.worklist_scp import WorklistScp
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError, DatabaseUnavailable
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse.acceptor import AssociationServer, Peer
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest
from negatoscope.subscribers import audit

_LOG = structlog.get_logger(__name__)

_MEASURE_INTERVAL_S = 2.0
_MAX_REPORTED: Final = 200
"""Associations told of, per process."""


def services(
    settings: Settings,
    archive: Archive,
    retrieval: Retrieval,
    reads: audit.ReadRecorder,
    pixels: PixelService,
    *,
    live: list[Apply] | None = None,
) -> Sequence[Service]:
    """Everything this version answers; ``live`` gets what takes other settings while it runs."""
    retrieve = RetrieveSCP(
        retrieval=retrieval,
        reads=reads,
        ae_title=settings.ae_title,
        timeouts=timeouts_of(settings),
        tls=client_tls(settings),
        transcoder=Transcoder(pixels=pixels),
    )
    query = QueryScp(
        database=retrieval.database,
        ae_title=settings.ae_title,
        headers=header_reader(retrieval),
        limits=QueryLimits(max_results=settings.limits.max_query_results),
    )

    worklist = WorklistScp(worklist=modality_worklist(settings, retrieval.database), reads=reads)

    mpps = MppsScp(steps=performed_steps(settings, retrieval.database))

    def limit(changed: Settings) -> None:
        query.limits = QueryLimits(max_results=changed.limits.max_query_results)
        worklist.worklist = modality_worklist(changed, retrieval.database)
        mpps.steps = performed_steps(changed, retrieval.database)

    if live is not None:
        live.append(limit)
    commitment = StorageCommitment(
        commitment=Commitment(retrieval),
        database=retrieval.database,
        ae_title=settings.ae_title,
        timeouts=timeouts_of(settings),
        tls=client_tls(settings),
    )
    return [
        VERIFICATION_SERVICE,
        StorageScp(archive).service(),
        query.service(),
        worklist.service(),
        *mpps.services(),
        *retrieve.services(),
        commitment.service(),
        *UpsScp(
            database=retrieval.database, max_results=settings.limits.max_query_results
        ).services(),
    ]


def modality_worklist(settings: Settings, database: Database) -> ModalityWorklist:
    """The steps of the department, with patients named as the settings say."""
    patients = settings.patients
    naming = Naming(preferred_authority=patients.preferred_authority, name=patients.dicom_name)
    return ModalityWorklist(database=database, zone=settings.zone, naming=naming)


def performed_steps(settings: Settings, database: Database) -> PerformedSteps:
    """What modalities perform, told on as the settings say."""
    return PerformedSteps(
        database=database, zone=settings.zone, destinations=settings.mpps_destinations
    )


def serve(
    *, settings: Settings, database: Database, archive: Archive, on_ready: Callable[[], None]
) -> None:
    """Answer associations until SIGTERM or SIGINT, then let the running ones end.

    Raises:
        ConfigurationError: an address or a certificate cannot be used.
    """
    retrieval = Retrieval(database, volumes(settings))
    ledger = CallerLedger(database)
    reads = audit.ReadRecorder(database)
    pixels = PixelService.open(settings.codecs)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def find(ae_title: str) -> ApplicationEntity | None:
        return ae.find(database, ae_title)

    live: list[Apply] = []
    offered = services(settings, archive, retrieval, reads, pixels, live=live)
    dispatcher = Dispatcher(ServiceTable(offered))
    try:
        server = build_server(
            settings,
            offered,
            find_ae=PatientRegistry(find).find,
            on_refused=_Refusals(database, ledger).note,
            on_accepted=_noting(ledger),
            dispatcher=dispatcher,
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {settings.dicom}: {error.strerror or error}",
            hint="is another program there? choose another with --dicom.",
        ) from error
    attendant = _attendant(settings, server, dispatcher, archive, ledger, live=live)
    # What is loaded stays: no collection while images arrive need look at it again.
    gc.collect()
    gc.freeze()
    server.start()
    attendant.start()
    on_ready()
    try:
        while not stop.wait(_MEASURE_INTERVAL_S):
            metrics.HALF_OPEN.set(server.stats().half_open)
    finally:
        server.stop(settings.stop_grace_s)
        attendant.stop()
        reads.close()
        pixels.close()
        retrieval.close()


def _attendant(
    settings: Settings,
    server: AssociationServer,
    dispatcher: Dispatcher,
    archive: Archive,
    ledger: CallerLedger,
    *,
    live: Sequence[Apply],
) -> Attendant:
    """Says which associations there are, and hears of other limits and certificates."""

    def report() -> Mapping[str, Any]:
        now_s = time.time()
        stats = server.stats()
        return {
            "half_open": stats.half_open,
            "accepted": stats.accepted,
            "rejected": stats.rejected,
            "limit_rejected": stats.limit_rejected,
            "refused_handshakes": stats.refused_handshakes,
            "associations": [
                {
                    "calling_ae_title": association.calling_ae_title,
                    "peer_host": association.peer_host,
                    "tls": association.tls_session,
                    "seconds": round(now_s - activity.since_s, 1),
                    "requests": activity.requests,
                    "last": activity.last_name,
                    "idle_s": round(time.monotonic() - association.last_active_at, 1),
                }
                for association, activity in dispatcher.activities()[:_MAX_REPORTED]
            ],
        }

    def apply(changed: Settings) -> None:
        server.reconfigure(limits=limits_of(changed), timeouts=timeouts_of(changed))
        archive.reconfigure(archive_settings(changed, receives=True))

    files = (settings.tls_certificate, settings.tls_key, settings.tls_ca, settings.tls_crl)
    return Attendant(
        settings,
        "dicom",
        report=report,
        apply=[apply, *live],
        at_intervals=[ledger.flush],
        watched=[path for path in files if path is not None],
        on_files=lambda: server.reconfigure(tls=tls_context(settings)),
    )


def _noting(ledger: CallerLedger) -> Callable[[AssociateRequest, Peer], None]:
    def note(request: AssociateRequest, peer: Peer) -> None:
        _count(ledger, request, peer)

    return note


def _count(
    ledger: CallerLedger, request: AssociateRequest, peer: Peer, refusal: str | None = None
) -> None:
    information = request.user_information
    ledger.seen(
        request.calling_ae_title,
        peer.host,
        refusal=refusal,
        implementation_class_uid=information.implementation_class_uid,
        implementation_version_name=information.implementation_version_name or "",
    )


class _Refusals:
    """Refused associations in the audit trail: one row per caller and minute."""

    def __init__(self, database: Database, ledger: CallerLedger) -> None:
        self._database = database
        self._ledger = ledger

    def note(self, request: AssociateRequest, peer: Peer, reason: str) -> None:
        """Record a refusal; that it cannot be recorded does not make it an acceptance."""
        metrics.REFUSALS.labels("DICOM", "association").inc()
        _count(self._ledger, request, peer, reason)
        actor = Actor.anonymous(request.calling_ae_title)
        minute = int(time.time()) // 60
        try:
            with self._database.connection() as connection:
                audit.record_in(
                    connection,
                    actor=actor,
                    action="associate",
                    outcome=audit.Outcome.REFUSED,
                    peer=peer.host,
                    door="dimse",
                    detail={"reason": reason, "called_ae_title": request.called_ae_title},
                    coalesce_key=f"associate|{actor.name}|{peer.host}|{reason}|{minute}",
                )
        except DatabaseUnavailable as error:
            _LOG.warning("a refusal is not in the audit trail", reason=error.message)
