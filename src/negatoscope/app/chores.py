"""What the worker does at intervals."""

import threading
from collections.abc import Sequence

from negatoscope.domain.archive import Archive
from negatoscope.domain.archive.lifecycle import Lifecycle
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.entrypoints.worker.chores import Chore
from negatoscope.infra import metrics
from negatoscope.infra.db import load_queries


def chores(archive: Archive, *, dicomweb_url: str) -> Sequence[Chore]:
    """The chores of this version.

    Args:
        archive: This process's.
        dicomweb_url: Where most clients reach our DICOMweb service, for what refers to it.
    """
    database = archive.database
    queries = load_queries("negatoscope.entrypoints.worker.sql", "outbox.sql")

    def measure(_stop: threading.Event) -> None:
        for volume in archive.volumes.values():
            metrics.VOLUME_FREE_BYTES.labels(volume.name).set(max(0, volume.free_bytes()))
        with database.connection() as connection:
            row = connection.execute(queries["waiting"]).fetchone()
        metrics.OUTBOX_EVENTS.set(row[0] if row else 0)

    def forget(_stop: threading.Event) -> None:
        """Take away what has no more use: ended tokens and links, events of ended jobs."""
        with database.connection() as connection:
            connection.execute(
                "DELETE FROM api_token WHERE expires_at < now() - interval '90 days'"
            )
            connection.execute("DELETE FROM setup_link WHERE expires_at < now()")

    lifecycle = Lifecycle(archive)
    metadata = SeriesMetadata(
        Retrieval(database, tuple(archive.volumes.values())), base=dicomweb_url
    )

    def write_series_metadata(series_id: int) -> None:
        metadata.write(series_id, archive.append_member)

    def settle(stop: threading.Event) -> None:
        """Bring studies together that nothing was added to for a while."""
        for study_id, changed_at in lifecycle.due_studies():
            if stop.is_set():
                return
            lifecycle.settle(study_id, changed_at, write_series_metadata=write_series_metadata)

    def recover(_stop: threading.Event) -> None:
        """Look after segments whose writers died while this process lives."""
        archive.recovery.recover()
        archive.recovery.adopt_orphans()

    def compact(_stop: threading.Event) -> None:
        lifecycle.compact()

    return [
        Chore(name="measure", every_s=15.0, run=measure),
        Chore(name="settle", every_s=5.0, run=settle),
        Chore(name="recover", every_s=60.0, run=recover),
        Chore(name="compact", every_s=600.0, run=compact),
        Chore(name="forget", every_s=3600.0, run=forget),
    ]
