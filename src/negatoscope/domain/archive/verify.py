"""Re-reading what is stored: the digest of every data set against the one computed when it arrived."""

import datetime
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.duplicates import digest_of_range
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.storage.contract import Volume

_SQL = load_queries("negatoscope.domain.archive.sql", "lifecycle.sql")
_INDEX = load_queries("negatoscope.domain.archive.sql", "index.sql")
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Verification:
    """Result of one pass.

    Attributes:
        verified: Objects whose digest agrees.
        failed: SOP Instance UIDs whose bytes are missing or differ.
        bytes_read: Of data sets.
    """

    verified: int
    failed: list[str]
    bytes_read: int


def verify(
    database: Database,
    volumes: dict[str, Volume],
    *,
    study_instance_uid: str | None = None,
    older_than: datetime.datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Read objects from their segments, in the order in which they lie, and compare digests.

    Args:
        study_instance_uid: Only this study.
        older_than: Only what was last verified (or received) before.
        progress: Called with objects and bytes so far.
    Raises: DatabaseUnavailable.
    """
    result = Verification(verified=0, failed=[], bytes_read=0)
    descriptors = _Descriptors(volumes)
    try:
        for batch in _batches(database, study_instance_uid, older_than):
            good: list[int] = []
            for row_id, _segment, offset, size, dso, sha256, name, volume, uid in batch:
                descriptor = descriptors.get(volume, name)
                try:
                    same = descriptor is not None and (
                        digest_of_range(descriptor, offset + dso, size - dso) == sha256
                    )
                except OSError:
                    same = False
                if same:
                    good.append(row_id)
                    result.verified += 1
                    result.bytes_read += size - dso
                else:
                    result.failed.append(uid)
                    _report(database, uid, name, offset)
            with database.connection() as connection:
                connection.execute(_SQL["verified"], {"ids": good})
            if progress is not None:
                progress(result.verified + len(result.failed), result.bytes_read)
    finally:
        descriptors.close()
    return result


def _batches(
    database: Database, study: str | None, older_than: datetime.datetime | None
) -> Iterator[list[tuple[int, int, int, int, int, bytes, str, str, str]]]:
    segment, offset = 0, -1
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                _SQL["verify_batch"],
                {"segment": segment, "offset": offset, "study": study, "older_than": older_than},
            ).fetchall()
        if not rows:
            return
        segment, offset = rows[-1][1], rows[-1][2]
        yield rows


def _report(database: Database, uid: str, segment: str, offset: int) -> None:
    _log.error("verify.failed", sop_instance_uid=uid, segment=segment, offset=offset)
    with database.connection() as connection:
        connection.execute(
            _INDEX["open_task"],
            {
                "kind": "digest-mismatch", "subject": uid,
                "detail": Jsonb({"segment": segment, "offset": offset}),
            },
        )  # fmt: skip


class _Descriptors:
    """The segment being read; rows come segment by segment, so one is enough."""

    def __init__(self, volumes: dict[str, Volume]) -> None:
        self._volumes = volumes
        self._name = ""
        self._descriptor: int | None = None

    def get(self, volume: str, name: str) -> int | None:
        if name != self._name:
            self.close()
            self._name = name
            home = self._volumes.get(volume)
            try:
                self._descriptor = (
                    os.open(home.segment_path(name), os.O_RDONLY | os.O_CLOEXEC) if home else None
                )
            except OSError:
                self._descriptor = None
        return self._descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
