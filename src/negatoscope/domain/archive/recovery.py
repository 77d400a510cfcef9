"""Make index and segments agree after a crash of the program, of the database or of the machine.

For each segment whose writer is gone: what is whole and not in the index is indexed again; a row whose object is not whole
goes (it was never acknowledged: an acknowledgement follows the flush *and* the commit); a half-written end is cut off. Only the
last members can be in doubt, since a segment's writer flushes after a few at most; those are digested. A whole
object that is in the index at another place is the copy of a settling that was not finished: its bytes count as dead. A decision
that was written and not carried out is carried out.
"""

import datetime
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.committing import GROUP_OBJECTS
from negatoscope.domain.archive.decisions import apply_decision
from negatoscope.domain.archive.digest import Running
from negatoscope.domain.archive.duplicates import digest_of_range
from negatoscope.domain.archive.errors import ArchiveError, IndexUnavailable
from negatoscope.domain.archive.index import Indexed
from negatoscope.domain.archive.ingest import understand
from negatoscope.domain.archive.ingestor import Ingestor
from negatoscope.domain.archive.record import build_record
from negatoscope.domain.archive.segments import (
    OpenSegment,
    SegmentPool,
    manifest_line,
    member_bytes,
    member_end,
)
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.storage.contract import Volume
from negatoscope.infra.storage.errors import SegmentMissing, StorageError
from negatoscope.infra.storage.posix.segment import (
    MANIFEST_NAME,
    README_NAME,
    ScannedMember,
    SegmentFile,
)
from negatoscope.kit.ulid import new_ulid
from negatoscope.protocols.dicom.dataset.errors import DataSetError
from negatoscope.protocols.dicom.dataset.scanner import DataSetScanner
from negatoscope.protocols.dicom.part10 import Part10Error, read_file_meta

_SQL = load_queries("negatoscope.domain.archive.sql", "segments.sql")
_INDEX = load_queries("negatoscope.domain.archive.sql", "index.sql")
#: Members that one flush may have been for, and a few.
_DOUBTFUL = GROUP_OBJECTS + 4
_META_BYTES = 64 << 10
_CHUNK = 1 << 20
_DECISION_MAX_BYTES = 1 << 20
#: A younger file without a row is being created at this moment.
_ORPHAN_AGE_S = 60.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Recovered:
    """What one look at the segments did.

    Attributes:
        segments: Looked at.
        indexed: Objects that were whole and not in the index.
        forgotten: Rows without a whole object.
        damaged: Members whose bytes are not what their header says.
    """

    segments: int = 0
    indexed: int = 0
    forgotten: int = 0
    damaged: int = 0

    def add(self, other: "Recovered") -> None:
        """Sum up."""
        self.segments += other.segments
        self.indexed += other.indexed
        self.forgotten += other.forgotten
        self.damaged += other.damaged


def is_object(member: ScannedMember) -> bool:
    """A DICOM file, not one of our own members."""
    return member.header.comment.get("kind") == "dcm"


def is_void(member: ScannedMember) -> bool:
    """What is left of an object that was not taken."""
    return member.header.comment.get("kind") == "void"


def is_decision(member: ScannedMember) -> bool:
    """An administrator's decision."""
    return member.header.comment.get("kind") == "journal"


def decision_of(descriptor: int, member: ScannedMember) -> dict[str, Any]:
    """What was decided."""
    raw = os.pread(descriptor, min(member.header.size, _DECISION_MAX_BYTES), member.content_offset)
    return dict(orjson.loads(raw))


def is_sealed(members: Sequence[ScannedMember]) -> bool:
    """The segment has its manifest."""
    return bool(members) and members[-1].header.name == MANIFEST_NAME


def is_intact(descriptor: int, member: ScannedMember) -> bool:
    """Re-read a member and compare its digest."""
    comment = member.header.comment
    offset = int(comment["dso"])
    digest = digest_of_range(
        descriptor, member.content_offset + offset, member.header.size - offset
    )
    meta = digest_of_range(descriptor, member.content_offset, offset)
    return (digest.hex(), meta.hex()[:16]) == (comment["sha256"], comment["meta_sha256"])


def payload_of_member(
    ingestor: Ingestor, descriptor: int, member: ScannedMember, *, segment_id: int
) -> dict[str, Any]:
    """The index record of a member, read from its file again.

    Raises: DataSetError, Part10Error, ArchiveError: it cannot be indexed (it was accepted once, so something changed).
    """
    comment = member.header.comment
    start, end = member.content_offset, member.content_offset + member.header.size
    meta = read_file_meta(os.pread(descriptor, min(_META_BYTES, member.header.size), start))
    scanner = DataSetScanner(meta.transfer_syntax_uid)
    running = Running()
    position = start + meta.data_set_offset
    while position < end:
        data = os.pread(descriptor, min(_CHUNK, end - position), position)
        if not data:
            break
        scanner.feed(data)
        running.update(data)
        position += len(data)
    record = build_record(scanner.finish(), sop_class_uid=None, sop_instance_uid=None)
    payload = ingestor.payload(record, data_set_offset=meta.data_set_offset, full=True)
    payload.update(
        ts=ingestor.codes.code(meta.transfer_syntax_uid),
        sha=comment["sha256"],
        crc=running.digests().crc32,
        seg=segment_id,
        off=start,
        size=member.header.size,
        received=comment.get("received_at") or datetime.datetime.now(datetime.UTC).isoformat(),
        ae=comment.get("calling") or None,
    )
    return payload


def _void(segment: OpenSegment, torn: Sequence[ScannedMember]) -> int:
    """Members whose bytes did not all arrive, with whole ones behind them. Returns: bytes that are dead."""
    for member in torn:
        name = f"{new_ulid()}.void"
        segment.file.void(member.content_offset, name=name, size=member.header.size)
        segment.file.entries.append(
            manifest_line(
                sha256="", offset=member.content_offset, size=member.header.size, data_set_offset=0, name=name
            )
        )  # fmt: skip
    return sum(member_bytes(member.header.size) for member in torn)


class Recovery:
    """Looks at open segments."""

    def __init__(
        self, *, database: Database, pool: SegmentPool, ingestor: Ingestor, index_timeout_s: float
    ) -> None:
        self._database = database
        self._pool = pool
        self._ingestor = ingestor
        self._timeout_s = index_timeout_s

    def recover(self) -> Recovered:
        """Take over and settle every segment without a living writer; seal it.

        Raises: DatabaseUnavailable.
        """
        total = Recovered()
        for segment in self._adopt():
            try:
                total.add(self.examine(segment))
                self._finish(segment)
            except (StorageError, ArchiveError) as error:
                _log.error(
                    "recovery.segment_failed", segment=segment.file.path.stem, error=str(error)
                )
                segment.file.close()
        if total.segments:
            _log.info(
                "recovery.done", segments=total.segments, indexed=total.indexed,
                forgotten=total.forgotten, damaged=total.damaged,
            )  # fmt: skip
        return total

    def _adopt(self) -> Iterator[OpenSegment]:
        volumes = {volume.name: volume for volume in self._pool.volumes}
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["open_segments"]).fetchall()
        for segment_id, name, volume_name in rows:
            volume = volumes.get(volume_name)
            if volume is None:
                continue
            try:
                file = SegmentFile.adopt(volume.segment_path(name))
            except SegmentMissing:
                yield from self._missing(segment_id, name, volume)
                continue
            if file is not None:
                yield OpenSegment(segment_id=segment_id, volume=volume, file=file)

    def _missing(self, segment_id: int, name: str, volume: Volume) -> Iterator[OpenSegment]:
        """The file is gone: with its volume (say so, touch nothing), or before it ever held an object."""
        if not (volume.path / "segments").is_dir():
            _log.error("recovery.volume_absent", volume=volume.name, segment=name)
            return
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["rows_of_segment"], {"id": segment_id}).fetchall()
            if rows:
                _alarm(
                    connection,
                    "segment-missing",
                    name,
                    {"volume": volume.name, "objects": len(rows)},
                )
            else:
                connection.execute(_SQL["delete_segment_row"], {"id": segment_id})
        yield from ()

    def orphans(self) -> Iterator[tuple[Path, int | None]]:
        """Segment files that no row knows (a crash between file and row, or an older database), with None; those whose row says
        that they were removed (a crash between row and file), with the row."""
        for volume in self._pool.volumes:
            files = sorted((volume.path / "segments").glob("*/*.tar"))
            for first in range(0, len(files), 1000):
                names = [file.stem for file in files[first : first + 1000]]
                with self._database.connection() as connection:
                    known = {
                        name: (row_id, state)
                        for name, row_id, state in connection.execute(
                            _SQL["known_segments"], {"names": names}
                        )
                    }
                for file in files[first : first + 1000]:
                    row_id, state = known.get(file.stem, (None, "UNKNOWN"))
                    if state in ("UNKNOWN", "DELETED") and _age_s(file) > _ORPHAN_AGE_S:
                        yield file, row_id

    def adopt_orphans(self) -> Recovered:
        """Index what lies in segments that no row knows; remove the files of removed segments."""
        total = Recovered()
        volumes = {volume.path: volume for volume in self._pool.volumes}
        for path, removed in self.orphans():
            volume = volumes[path.parents[2]]
            try:
                file = SegmentFile.adopt(path)
            except SegmentMissing:
                continue
            if file is None:
                continue
            if removed is not None:
                self._remove(file, removed)
                continue
            with self._database.connection() as connection:
                row = connection.execute(
                    _SQL["insert_segment"], {"name": path.stem, "volume": volume.name}
                ).fetchone()
            assert row is not None  # noqa: S101 - INSERT … RETURNING
            segment = OpenSegment(segment_id=row[0], volume=volume, file=file)
            total.add(self.examine(segment))
            self._finish(segment)
        return total

    def _remove(self, file: SegmentFile, segment_id: int) -> None:
        """End a removal that was not finished, unless something points into the file after all."""
        try:
            with self._database.connection() as connection:
                rows = connection.execute(_SQL["rows_of_segment"], {"id": segment_id}).fetchall()
            if not rows:
                file.path.unlink(missing_ok=True)
                _log.info("recovery.removal_finished", segment=file.path.stem)
        finally:
            file.close()

    def examine(self, segment: OpenSegment, *, still_written: bool = False) -> Recovered:
        """Make rows and members of one segment agree.

        Args:
            segment: Held by this process.
            still_written: A thread of this process may be appending: nothing is cut, the last member is left to it.
        Raises: DatabaseUnavailable, IndexUnavailable.
        """
        result = Recovered(segments=1)
        file = segment.file
        members = list(file.scan())
        with self._database.connection() as connection:
            rows = {
                (row[0]): (row[3], row[4])
                for row in connection.execute(_SQL["rows_of_segment"], {"id": segment.segment_id})
            }
        if not still_written:
            file.entries.clear()
        good_end = dead_bytes = 0
        torn: list[ScannedMember] = []
        for position, member in enumerate(members):
            doubtful = position >= len(members) - _DOUBTFUL
            if is_object(member):
                if doubtful and not is_intact(file.descriptor, member):
                    result.damaged += 1
                    torn.append(member)
                    continue
                if rows.pop(member.content_offset, None) is None:
                    outcome = self._index(segment, member)
                    result.indexed += outcome == "STORED"
                    if outcome == "DUPLICATE" or outcome.endswith(" AGAIN"):
                        dead_bytes += member_bytes(member.header.size)
            else:
                rows.pop(member.content_offset, None)
                if is_void(member):
                    dead_bytes += member_bytes(member.header.size)
            good_end = member_end(member)
            if not still_written and not is_sealed(members):
                dead_bytes += _void(segment, torn)
                torn.clear()
            if not still_written and member.header.name not in (README_NAME, MANIFEST_NAME):
                segment.note_member(member)
        if still_written:
            return result
        for offset, (kind, row_id) in rows.items():
            result.forgotten += 1
            _log.warning(
                "recovery.row_without_object", kind=kind, id=row_id, segment=file.path.stem
            )
            with self._database.connection() as connection:
                if kind == "metadata":
                    connection.execute(_SQL["forget_metadata"], {"id": row_id})
                else:
                    connection.execute(
                        _INDEX["forget_at"], {"segment": segment.segment_id, "offset": offset}
                    )
        if not is_sealed(members):
            file.cut(good_end)
        with self._database.connection() as connection:
            connection.execute(
                _SQL["set_dead_bytes"], {"id": segment.segment_id, "bytes": dead_bytes}
            )
            for member in reversed(members):
                if is_decision(member):
                    apply_decision(connection, decision_of(file.descriptor, member))
        return result

    def _index(self, segment: OpenSegment, member: ScannedMember) -> str:
        """Index a member. Returns: the outcome; empty when it cannot be read."""
        try:
            payload = payload_of_member(
                self._ingestor, segment.file.descriptor, member, segment_id=segment.segment_id
            )
        except (DataSetError, Part10Error, ArchiveError) as error:
            reason = str(understand(error) if isinstance(error, DataSetError) else error)
            with self._database.connection() as connection:
                _alarm(connection, "object-unreadable", member.header.name, {"reason": reason})
            return ""
        return self._tell(payload).outcome

    def _tell(self, payload: dict[str, Any]) -> Indexed:
        """Index one record in a transaction of its own."""
        with self._database.connection() as connection:
            row = connection.execute(
                _INDEX["ingest"], (orjson.dumps([payload]).decode(),)
            ).fetchone()
        if row is None:
            raise IndexUnavailable("no answer", outcome_unknown=True)
        return Indexed(*row)

    def _finish(self, segment: OpenSegment) -> None:
        """Seal a recovered segment, or remove one that holds nothing."""
        members = list(segment.file.scan())
        if is_sealed(members):
            self._pool.settle_sealed(segment, members[-1])
            return
        if segment.file.entries:
            self._pool.seal(segment)
            return
        path = segment.file.path
        with self._database.connection() as connection:
            connection.execute(_SQL["delete_segment_row"], {"id": segment.segment_id})
        path.unlink(missing_ok=True)
        segment.file.close()

    def recheck_own(self) -> None:
        """After the database was away: rows committed asynchronously just before may have vanished, others been rebuilt.

        What was stored just before may also lie in a segment that was left when the database did not answer.
        """
        self._ingestor.families.clear()
        total = Recovered()
        for segment in self._pool.held():
            total.add(self.examine(segment, still_written=True))
        total.add(self.recover())
        if total.indexed:
            _log.warning("recovery.rows_restored", indexed=total.indexed)


def _age_s(path: Path) -> float:
    """Seconds since the file was written to; none when it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _alarm(connection: Any, kind: str, subject: str, detail: dict[str, Any]) -> None:
    connection.execute(
        _INDEX["open_task"], {"kind": kind, "subject": subject, "detail": Jsonb(detail)}
    )
