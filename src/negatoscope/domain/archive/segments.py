"""Segments as the archive uses them: a pool of open ones, their rows, sealing.

A writer checks a segment out, appends, gives it back. The file's lock says that its writer lives; the row says OPEN until
the manifest is written. Rows are made after the file is durable, so a row always has a file.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from negatoscope.domain.archive.model import ArchiveSettings
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.storage import tar
from negatoscope.infra.storage.contract import Volume, choose_volume
from negatoscope.infra.storage.errors import StorageError, VolumeFull
from negatoscope.infra.storage.posix.segment import ScannedMember, SegmentFile
from negatoscope.kit.ulid import new_ulid

_SQL = load_queries("negatoscope.domain.archive.sql", "segments.sql")
#: Two system calls for each object are saved; a full disk is told by its own error meanwhile.
_ROOM_REMEMBERED_S = 0.2
#: Segments are prepared in steps between which a sender is noticed,
_PREPARED_STEP_BYTES = 16 << 20
#: and on volumes that have room for so many times what is prepared.
_PREPARED_ROOM_FACTOR = 16
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class OpenSegment:
    """A segment held by this process.

    Attributes:
        segment_id: Its row.
        volume: Where it lies.
        file: The open file.
    """

    segment_id: int
    volume: Volume
    file: SegmentFile

    def note_member(self, member: ScannedMember) -> None:
        """Add a member to the manifest to come."""
        comment = member.header.comment
        self.file.entries.append(
            manifest_line(
                sha256=str(comment.get("sha256", "")),
                offset=member.content_offset,
                size=member.header.size,
                data_set_offset=int(comment.get("dso", 0)),
                name=member.header.name,
            )
        )


def manifest_line(*, sha256: str, offset: int, size: int, data_set_offset: int, name: str) -> str:
    """One line of ``MANIFEST.tsv``; ``-`` where a member has no digest."""
    return f"{sha256 or '-'}\t{offset}\t{size}\t{data_set_offset}\t{name}\n"


def member_end(member: ScannedMember) -> int:
    """Offset after a member and its padding."""
    return member.content_offset + member.header.size + tar.padding(member.header.size)


def member_bytes(size: int) -> int:
    """Bytes that a member of this size takes in a segment, headers and padding included."""
    return tar.HEADER_BYTES + size + tar.padding(size)


class SegmentPool:
    """Open segments of this process.

    Thread-safe. ``check_out`` never waits for another writer: it opens one more segment.
    """

    def __init__(
        self, *, database: Database, volumes: Sequence[Volume], settings: ArchiveSettings
    ) -> None:
        self._database = database
        self.volumes = tuple(volumes)
        self.settings = settings
        self._idle: list[OpenSegment] = []
        self._spare: list[OpenSegment] = []
        self._last_taken_s = time.monotonic()
        self._out: dict[int, OpenSegment] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._stopping = False
        self._room: dict[str, tuple[float, bool]] = {}

    def check_out(self) -> OpenSegment:
        """A segment to append to: the one used last that has prepared space, a spare one, the one used last.

        Raises: VolumeFull, WriteFailed, DatabaseUnavailable.
        """
        volume = choose_volume(self.volumes)
        with self._lock:
            self._last_taken_s = time.monotonic()
            segment = self._choose(volume)
            if segment is not None:
                self._out[segment.segment_id] = segment
                return segment
        segment = self.create(volume)
        with self._lock:
            self._out[segment.segment_id] = segment
        return segment

    def _choose(self, volume: Volume) -> OpenSegment | None:
        """Take one out of those that are there. The lock is held."""
        idle = [segment for segment in reversed(self._idle) if segment.volume is volume]
        chosen = next((segment for segment in idle if segment.file.is_prepared), None)
        if chosen is None:
            for position, segment in enumerate(self._spare):
                if segment.volume is volume:
                    return self._spare.pop(position)
            chosen = idle[0] if idle else None
        if chosen is not None:
            self._idle.remove(chosen)
        return chosen

    @property
    def has_spare(self) -> bool:
        """Whether a prepared segment waits for a writer."""
        return bool(self._spare)

    def has_room(self, volume: Volume) -> bool:
        """Whether a volume is above its watermark, as of a moment ago."""
        now = time.monotonic()
        known = self._room.get(volume.name)
        if known is None or now - known[0] > _ROOM_REMEMBERED_S:
            known = self._room[volume.name] = (now, volume.has_room())
        return known[1]

    def check_in(self, segment: OpenSegment) -> None:
        """Give a segment back; it is sealed when it is long enough, abandoned when it is broken."""
        with self._lock:
            self._out.pop(segment.segment_id, None)
        if segment.file.broken:
            self.abandon(segment)
            return
        if segment.file.end >= self.settings.segment_max_bytes:
            self.seal(segment)
            return
        with self._lock:
            if not self._closed:
                self._idle.append(segment)
                return
        segment.file.close()

    def create(self, volume: Volume) -> OpenSegment:
        """A new segment outside the pool.

        Raises: VolumeFull, WriteFailed, DatabaseUnavailable.
        """
        name = new_ulid()
        file = SegmentFile.create(volume.segment_path(name))
        try:
            with self._database.connection() as connection:
                row = connection.execute(
                    _SQL["insert_segment"], {"name": name, "volume": volume.name}
                ).fetchone()
        except BaseException:
            file.path.unlink(
                missing_ok=True
            )  # a row that was made all the same is found to be empty
            file.close()
            raise
        assert row is not None  # noqa: S101 - INSERT … RETURNING
        return OpenSegment(segment_id=row[0], volume=volume, file=file)

    def abandon(self, segment: OpenSegment) -> None:
        """Let go of a segment without sealing it; recovery looks at it when its lock is free."""
        with self._lock:
            self._out.pop(segment.segment_id, None)
        _log.error("segment.abandoned", segment=segment.file.path.stem, volume=segment.volume.name)
        segment.file.close()

    def discard(self, segment: OpenSegment) -> None:
        """Remove a segment of which nothing was told to anybody."""
        try:
            with self._database.connection() as connection:
                connection.execute(_SQL["delete_segment_row"], {"id": segment.segment_id})
            segment.file.path.unlink(missing_ok=True)
        finally:
            segment.file.close()

    def seal(self, segment: OpenSegment) -> None:
        """Write the manifest and mark the row, in a synchronous transaction.

        That commit also flushes every asynchronous one before it, so rows of a sealed segment never vanish.
        """
        try:
            self._mark_sealed(segment, segment.file.seal())
        except Exception as error:  # noqa: BLE001 - whatever it was, the segment stays OPEN for recovery
            _log.warning("segment.seal_failed", segment=segment.file.path.stem, error=str(error))
        finally:
            segment.file.close()

    def settle_sealed(self, segment: OpenSegment, manifest: ScannedMember) -> None:
        """The file was sealed and its row was not told: tell it.

        Raises: WriteFailed, DatabaseUnavailable.
        """
        self._mark_sealed(segment, segment.file.close_sealed(member_end(manifest)))

    def _mark_sealed(self, segment: OpenSegment, length: int) -> None:
        with self._database.connection() as connection:
            self.mark_sealed(connection, segment, length)

    @staticmethod
    def mark_sealed(
        connection: psycopg.Connection[tuple[Any, ...]], segment: OpenSegment, length: int
    ) -> None:
        """Tell the row of a segment, in the caller's transaction, that its file is sealed."""
        connection.execute(
            _SQL["seal_segment"],
            {"id": segment.segment_id, "length": length, "members": len(segment.file.entries)},
        )

    def seal_idle(self, *, older_than_s: float | None = None) -> int:
        """Seal segments nobody has appended to for a while. Returns: how many."""
        limit = self.settings.segment_idle_s if older_than_s is None else older_than_s
        now = time.monotonic()
        with self._lock:
            due = [s for s in self._idle if now - s.file.last_used_s >= limit]
            self._idle = [s for s in self._idle if now - s.file.last_used_s < limit]
        for segment in due:
            self.seal(segment)
        return len(due)

    # -- segments kept ready ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """While nothing arrives, have segments ready whose space is on the device already (see ``SegmentFile.prepare``).

        Raises: StorageError, DatabaseUnavailable.
        """
        if not self._is_quiet():
            return
        wanted = self.settings.prepared_segments
        volume = self._volume_with_much_room() if wanted else None
        with self._lock:
            spare = [segment for segment in self._spare if segment.volume is volume][:wanted]
            unwanted = [segment for segment in self._spare if segment not in spare]
            self._spare = spare
        for segment in unwanted:
            self.discard(segment)
        while volume is not None and len(self._spare) < wanted and self._is_quiet():
            self._prepare_one(volume)

    def _prepare_one(self, volume: Volume) -> None:
        segment = self.create(volume)
        try:
            left = self.settings.prepared_bytes
            while left > 0 and self._is_quiet():
                segment.file.prepare(min(left, _PREPARED_STEP_BYTES))
                left -= _PREPARED_STEP_BYTES
        except BaseException:
            self.discard(segment)
            raise
        with self._lock:
            if not self._closed:
                self._spare.append(segment)
                return
        self.discard(segment)

    def _volume_with_much_room(self) -> Volume | None:
        """Where the next segment will be made, if there is room for more than that."""
        settings = self.settings
        needed = settings.prepared_segments * settings.prepared_bytes * _PREPARED_ROOM_FACTOR
        try:
            volume = choose_volume(self.volumes)
            has_room = volume.free_bytes() - volume.low_watermark_bytes >= needed
        except (VolumeFull, OSError):
            return None
        return volume if has_room else None

    def _is_quiet(self) -> bool:
        """Nothing was stored a moment ago."""
        used_s = [self._last_taken_s, *(segment.file.last_used_s for segment in self.held())]
        return (
            not self._stopping and time.monotonic() - max(used_s) >= self.settings.prepare_after_s
        )

    def stop_preparing(self) -> None:
        """Break off what ``prepare`` is doing on another thread, and begin no more: the process is about to end."""
        self._stopping = True

    def held(self) -> list[OpenSegment]:
        """Every segment of this process, idle or being written."""
        with self._lock:
            return [*self._idle, *self._out.values()]

    def close(self) -> None:
        """Seal what is idle; segments still out are closed when they come back."""
        with self._lock:
            self._closed = True
            due, self._idle = self._idle, []
            spare, self._spare = self._spare, []
        for segment in due:
            try:
                self.seal(segment)
            except StorageError:
                segment.file.close()
        for segment in spare:
            try:
                self.discard(segment)
            except DatabaseUnavailable:
                _log.warning("segment.spare_left", segment=segment.file.path.stem)
