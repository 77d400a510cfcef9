"""What the worker does at intervals."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog

from negatoscope.app.auditing import audit_chores
from negatoscope.app.calling import client_tls
from negatoscope.domain.archive import Archive, space
from negatoscope.domain.archive.commitment import Commitment
from negatoscope.domain.archive.configured import volumes
from negatoscope.domain.archive.lifecycle import Lifecycle
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.verify import verify
from negatoscope.domain.devices import callers
from negatoscope.domain.identity import attempts, links, sessions, setup, tokens
from negatoscope.domain.performed import mpps_desk
from negatoscope.domain.reconciliation import look_again
from negatoscope.domain.ups import Worklist
from negatoscope.domain.ups.delivery import KEEP_EVENTS_S
from negatoscope.entrypoints.dimse.mpps_scu import MppsForwarding
from negatoscope.entrypoints.dimse.server import timeouts_of
from negatoscope.entrypoints.dimse.storage_commitment_scp import StorageCommitment
from negatoscope.entrypoints.dimse.ups_event_scp import UpsEventScp
from negatoscope.entrypoints.worker.chores import Chore
from negatoscope.infra import metrics, process_reports
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.kept_logs import prune
from negatoscope.infra.logging import describe
from negatoscope.infra.settings import Settings
from negatoscope.subscribers.binding import BindingChores

_LOG = structlog.get_logger(__name__)

SCRUB_AGE: Final = timedelta(days=30)
"""Every object is read again, and its digest compared, about once in this time."""
SCRUB_BYTES_PER_S: Final = 40 << 20
"""Leaves the disks to those who wait for them."""

_LIFECYCLE_LOCK: Final = 0x4E45_4741_544F_0003
_SCRUB_LOCK: Final = 0x4E45_4741_544F_0004


def chores(
    settings: Settings,
    archive: Archive,
    *,
    dicomweb_url: str,
    in_force: Callable[[], Settings] | None = None,
) -> Sequence[Chore]:
    """The chores of this version.

    Args:
        settings: At the start.
        archive: This process's.
        dicomweb_url: Where most clients reach our DICOMweb service, for what refers to it.
        in_force: The settings with what was changed since.
    """
    retrieval = Retrieval(archive.database, volumes(settings))
    metadata = SeriesMetadata(retrieval, base=dicomweb_url)
    housekeeping = Housekeeping(archive, metadata)
    commitments = StorageCommitment(
        commitment=Commitment(retrieval),
        database=archive.database,
        ae_title=settings.ae_title,
        timeouts=timeouts_of(settings),
        tls=client_tls(settings),
    )
    ups_events = UpsEventScp(
        database=archive.database,
        ae_title=settings.ae_title,
        timeouts=timeouts_of(settings),
        tls=client_tls(settings),
    )
    worklist = Worklist(archive.database)
    bindings = BindingChores(archive.database)
    forwarding = MppsForwarding(
        database=archive.database,
        ae_title=settings.ae_title,
        timeouts=timeouts_of(settings),
        tls=client_tls(settings),
    )

    def forget_workitems(_stop: threading.Event) -> None:
        current = settings if in_force is None else in_force()
        age_s = current.ups_retention_days * 86400.0
        if gone := worklist.forget(age_s=age_s, event_age_s=KEEP_EVENTS_S):
            _LOG.info("finished workitems deleted", count=len(gone))

    def join_waiting(stop: threading.Event) -> None:
        if count := look_again(archive.database, is_stopping=stop.is_set):
            _LOG.info("studies without patient looked at by their device's issuer", count=count)

    def flag_overdue(_stop: threading.Event) -> None:
        current = settings if in_force is None else in_force()
        if not current.mpps_overdue_h:
            return
        age = timedelta(hours=current.mpps_overdue_h)
        with archive.database.connection() as connection:
            found = mpps_desk.flag_overdue(connection, age=age, now=utc_now())
        if found:
            _LOG.info("performed steps that did not end", count=len(found))

    settle_every_s = min(10.0, max(0.5, settings.settle_idle_s / 4))
    return [
        Chore(name="commitments", every_s=2.0, run=commitments.run_due),
        Chore(name="ups events", every_s=1.0, run=ups_events.run_due),
        Chore(name="mpps forwarding", every_s=2.0, run=forwarding.run_due),
        Chore(name="mpps overdue", every_s=60.0, run=flag_overdue),
        Chore(name="image counts", every_s=1.0, run=bindings.tell_arrivals),
        Chore(name="default issuers", every_s=5.0, run=join_waiting),
        Chore(name="bindings", every_s=5.0, run=bindings.follow_patients),
        Chore(name="ups retention", every_s=600.0, run=forget_workitems),
        Chore(name="announce", every_s=1.0, run=housekeeping.announce),
        Chore(name="settle", every_s=settle_every_s, run=housekeeping.settle, is_patient=True),
        Chore(name="recover", every_s=5.0, run=housekeeping.recover),
        Chore(name="adopt", every_s=300.0, run=housekeeping.adopt, is_patient=True),
        Chore(name="compact", every_s=600.0, run=housekeeping.compact, is_patient=True),
        Chore(name="scrub", every_s=6 * 3600.0, run=housekeeping.scrub, is_patient=True),
        Chore(name="measure", every_s=15.0, run=housekeeping.measure),
        Chore(name="sample", every_s=600.0, run=housekeeping.sample),
        Chore(name="logs", every_s=300.0, run=lambda _stop: prune(settings.data_dir / "logs")),
        Chore(name="forget", every_s=3600.0, run=housekeeping.forget),
        *audit_chores(settings, archive.database),
    ]


class Housekeeping:
    """Looks after objects at rest and after the tables; one worker of a cluster at a time.

    Args:
        archive: The worker's own.
        metadata: Writes the metadata of series.
    """

    def __init__(self, archive: Archive, metadata: SeriesMetadata) -> None:
        self._archive = archive
        self._database = archive.database
        self._lifecycle = Lifecycle(archive)
        self._metadata = metadata
        self._outbox = load_queries("negatoscope.entrypoints.worker.sql", "outbox.sql")

    def settle(self, stop: threading.Event) -> None:
        """Bring studies to which nothing was added together, and write their series metadata."""
        due = self._lifecycle.due_studies()
        if not due:
            return
        with _alone(self._database, _LIFECYCLE_LOCK) as alone:
            for study_id, changed_at in due if alone else ():
                if stop.is_set():
                    return
                try:
                    self._lifecycle.settle(
                        study_id, changed_at, write_series_metadata=self._write_metadata
                    )
                except DatabaseUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - the other studies must settle
                    _LOG.error("a study does not settle", study=study_id, reason=describe(error))

    def announce(self, _stop: threading.Event) -> None:
        """Tell subscribers what arrived."""
        self._lifecycle.announce()

    def recover(self, _stop: threading.Event) -> None:
        """Look after segments whose writers died, or gave them up, while this process lives.

        What such a segment holds beyond the index was acknowledged and cannot be read until then.
        """
        self._archive.recovery.recover()

    def adopt(self, _stop: threading.Event) -> None:
        """Look for segments that no row knows: this reads the volumes' directories."""
        self._archive.recovery.adopt_orphans()

    def compact(self, _stop: threading.Event) -> None:
        """Give back the space of segments that are half dead."""
        with _alone(self._database, _LIFECYCLE_LOCK) as alone:
            removed = self._lifecycle.compact() if alone else 0
        if removed:
            _LOG.info("segments compacted", removed=removed)

    def scrub(self, stop: threading.Event) -> None:
        """Read again what was not read for long, and compare digests."""
        with _alone(self._database, _SCRUB_LOCK) as alone:
            if not alone:
                return
            pace = _Pace(SCRUB_BYTES_PER_S, stop)
            try:
                result = verify(
                    self._database,
                    dict(self._archive.volumes),
                    older_than=utc_now() - SCRUB_AGE,
                    progress=pace.keep,
                )
            except _Stopped:
                return
        if result.failed:
            _LOG.error("objects are damaged", sop_instance_uids=result.failed[:20])
        if result.verified:
            _LOG.info("objects verified", verified=result.verified, damaged=len(result.failed))

    def measure(self, _stop: threading.Event) -> None:
        """Figures that nobody else knows."""
        for volume in self._archive.volumes.values():
            metrics.VOLUME_FREE_BYTES.labels(volume.name).set(max(0, volume.free_bytes()))
        with self._database.connection() as connection:
            row = connection.execute(self._outbox["waiting"]).fetchone()
        metrics.OUTBOX_EVENTS.set(row[0] if row else 0)

    def forget(self, _stop: threading.Event) -> None:
        """Take away what has no more use: tokens and links that ended long ago."""
        tokens.forget_ended(self._database)
        setup.forget_ended(self._database)
        sessions.forget_ended(self._database)
        links.forget_ended(self._database)
        attempts.forget_old(self._database)
        callers.forget(self._database)
        process_reports.forget(self._database)

    def sample(self, _stop: threading.Event) -> None:
        """How full the volumes are, for the estimate of when they will be."""
        space.sample(self._database, tuple(self._archive.volumes.values()))

    def _write_metadata(self, series_id: int) -> None:
        self._metadata.write(series_id, self._archive.append_member)


class _Stopped(Exception):
    """The worker ends."""


class _Pace:
    """Slows a reader down to a rate."""

    def __init__(self, bytes_per_s: int, stop: threading.Event) -> None:
        self._bytes_per_s = bytes_per_s
        self._stop = stop
        self._started_s = time.monotonic()

    def keep(self, _objects: int, bytes_read: int) -> None:
        """Wait until this many bytes are allowed.

        Raises:
            _Stopped: the worker ends.
        """
        ahead_s = bytes_read / self._bytes_per_s - (time.monotonic() - self._started_s)
        if self._stop.wait(max(0.0, ahead_s)):
            raise _Stopped


@contextmanager
def _alone(database: Database, key: int) -> Iterator[bool]:
    """Whether this process, of all of a cluster, may do something for the length of the block."""
    with database.connect(autocommit=True) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        yield bool(row and row[0])
