"""What happens to objects at rest: settling into the study's own segment, sealing, compaction.

Moving never alters: the same name, comment and bytes are written to another segment, digested on the way, flushed and sealed;
only then do the rows change, each one only if the object still lies where it was read.
"""

import contextlib
import datetime
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.segments import OpenSegment, manifest_line, member_bytes
from negatoscope.infra.db import load_queries
from negatoscope.infra.storage import tar
from negatoscope.infra.storage.contract import choose_volume
from negatoscope.infra.storage.errors import SegmentDamaged, StorageError
from negatoscope.infra.storage.posix.segment import scan

_SQL = load_queries("negatoscope.domain.archive.sql", "lifecycle.sql")
_SEGMENTS = load_queries("negatoscope.domain.archive.sql", "segments.sql")
_INDEX = load_queries("negatoscope.domain.archive.sql", "index.sql")
_CHUNK = 1 << 20
_MAX_SETTLED_BYTES = 32 << 30
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A member and the row that points at it."""

    row_id: int
    kind: str
    segment_id: int
    segment_name: str
    volume: str
    offset: int
    size: int
    data_set_offset: int
    sha256: bytes


class Lifecycle:
    """Moves objects at rest. One process at a time (the worker holds an advisory lock per study or segment)."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._database = archive.database

    # -- settling ---------------------------------------------------------------------------------------------------

    def due_studies(self) -> list[tuple[int, datetime.datetime]]:
        """Studies that may settle: (row, time of the last change)."""
        with self._database.connection() as connection:
            rows = connection.execute(
                _SQL["due_studies"], {"idle_s": self._archive.settings.settle_idle_s}
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def settle(
        self,
        study_id: int,
        changed_at: datetime.datetime,
        *,
        write_series_metadata: Callable[[int], object],
    ) -> bool:
        """Bring a study together on disk and write its series metadata.

        Args:
            write_series_metadata: Called with each series that has none.
        Returns: True when the members were rewritten.

        A study that changed since stays in the queue. One of which the settling fails, or dies, is due again after
        ``settle_idle_s``, behind those that waited.
        """
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["study_members"], {"study": study_id}).fetchall()
        members = [
            Placed(
                row_id=r[0], kind="instance", segment_id=r[1], offset=r[2], size=r[3], data_set_offset=r[4],
                sha256=r[5], segment_name=r[6], volume=r[7],
            )
            for r in rows
        ]  # fmt: skip
        apart = bool(members) and scattered(members)
        if apart and not all(row[8] == "SEALED" for row in rows):
            return False  # its segments are still written: later
        with self._database.connection() as connection:
            begun = connection.execute(
                _SQL["begin_settling"], {"study": study_id, "changed_at": changed_at}
            ).fetchone()
        if begun is None:
            return False
        rewritten = apart and sum(member.size for member in members) <= _MAX_SETTLED_BYTES
        if rewritten:
            self.move(members)
        with self._database.connection() as connection:
            series = connection.execute(
                _SQL["series_without_metadata"], {"study": study_id}
            ).fetchall()
        for (series_id,) in series:
            write_series_metadata(series_id)
        with self._database.connection() as connection:
            connection.execute(_SQL["settled"], {"study": study_id, "changed_at": begun[0]})
        return rewritten

    def announce(self) -> int:
        """Turn what arrived since the last time into events. Returns: how many."""
        with self._database.connection() as connection:
            return connection.execute(_INDEX["announce_arrivals"]).rowcount

    # -- moving -----------------------------------------------------------------------------------------------------

    def move(self, members: Sequence[Placed]) -> int:
        """Write members, in this order, into a new segment of their own.

        The rows change in the transaction that tells of the sealed segment: whoever dies before leaves a segment that is
        still OPEN, of which recovery counts the copies as dead.

        Returns: How many moved; a damaged one stays and becomes a task.
        Raises: StorageError: nothing moved. DatabaseUnavailable: all moved, or nothing.
        """
        target = self._archive.pool.create(choose_volume(self._archive.pool.volumes))
        moved: list[tuple[Placed, int]] = []
        try:
            for member in members:
                try:
                    moved.append((member, self._copy(member, target)))
                except SegmentDamaged as error:
                    target.file.rollback()
                    self._alarm(member, str(error))
            length = target.file.seal()
        except BaseException:
            self._archive.pool.discard(target)
            raise
        try:
            with self._database.connection() as connection:
                self._archive.pool.mark_sealed(connection, target, length)
                self._point_at(connection, target, moved)
        finally:
            target.file.close()
        return len(moved)

    def _point_at(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        target: OpenSegment,
        moved: Sequence[tuple[Placed, int]],
    ) -> None:
        """Change rows to the new places; count what nothing points at any more."""
        dead: Counter[int] = Counter()
        for member, offset in sorted(moved, key=lambda pair: pair[0].row_id):
            statement = "move" if member.kind == "instance" else "move_set_aside"
            changed = connection.execute(
                _SQL[statement],
                {
                    "segment": target.segment_id, "offset": offset, "id": member.row_id,
                    "old_segment": member.segment_id, "old_offset": member.offset,
                },
            ).rowcount  # fmt: skip
            dead[member.segment_id if changed else target.segment_id] += member_bytes(member.size)
        for segment_id, count in sorted(dead.items()):
            connection.execute(_SEGMENTS["add_dead_bytes"], {"id": segment_id, "bytes": count})

    def _copy(self, member: Placed, target: OpenSegment) -> int:
        path = self._archive.volumes[member.volume].segment_path(member.segment_name)
        with _opened(path) as descriptor:
            header = tar.decode_header(
                os.pread(descriptor, tar.HEADER_BYTES, member.offset - tar.HEADER_BYTES)
            )
            if header is None or header.size != member.size:
                raise SegmentDamaged("member header differs from its row")
            digest = hashlib.sha256()
            offset = target.file.begin(os.pread(descriptor, member.data_set_offset, member.offset))
            position, end = member.offset + member.data_set_offset, member.offset + member.size
            while position < end:
                data = os.pread(descriptor, min(_CHUNK, end - position), position)
                if not data:
                    break
                digest.update(data)
                target.file.write(data)
                position += len(data)
        if digest.digest() != member.sha256:
            raise SegmentDamaged("digest differs")
        target.file.finish(name=header.name, mtime_s=header.mtime_s, comment=header.comment)
        target.file.accept()
        target.file.entries.append(
            manifest_line(
                sha256=member.sha256.hex(), offset=offset, size=member.size,
                data_set_offset=member.data_set_offset, name=header.name,
            )
        )  # fmt: skip
        return offset

    def _alarm(self, member: Placed, reason: str) -> None:
        _log.error("archive.member_damaged", segment=member.segment_name, offset=member.offset)
        with self._database.connection() as connection:
            connection.execute(
                _INDEX["open_task"],
                {
                    "kind": "object-damaged", "subject": f"{member.kind}:{member.row_id}",
                    "detail": Jsonb({"segment": member.segment_name, "offset": member.offset, "reason": reason}),
                },
            )  # fmt: skip

    # -- compaction ---------------------------------------------------------------------------------------------------

    def compact(self) -> int:
        """Empty segments that are half dead, and remove their files. Returns: how many were removed."""
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["sparse_segments"]).fetchall()
        removed = 0
        for segment_id, name, volume, _length, _dead in rows:
            home = self._archive.volumes.get(volume)
            if home is None:
                continue
            try:
                removed += self._empty(segment_id, name, volume)
            except StorageError as error:
                _log.error("compaction.failed", segment=name, error=str(error))
        return removed

    def _empty(self, segment_id: int, name: str, volume: str) -> int:
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["live_members"], {"segment": segment_id}).fetchall()
        live = [
            Placed(
                row_id=r[0], kind=r[1], segment_id=segment_id, offset=r[2], size=r[3], data_set_offset=r[4],
                sha256=r[5], segment_name=name, volume=volume,
            )
            for r in rows
        ]  # fmt: skip
        if live:
            self.move(live)
        self._keep_journal(name, volume)
        with self._database.connection() as connection:
            if connection.execute(_SQL["live_members"], {"segment": segment_id}).fetchone():
                return 0  # a damaged member stays where it is, with its task
            connection.execute(_SQL["drop_metadata_of_segment"], {"segment": segment_id})
            connection.execute(_SQL["segment_deleted"], {"segment": segment_id})
        self._archive.volumes[volume].segment_path(name).unlink(missing_ok=True)
        return 1

    def _keep_journal(self, name: str, volume: str) -> None:
        """Decisions outlive the segment they were written to."""
        path = self._archive.volumes[volume].segment_path(name)
        with _opened(path) as descriptor:
            for member in scan(descriptor, length=os.fstat(descriptor).st_size):
                if member.header.comment.get("kind") == "journal":
                    self._archive.append_member(
                        member.header.name,
                        os.pread(descriptor, member.header.size, member.content_offset),
                        member.header.comment,
                    )


def scattered(members: Sequence[Placed]) -> bool:
    """True when reading the study means jumping about: many short runs, or shared by several segments in small pieces."""
    places = sorted((m.segment_id, m.offset, m.size) for m in members)
    runs = 1
    for (segment_a, offset_a, size_a), (segment_b, offset_b, _) in pairwise(places):
        expected = offset_a + size_a + tar.padding(size_a) + tar.HEADER_BYTES
        if segment_a != segment_b or expected != offset_b:
            runs += 1
    return runs > 4 and runs * 8 > len(members)


@contextlib.contextmanager
def _opened(path: os.PathLike[str]) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SegmentDamaged(f"segment cannot be opened: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
