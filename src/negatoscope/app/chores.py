"""What the worker does at intervals."""

import threading
from collections.abc import Sequence

from negatoscope.domain.archive import Archive
from negatoscope.entrypoints.worker.chores import Chore
from negatoscope.infra import metrics
from negatoscope.infra.db import load_queries


def chores(archive: Archive) -> Sequence[Chore]:
    """The chores of this version."""
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

    return [
        Chore(name="measure", every_s=15.0, run=measure),
        Chore(name="forget", every_s=3600.0, run=forget),
    ]
