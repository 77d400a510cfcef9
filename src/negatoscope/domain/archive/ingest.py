"""The one door by which objects enter: C-STORE, STOW-RS, import and our own derivations.

Bytes go to the segment while the digest runs and the scanner reads what the index needs; ``commit`` flushes the segment while
the index transaction runs beside it and returns when both are done. Whatever fails, the member is cut off again and neither
bytes nor row remain.
"""

import datetime
import hashlib
from typing import Any, Self

import structlog

from negatoscope.domain.archive.committing import Group, Staged
from negatoscope.domain.archive.digest import Running
from negatoscope.domain.archive.errors import (
    CannotUnderstand,
    CannotUnderstandCode,
    DataSetMismatch,
    IngestError,
    InvalidInstance,
    OutOfResources,
)
from negatoscope.domain.archive.ingestor import Ingestor
from negatoscope.domain.archive.model import Outcome, Source
from negatoscope.domain.archive.record import Record, build_record, usable_uid
from negatoscope.domain.archive.segments import OpenSegment
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.storage.errors import StorageError, VolumeFull
from negatoscope.kit.ulid import new_ulid
from negatoscope.protocols.dicom.dataset.errors import (
    DataSetError,
    InflateBomb,
    LimitExceeded,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.scanner import DataSetScanner
from negatoscope.protocols.dicom.part10 import Part10Error, Part10Reader, encode_file_meta
from negatoscope.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID

_ROOM_CHECK_BYTES = 64 << 20
#: SOP Class and Instance UID stand in group 0008, among the first elements.
_UIDS_WITHIN_BYTES = 64 << 10
#: With more objects under way their flushes share the journal's commits, and an early start would take that from them.
_FEW = 4
_log = structlog.get_logger(__name__)


def understand(error: DataSetError) -> CannotUnderstand:
    """The refusal that a parser's error becomes."""
    match error:
        case TruncatedDataSet():
            code = CannotUnderstandCode.TRUNCATED
        case InflateBomb():
            code = CannotUnderstandCode.INFLATE_LIMIT
        case LimitExceeded():
            code = CannotUnderstandCode.LIMIT_EXCEEDED
        case _:
            code = CannotUnderstandCode.UNREADABLE
    return CannotUnderstand(code, error.reason)


class IngestSession:
    """A sender's visit: it keeps one segment checked out, so that what it sends lies together on disk."""

    def __init__(self, ingestor: Ingestor, source: Source) -> None:
        self._ingestor = ingestor
        self.source = source
        self._segment: OpenSegment | None = None
        self._busy: Ingest | None = None
        self._group: Group | None = None

    def begin(
        self, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> "Ingest":
        """Start an object whose data set bytes follow (C-STORE).

        Raises:
            OutOfResources: no volume has room, or the database cannot say where.
            InvalidInstance, DataSetMismatch: the announced UIDs are none.
        """
        if not usable_uid(sop_instance_uid):
            raise InvalidInstance("Affected SOP Instance UID is missing or malformed")
        if not usable_uid(sop_class_uid):
            raise DataSetMismatch("Affected SOP Class UID is missing or malformed")
        ingest = Ingest(
            self._ingestor, self, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid
        )
        ingest.start(transfer_syntax_uid)
        return ingest

    def begin_part10(self) -> "Ingest":
        """Start an object that comes as a Part 10 stream (STOW-RS, import)."""
        return Ingest(self._ingestor, self, sop_class_uid=None, sop_instance_uid=None)

    def take_segment(self, ingest: "Ingest") -> OpenSegment:
        """The session's segment, for one object at a time."""
        if self._busy is not None:
            self._busy.abort()
        if self._segment is not None and (
            self._segment.file.broken
            or self._segment.file.end >= self._ingestor.pool.settings.segment_max_bytes
            or (self._ingestor.pool.has_spare and not self._segment.file.is_prepared)
        ):
            self.drop_segment()
        try:
            if self._segment is None:
                self._segment = self._ingestor.pool.check_out()
            elif not self._ingestor.pool.has_room(self._segment.volume):
                raise VolumeFull("the volume is below its watermark")
        except VolumeFull as error:
            self.drop_segment()
            raise OutOfResources(str(error)) from error
        except (StorageError, DatabaseUnavailable) as error:
            self.drop_segment()
            raise OutOfResources("the storage cannot take objects now") from error
        self._busy = ingest
        return self._segment

    def done(self, ingest: "Ingest") -> None:
        """The object is finished, whatever became of it."""
        if self._busy is ingest:
            self._busy = None

    def add(self, staged: Staged) -> None:
        """A whole member of the session's segment, to be committed by ``flush``."""
        assert self._segment is not None  # noqa: S101 - it was written there
        if self._group is None:
            self._group = Group(self._ingestor, self._segment)
        self._group.add(staged)

    @property
    def is_group_full(self) -> bool:
        """Whether what is staged must be flushed before another object is staged."""
        return self._group is not None and self._group.is_full

    def flush(self) -> None:
        """Make what is staged durable and indexed; each has its outcome afterwards."""
        group, self._group = self._group, None
        if group is None:
            return
        try:
            group.commit()
        finally:
            if not group.trusted:
                self.drop_segment(abandon=True)

    def drop_segment(self, *, abandon: bool = False) -> None:
        """Give the segment back before its time."""
        self.flush()
        segment, self._segment = self._segment, None
        if segment is None:
            return
        if abandon:
            self._ingestor.pool.abandon(segment)
        else:
            self._ingestor.pool.check_in(segment)

    def close(self) -> None:
        """End of the visit; an unfinished object is cut off."""
        if self._busy is not None:
            self._busy.abort()
        self.drop_segment()

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close."""
        self.close()


class Ingest:
    """One object on its way in. ``write`` until it is complete, then ``commit``; ``abort`` otherwise.

    Any ``IngestError`` raised by ``write`` or ``commit`` has cut the object off already.
    """

    def __init__(
        self,
        ingestor: Ingestor,
        session: IngestSession,
        *,
        sop_class_uid: str | None,
        sop_instance_uid: str | None,
    ) -> None:
        self._ingestor = ingestor
        self._session = session
        self._sop_class_uid = sop_class_uid
        self._sop_instance_uid = sop_instance_uid
        self._transfer_syntax_uid = ""
        self._meta = b""
        self._part10 = None if sop_class_uid is not None else Part10Reader()
        self._segment: OpenSegment | None = None
        self._scanner: DataSetScanner | None = None
        self._digest = Running()
        self._content_offset = 0
        self._until_room_check = _ROOM_CHECK_BYTES
        self._head_pending = True
        self._held_back = bytearray()
        self._over = False

    @property
    def sop_class_uid(self) -> str | None:
        """As announced by the peer or the file meta information; not checked, None when not known."""
        return self._sop_class_uid

    @property
    def sop_instance_uid(self) -> str | None:
        """Likewise."""
        return self._sop_instance_uid

    # -- receiving --------------------------------------------------------------------------------------------------

    def start(self, transfer_syntax_uid: str) -> None:
        """Take a segment and make the file meta group."""
        self._transfer_syntax_uid = transfer_syntax_uid
        if self._scanner is None:
            self._scanner = DataSetScanner(transfer_syntax_uid)
        self._segment = self._session.take_segment(self)
        self._ingestor.under_way.add(self)
        self._meta = encode_file_meta(
            sop_class_uid=self._sop_class_uid or "",
            sop_instance_uid=self._sop_instance_uid or "",
            transfer_syntax_uid=transfer_syntax_uid,
        )

    def write(self, chunk: bytes | memoryview) -> None:
        """The next bytes.

        Raises: IngestError: the object cannot be taken; nothing of it is kept.
        """
        try:
            if self._part10 is not None:
                chunk = self._read_meta(chunk)
            if chunk:
                self._take(chunk)
        except DataSetError as error:
            self.abort()
            raise understand(error) from error
        except VolumeFull as error:
            self.abort()
            raise OutOfResources(str(error)) from error
        except StorageError as error:
            self._break_off()
            raise OutOfResources("the storage failed") from error
        except BaseException:
            self.abort()
            raise

    def _read_meta(self, chunk: bytes | memoryview) -> bytes | memoryview:
        assert self._part10 is not None  # noqa: S101 - caller
        reader = self._part10
        try:
            rest = reader.feed(chunk)
        except Part10Error as error:
            raise CannotUnderstand(CannotUnderstandCode.NOT_PART10, error.reason) from error
        if rest is None or reader.meta is None:
            return b""
        self._part10 = None
        self._transfer_syntax_uid = reader.meta.transfer_syntax_uid
        self._scanner = DataSetScanner(self._transfer_syntax_uid)
        return rest

    def _await_uids(self, chunk: bytes | memoryview) -> bytes | memoryview:
        """A file's own words about its UIDs may be wrong or missing; its data set's are those that count.

        Returns: what was held back, once they are known; nothing before.
        """
        assert self._scanner is not None  # noqa: S101 - the meta group was read
        self._scanner.feed(chunk)
        if (
            len(self._held_back) + len(chunk) < _UIDS_WITHIN_BYTES
            and self._scanner.value_so_far(SOP_INSTANCE_UID) is None
            and not self._scanner.has_passed(SOP_INSTANCE_UID)
        ):
            self._held_back += chunk
            return b""
        self._start_with_found_uids()
        if not self._held_back:
            return chunk
        held_back, self._held_back = bytes(self._held_back) + chunk, bytearray()
        return held_back

    def _start_with_found_uids(self) -> None:
        assert self._scanner is not None  # noqa: S101 - the meta group was read
        found = [
            (self._scanner.value_so_far(tag) or b"").strip(b"\0 ").decode("latin-1")
            for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)
        ]
        if not usable_uid(found[0]) or not usable_uid(found[1]):
            raise InvalidInstance("SOP Class or Instance UID is missing or malformed")
        self._sop_class_uid, self._sop_instance_uid = found
        self.start(self._transfer_syntax_uid)

    def _take(self, chunk: bytes | memoryview) -> None:
        if self._segment is None:
            chunk = self._await_uids(chunk)
        elif self._scanner is not None:
            self._scanner.feed(chunk)
        if chunk:
            self._keep(chunk)

    def _keep(self, chunk: bytes | memoryview) -> None:
        """Write bytes that were scanned, and have them digested."""
        assert self._segment is not None  # noqa: S101 - started
        file = self._segment.file
        if self._head_pending:
            self._head_pending = False
            self._content_offset = file.begin(self._meta, chunk)
        else:
            file.write(chunk)
        if len(self._ingestor.under_way) <= _FEW:
            file.write_back()
        self._digest.update(chunk)
        self._until_room_check -= len(chunk)
        if self._until_room_check < 0:
            self._until_room_check = _ROOM_CHECK_BYTES
            if not self._segment.volume.has_room():
                raise VolumeFull("the volume fell below its watermark")

    # -- finishing ------------------------------------------------------------------------------------------------

    def commit(self) -> Outcome:
        """Make the object durable and indexed, with whatever was staged before it.

        Returns: What became of it; it is on stable storage and in the index.
        Raises: IngestError: it was not taken; nothing of it is kept.
        """
        staged = self.stage()
        self._session.flush()
        return staged.outcome()

    def stage(self) -> Staged:
        """Finish the object; the session's next ``flush`` makes it durable and indexed with its neighbours.

        Raises: IngestError: it cannot be taken; nothing of it is kept.
        """
        try:
            staged = self._stage()
        except DatabaseUnavailable as error:
            self.abort()
            raise OutOfResources("the database does not answer") from error
        except BaseException:
            self.abort()
            raise
        self._end()
        return staged

    def _stage(self) -> Staged:
        if self._scanner is not None and self._segment is None and self._held_back:
            held_back, self._held_back = bytes(self._held_back), bytearray()
            self._start_with_found_uids()
            self._keep(held_back)
        if self._scanner is None or self._segment is None:
            raise CannotUnderstand(
                CannotUnderstandCode.NOT_PART10, "the file ends inside its meta information"
            )
        if self._head_pending:
            raise CannotUnderstand(CannotUnderstandCode.TRUNCATED, "the data set is empty")
        try:
            record = build_record(
                self._scanner.finish(),
                sop_class_uid=self._sop_class_uid,
                sop_instance_uid=self._sop_instance_uid,
            )
            if self._session.source.study_instance_uid not in (None, record.study_instance_uid):
                raise DataSetMismatch("Study Instance UID is not that of the request")
            payload = self._ingestor.payload(record, data_set_offset=len(self._meta), full=False)
        except DataSetError as error:
            raise understand(error) from error
        except ValueError as error:
            raise CannotUnderstand(CannotUnderstandCode.LIMIT_EXCEEDED, str(error)) from error
        staged = self._finish(record, payload)
        self._session.add(staged)
        return staged

    def _finish(self, record: Record, payload: dict[str, Any]) -> Staged:
        segment = self._segment
        assert segment is not None  # noqa: S101 - commit
        digest, crc = self._digest.digests()
        now = datetime.datetime.now(datetime.UTC)
        name = f"{new_ulid()}.dcm"
        try:
            size = segment.file.finish(
                name=name, mtime_s=int(now.timestamp()), comment=self._comment(digest, now)
            )
        except StorageError as error:
            self._break_off()
            raise OutOfResources("the storage failed") from error
        payload.update(
            ts=self._code(self._transfer_syntax_uid),
            sha=digest.hex(),
            crc=crc,
            seg=segment.segment_id,
            off=self._content_offset,
            size=size,
            received=now.isoformat(),
            ae=self._session.source.calling_ae_title,
            actor=self._session.source.actor_name,
        )
        segment.file.accept()
        return Staged(
            record=record,
            payload=payload,
            digest=digest,
            name=name,
            offset=self._content_offset,
            size=size,
            data_set_offset=len(self._meta),
        )

    def _code(self, uid: str) -> int:
        try:
            return self._ingestor.codes.code(uid)
        except DatabaseUnavailable as error:
            raise OutOfResources("the database does not answer") from error

    def _comment(self, digest: bytes, now: datetime.datetime) -> dict[str, Any]:
        source = self._session.source
        return {
            "kind": "dcm",
            "sha256": digest.hex(),
            "dso": len(self._meta),
            "meta_sha256": hashlib.sha256(self._meta).hexdigest()[:16],
            "received_at": now.isoformat(),
            "source": source.kind,
            "calling": (source.calling_ae_title or "")[:16],
        }

    # -- not finishing --------------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Cut the object off; harmless when it is over already."""
        if self._over:
            return
        if self._segment is not None and not self._head_pending:
            try:
                self._segment.file.rollback()
            except StorageError:
                _log.exception("ingest.rollback_failed")
                self._session.drop_segment(abandon=True)
        self._end()

    def _break_off(self) -> None:
        """Leave the segment to recovery as it is."""
        self._end()
        self._session.drop_segment(abandon=True)

    def _end(self) -> None:
        self._over = True
        self._segment = None
        self._ingestor.under_way.discard(self)
        self._session.done(self)


__all__ = ["Ingest", "IngestError", "IngestSession", "understand"]
