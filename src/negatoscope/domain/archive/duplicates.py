"""An object that is there already: make sure that it really is before the sender is told so."""

import hashlib
import os
from collections.abc import Mapping

import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.segments import OpenSegment
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.storage.contract import Volume

_SQL = load_queries("negatoscope.domain.archive.sql", "index.sql")
_SEGMENTS = load_queries("negatoscope.domain.archive.sql", "segments.sql")
_CHUNK = 1 << 20
_log = structlog.get_logger(__name__)


def digest_of_range(descriptor: int, offset: int, length: int) -> bytes:
    """SHA-256 of a range of a file; of what is there when the file is shorter."""
    digest = hashlib.sha256()
    end = offset + length
    while offset < end:
        data = os.pread(descriptor, min(_CHUNK, end - offset), offset)
        if not data:
            break
        digest.update(data)
        offset += len(data)
    return digest.digest()


class DuplicateKeeper:
    """Looks after the first copy when the same object comes again."""

    def __init__(self, *, database: Database, volumes: Mapping[str, Volume]) -> None:
        self._database = database
        self._volumes = volumes

    def replaced_by(
        self,
        sop_instance_uid: str,
        digest: bytes,
        *,
        segment: OpenSegment,
        offset: int,
        size: int,
        data_set_offset: int,
    ) -> bool:
        """Re-read the first copy and flush it; take the new one in its place when it is damaged.

        Returns: True when the new copy is now the one that counts and must be kept.
        Raises: DatabaseUnavailable.
        """
        with self._database.connection() as connection:
            row = connection.execute(_SQL["location"], {"uid": sop_instance_uid}).fetchone()
            if row is None:
                return False
            instance_id, there, length, dso, sha256, name, volume, _series = row
            if self._is_intact(volume, name, there + dso, length - dso, sha256):
                return False
            _log.error("archive.copy_damaged", segment=name, instance=instance_id)
            moved = connection.execute(
                _SQL["move_instance"],
                {
                    "segment": segment.segment_id, "offset": offset, "size": size, "dso": data_set_offset,
                    "id": instance_id, "sha256": digest,
                },
            ).rowcount  # fmt: skip
            connection.execute(
                _SQL["open_task"],
                {
                    "kind": "copy-damaged", "subject": sop_instance_uid,
                    "detail": Jsonb({"segment": name, "offset": there, "healed": bool(moved)}),
                },
            )  # fmt: skip
            return bool(moved)

    def _is_intact(self, volume: str, name: str, offset: int, length: int, sha256: bytes) -> bool:
        home = self._volumes.get(volume)
        if home is None:
            return False
        try:
            descriptor = os.open(home.segment_path(name), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if digest_of_range(descriptor, offset, length) != sha256:
                return False
            os.fdatasync(descriptor)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def forget_at(self, segment_id: int, offset: int) -> None:
        """Remove the row of an object that did not become durable.

        Raises: DatabaseUnavailable.
        """
        with self._database.connection() as connection:
            connection.execute(_SQL["forget_at"], {"segment": segment_id, "offset": offset})

    def count_dead(self, segment_id: int, byte_count: int) -> None:
        """Bytes of a segment that belong to no object.

        Raises: DatabaseUnavailable.
        """
        with self._database.connection() as connection:
            connection.execute(_SEGMENTS["add_dead_bytes"], {"id": segment_id, "bytes": byte_count})

    def alarm_flush_failed(self, segment: OpenSegment) -> None:
        """A disk that fails to flush needs a person."""
        try:
            with self._database.connection() as connection:
                connection.execute(
                    _SQL["open_task"],
                    {
                        "kind": "flush-failed", "subject": segment.file.path.stem,
                        "detail": Jsonb({"volume": segment.volume.name}),
                    },
                )  # fmt: skip
        except Exception:  # noqa: BLE001 - the refusal itself must still be told
            _log.exception("archive.alarm_not_recorded", segment=segment.file.path.stem)
