"""The archive of one process: its volumes, its open segments, its index writer."""

import threading
from collections.abc import Sequence
from typing import Any

import structlog

from negatoscope.domain.archive.duplicates import DuplicateKeeper
from negatoscope.domain.archive.index import IndexWriter, UidCodes
from negatoscope.domain.archive.ingest import IngestSession
from negatoscope.domain.archive.ingestor import Ingestor
from negatoscope.domain.archive.model import ArchiveSettings, Source
from negatoscope.domain.archive.recovery import Recovered, Recovery
from negatoscope.domain.archive.segments import SegmentPool, manifest_line
from negatoscope.infra.db import Database
from negatoscope.infra.storage.contract import Volume

_HOUSEKEEPING_S = 1.0
_log = structlog.get_logger(__name__)


class Archive:
    """Opens the doors of ingest.

    Args:
        database: The index.
        volumes: In the order in which they are filled.
        settings: Sizes and times.
        recover: Look at what dead writers left before anything is taken.
    Raises:
        DatabaseUnavailable: the index cannot be asked.
    """

    def __init__(
        self,
        *,
        database: Database,
        volumes: Sequence[Volume],
        settings: ArchiveSettings | None = None,
        recover: bool = True,
    ) -> None:
        self.settings = settings or ArchiveSettings()
        self.database = database
        self.volumes = {volume.name: volume for volume in volumes}
        for volume in volumes:
            (volume.path / "segments").mkdir(parents=True, exist_ok=True)
        self.pool = SegmentPool(database=database, volumes=volumes, settings=self.settings)
        self.codes = UidCodes(database)
        self.writer = IndexWriter(database)
        self.ingestor = Ingestor(
            pool=self.pool,
            writer=self.writer,
            codes=self.codes,
            duplicates=DuplicateKeeper(database=database, volumes=self.volumes),
            index_timeout_s=self.settings.index_timeout_s,
        )
        self.recovery = Recovery(
            database=database,
            pool=self.pool,
            ingestor=self.ingestor,
            index_timeout_s=self.settings.index_timeout_s,
        )
        self.writer.on_reconnect = self.recovery.recheck_own
        self._stopping = threading.Event()
        self._housekeeper = threading.Thread(
            target=self._keep_house, name="segment-housekeeper", daemon=True
        )
        self.recovered = self.recovery.recover() if recover else Recovered()
        self._housekeeper.start()

    def reconfigure(self, settings: ArchiveSettings) -> None:
        """Take other sizes and times, from now on."""
        self.settings = settings
        self.pool.settings = settings

    def _keep_house(self) -> None:
        """Seal segments that nobody writes to any more, have others ready; notice a database that came back without its last
        rows."""
        while not self._stopping.wait(_HOUSEKEEPING_S):
            try:
                self.writer.watch()
                self.pool.seal_idle()
                self.pool.prepare()
            except Exception:  # noqa: BLE001 - tried again in a moment
                _log.exception("archive.housekeeping_failed")

    def open_session(self, source: Source) -> IngestSession:
        """A sender's visit; close it (it is a context manager)."""
        return IngestSession(self.ingestor, source)

    def append_member(
        self, name: str, content: bytes, comment: dict[str, Any]
    ) -> tuple[int, int, int]:
        """Keep a small member of ours (series metadata, a decision) durably.

        Returns: (segment row, offset of the content, length).
        Raises: StorageError, DatabaseUnavailable.
        """
        segment = self.pool.check_out()
        try:
            offset = segment.file.append_whole(name, content, comment)
            segment.file.sync()
            segment.file.entries.append(
                manifest_line(
                    sha256="", offset=offset, size=len(content), data_set_offset=0, name=name
                )
            )
        finally:
            self.pool.check_in(segment)
        return segment.segment_id, offset, len(content)

    def close(self) -> None:
        """Seal what is open and stop. Sessions must be closed before."""
        self._stopping.set()
        self.pool.stop_preparing()
        self._housekeeper.join(timeout=30)
        self.writer.close()
        self.pool.close()
