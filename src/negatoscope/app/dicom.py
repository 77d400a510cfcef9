"""The DICOM process: services over the archive, behind one listener."""

import signal
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from negatoscope.app.calling import client_tls
from negatoscope.app.registry import PatientRegistry
from negatoscope.domain.archive import Archive
from negatoscope.domain.archive.commitment import Commitment
from negatoscope.domain.archive.configured import volumes
from negatoscope.domain.archive.headers import header_reader
from negatoscope.domain.archive.query import QueryLimits
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.devices import ApplicationEntity, ae
from negatoscope.domain.identity import Actor
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.entrypoints.dimse.query_scp import QueryScp
from negatoscope.entrypoints.dimse.retrieve_scp import RetrieveSCP
from negatoscope.entrypoints.dimse.server import build_server, timeouts_of
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.entrypoints.dimse.storage_commitment_scp import StorageCommitment
from negatoscope.entrypoints.dimse.storage_scp import StorageScp
from negatoscope.entrypoints.dimse.ups_scp import UpsScp
from negatoscope.entrypoints.dimse.verification_scp import VERIFICATION_SERVICE
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError, DatabaseUnavailable
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse.acceptor import Peer
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest
from negatoscope.subscribers import audit

_LOG = structlog.get_logger(__name__)

_MEASURE_INTERVAL_S = 2.0


def services(
    settings: Settings,
    archive: Archive,
    retrieval: Retrieval,
    reads: audit.ReadRecorder,
    pixels: PixelService,
) -> Sequence[Service]:
    """Everything this version answers."""
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
        *retrieve.services(),
        commitment.service(),
        *UpsScp(
            database=retrieval.database, max_results=settings.limits.max_query_results
        ).services(),
    ]


def serve(
    *, settings: Settings, database: Database, archive: Archive, on_ready: Callable[[], None]
) -> None:
    """Answer associations until SIGTERM or SIGINT, then let the running ones end.

    Raises:
        ConfigurationError: an address or a certificate cannot be used.
    """
    retrieval = Retrieval(database, volumes(settings))
    reads = audit.ReadRecorder(database)
    pixels = PixelService.open(settings.codecs)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def find(ae_title: str) -> ApplicationEntity | None:
        return ae.find(database, ae_title)

    try:
        server = build_server(
            settings,
            services(settings, archive, retrieval, reads, pixels),
            find_ae=PatientRegistry(find).find,
            on_refused=_Refusals(database).note,
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {settings.dicom}: {error.strerror or error}",
            hint="is another program there? choose another with --dicom.",
        ) from error
    server.start()
    on_ready()
    try:
        while not stop.wait(_MEASURE_INTERVAL_S):
            metrics.HALF_OPEN.set(server.stats().half_open)
    finally:
        server.stop(settings.stop_grace_s)
        reads.close()
        pixels.close()
        retrieval.close()


class _Refusals:
    """Refused associations in the audit trail: one row per caller and minute."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, request: AssociateRequest, peer: Peer, reason: str) -> None:
        """Record a refusal; that it cannot be recorded does not make it an acceptance."""
        metrics.REFUSALS.labels("DICOM", "association").inc()
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
