"""The index from the segments alone.

Every member is read from every volume; objects enter in the order in which they were received, decisions in the order in which
they were taken, so that the same objects end up current and the same ones aside.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import psycopg
import structlog

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.decisions import apply_decision, version_of
from negatoscope.domain.archive.errors import ArchiveError
from negatoscope.domain.archive.index import INDEX_LOCK
from negatoscope.domain.archive.recovery import (
    decision_of,
    is_decision,
    is_intact,
    payload_of_member,
)
from negatoscope.domain.archive.segments import OpenSegment, member_end
from negatoscope.infra.db import load_queries
from negatoscope.infra.storage.contract import Volume
from negatoscope.infra.storage.errors import SegmentMissing
from negatoscope.infra.storage.posix.segment import (
    MANIFEST_NAME,
    README_NAME,
    ScannedMember,
    SegmentFile,
    scan,
)
from negatoscope.infra.storage.tar import HEADER_BYTES
from negatoscope.protocols.dicom.dataset.errors import DataSetError
from negatoscope.protocols.dicom.part10 import Part10Error

_SQL = load_queries("negatoscope.domain.archive.sql", "reindex.sql")
_INDEX = load_queries("negatoscope.domain.archive.sql", "index.sql")
_BATCH = 200
_log = structlog.get_logger(__name__)


class SegmentInUse(ArchiveError):
    """Another process is writing: an index cannot be rebuilt under it."""


@dataclass(slots=True, kw_only=True)
class Reindexed:
    """Result of a rebuild.

    Attributes:
        segments: Read.
        objects: Indexed as current versions.
        aside: Kept aside.
        unreadable: Members that could not be indexed (with the reason, in the log).
    """

    segments: int = 0
    objects: int = 0
    aside: int = 0
    duplicates: int = 0
    unreadable: int = 0


class _Found(NamedTuple):
    kind: str
    segment_id: int
    offset: int


def reindex(
    archive: Archive, *, verify: bool = False, progress: Callable[[int, int], None] | None = None
) -> Reindexed:
    """Empty the index and fill it from the segments.

    Args:
        archive: Opened with ``recover=False``; nothing else may be writing.
        verify: Compare every digest on the way.
        progress: Called with members done and members in all.
    Raises: SegmentInUse, DatabaseUnavailable.
    """
    with archive.database.connect(autocommit=True) as guard:
        row = guard.execute("SELECT pg_try_advisory_lock(%s)", (INDEX_LOCK,)).fetchone()
        if row is None or not row[0]:
            raise SegmentInUse("another process writes to the index; stop the server first")
        paths = _segment_files(archive)
        _take_over(paths)
        return _Rebuild(archive, guard, verify=verify).run(paths, progress)


class _Rebuild:
    """One rebuild. The list of members lives in the database: an archive has more than fit into memory."""

    def __init__(
        self, archive: Archive, guard: psycopg.Connection[tuple[Any, ...]], *, verify: bool
    ) -> None:
        self._archive = archive
        self._guard = guard
        self._verify = verify
        self._paths: dict[int, Path] = {}
        self._last_decision: dict[tuple[str, str], dict[str, Any]] = {}
        self._result = Reindexed()

    def run(
        self, paths: list[tuple[Volume, Path]], progress: Callable[[int, int], None] | None
    ) -> Reindexed:
        """Read every segment, then index in the order in which things happened."""
        with self._archive.database.connection() as connection:
            connection.execute(_SQL["empty_index"])
        self._guard.execute(_SQL["list_members"])
        total = 0
        for volume, path in paths:
            total += self._list(volume, path)
            self._result.segments += 1
        done = 0
        for batch in self._in_order():
            self._index(batch)
            done += len(batch)
            if progress is not None:
                progress(done, total)
        with self._archive.database.connection() as connection:
            connection.execute(_SQL["count_dead"])
            connection.execute(_SQL["forget_events"])
        return self._result

    def _list(self, volume: Volume, path: Path) -> int:
        with path.open("rb") as opened:
            length = path.stat().st_size
            members = list(scan(opened.fileno(), length=length))
            for member in members:
                if is_decision(member):
                    self._note_decision(decision_of(opened.fileno(), member))
        with self._archive.database.connection() as connection:
            row = connection.execute(
                _SQL["add_segment"],
                {
                    "name": path.stem,
                    "volume": volume.name,
                    "length": length,
                    "members": len(members),
                },
            ).fetchone()
        assert row is not None  # noqa: S101 - INSERT … RETURNING
        self._paths[row[0]] = path
        known = [m for m in members if m.header.comment.get("kind") in ("dcm", "journal")]
        with self._guard.cursor() as cursor, cursor.copy(_SQL["copy_members"]) as copy:
            for member in known:
                comment = member.header.comment
                at = str(comment.get("received_at") or comment.get("at") or "")
                copy.write_row(
                    (at, member.header.name, row[0], comment["kind"], member.content_offset)
                )
        return len(known)

    def _note_decision(self, decision: dict[str, Any]) -> None:
        """Of several decisions about one version the last counts."""
        known = self._last_decision.setdefault(version_of(decision), decision)
        if decision["at"] > known["at"]:
            self._last_decision[version_of(decision)] = decision

    def _in_order(self) -> Iterator[list[_Found]]:
        """Objects in batches; each decision in a batch of its own."""
        with self._guard.transaction(), self._guard.cursor("members_in_order") as cursor:
            cursor.itersize = 5000
            batch: list[_Found] = []
            for row in cursor.execute(_SQL["members_in_order"]):
                found = _Found(*row)
                if found.kind != "dcm" and batch:
                    yield batch
                    batch = []
                batch.append(found)
                if found.kind != "dcm" or len(batch) >= _BATCH:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _index(self, batch: list[_Found]) -> None:
        if batch[0].kind != "dcm":
            self._decide(batch[0])
            return
        payloads = []
        for found in batch:
            path = self._paths[found.segment_id]
            with path.open("rb") as opened:
                try:
                    payloads.append(self._payload(opened.fileno(), found))
                except (DataSetError, Part10Error, ArchiveError, StopIteration) as error:
                    self._result.unreadable += 1
                    _log.error(
                        "reindex.unreadable",
                        segment=path.stem,
                        offset=found.offset,
                        error=str(error),
                    )
        if not payloads:
            return
        with self._archive.database.connection() as connection:
            rows = connection.execute(
                _INDEX["ingest"], (orjson.dumps(payloads).decode(),)
            ).fetchall()
        for outcome, _study, _series in rows:
            if outcome == "STORED":
                self._result.objects += 1
            elif outcome == "DUPLICATE" or outcome.endswith(" AGAIN"):
                self._result.duplicates += 1
            else:
                self._result.aside += 1

    def _payload(self, descriptor: int, found: _Found) -> dict[str, Any]:
        member = self._member(descriptor, found)
        if self._verify and not is_intact(descriptor, member):
            raise ArchiveError("digest differs")
        return payload_of_member(
            self._archive.ingestor, descriptor, member, segment_id=found.segment_id
        )

    @staticmethod
    def _member(descriptor: int, found: _Found) -> ScannedMember:
        start = found.offset - HEADER_BYTES
        return next(scan(descriptor, length=os.fstat(descriptor).st_size, start=start))

    def _decide(self, found: _Found) -> None:
        with self._paths[found.segment_id].open("rb") as opened:
            decision = decision_of(opened.fileno(), self._member(opened.fileno(), found))
        if self._last_decision.get(version_of(decision)) != decision:
            return
        with self._archive.database.connection() as connection:
            apply_decision(connection, decision)


def _segment_files(archive: Archive) -> list[tuple[Volume, Path]]:
    return [
        (volume, path)
        for volume in archive.pool.volumes
        for path in sorted((volume.path / "segments").glob("*/*.tar"))
    ]


def _take_over(paths: list[tuple[Volume, Path]]) -> None:
    """Seal what dead writers left open; refuse while one lives."""
    for _volume, path in paths:
        if os.access(path, os.W_OK) and path.stat().st_mode & 0o200:
            try:
                file = SegmentFile.adopt(path)
            except SegmentMissing:
                continue
            if file is None:
                raise SegmentInUse(f"segment {path.stem} is being written; stop the server first")
            members = list(file.scan())
            if members and members[-1].header.name != MANIFEST_NAME:
                file.cut(member_end(members[-1]))
                segment = OpenSegment(segment_id=0, volume=_volume, file=file)
                for member in members:
                    if member.header.name != README_NAME:
                        segment.note_member(member)
                file.seal()
            file.close()
