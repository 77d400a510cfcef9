"""The index from the segments alone.

Every member is read from every volume; objects enter in the order in which they were received, decisions in the order in which
they were taken, so that the same objects end up current and the same ones aside.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.errors import ArchiveError
from negatoscope.domain.archive.recovery import is_intact, payload_of_member
from negatoscope.domain.archive.segments import OpenSegment, member_end
from negatoscope.domain.archive.versions import NoSuchDecision, accept_version
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


@dataclass(frozen=True, slots=True)
class _Found:
    at: str
    kind: str
    path: Path
    segment_id: int
    member: ScannedMember


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
    paths = _segment_files(archive)
    _take_over(paths)
    with archive.database.connection() as connection:
        connection.execute(_SQL["empty_index"])
    result = Reindexed()
    found: list[_Found] = []
    for volume, path in paths:
        found.extend(_read_segment(archive, volume, path))
        result.segments += 1
    found.sort(key=lambda f: (f.at, f.member.header.name, f.path.name))
    pending: list[_Found] = []
    for done, item in enumerate(found):
        if item.kind == "dcm":
            pending.append(item)
            if len(pending) >= _BATCH:
                _index(archive, pending, result, verify=verify)
                pending = []
        else:
            _index(archive, pending, result, verify=verify)
            pending = []
            _decide(archive, item)
        if progress is not None and done % 100 == 0:
            progress(done, len(found))
    _index(archive, pending, result, verify=verify)
    with archive.database.connection() as connection:
        connection.execute(_SQL["count_dead"])
        connection.execute(_SQL["forget_events"])
    if progress is not None:
        progress(len(found), len(found))
    return result


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


def _read_segment(archive: Archive, volume: Volume, path: Path) -> list[_Found]:
    with path.open("rb") as opened:
        length = path.stat().st_size
        members = list(scan(opened.fileno(), length=length))
    with archive.database.connection() as connection:
        row = connection.execute(
            _SQL["add_segment"],
            {"name": path.stem, "volume": volume.name, "length": length, "members": len(members)},
        ).fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING
    return [
        _Found(
            at=str(
                member.header.comment.get("received_at") or member.header.comment.get("at") or ""
            ),
            kind=str(member.header.comment["kind"]),
            path=path,
            segment_id=row[0],
            member=member,
        )
        for member in members
        if member.header.comment.get("kind") in ("dcm", "journal")
    ]


def _index(archive: Archive, batch: list[_Found], result: Reindexed, *, verify: bool) -> None:
    payloads = []
    for item in batch:
        with item.path.open("rb") as opened:
            descriptor = opened.fileno()
            try:
                if verify and not is_intact(descriptor, item.member):
                    raise ArchiveError("digest differs")
                payloads.append(
                    payload_of_member(
                        archive.ingestor, descriptor, item.member, segment_id=item.segment_id
                    )
                )
            except (DataSetError, Part10Error, ArchiveError) as error:
                result.unreadable += 1
                _log.error(
                    "reindex.unreadable",
                    segment=item.path.stem,
                    member=item.member.header.name,
                    error=str(error),
                )
    if not payloads:
        return
    with archive.database.connection() as connection:
        rows = connection.execute(_INDEX["ingest"], (orjson.dumps(payloads).decode(),)).fetchall()
    for outcome, _study, _series in rows:
        if outcome == "STORED":
            result.objects += 1
        elif outcome == "DUPLICATE" or outcome.endswith(" AGAIN"):
            result.duplicates += 1
        else:
            result.aside += 1


def _decide(archive: Archive, item: _Found) -> None:
    with item.path.open("rb") as opened:
        raw = os.pread(
            opened.fileno(), min(item.member.header.size, 1 << 20), item.member.content_offset
        )
    decision = orjson.loads(raw)
    with archive.database.connection() as connection:
        row = connection.execute(
            _SQL["aside_by_digest"],
            {"uid": decision["sop_instance_uid"], "sha256": bytes.fromhex(decision["sha256"])},
        ).fetchone()
        if row is None:
            return
        if decision["decision"] == "accept":
            try:
                accept_version(
                    connection, uid=decision["sop_instance_uid"], segment=row[1], offset=row[2], size=row[3],
                    sha256=row[4], record=row[5], by=decision["by"],
                )  # fmt: skip
            except NoSuchDecision:
                return
            connection.execute(_SQL["remove_aside"], {"id": row[0]})
        else:
            connection.execute(_SQL["dismiss_aside"], {"id": row[0], "by": decision["by"]})
        connection.execute(_SQL["close_aside_task"], {"uid": decision["sop_instance_uid"]})
