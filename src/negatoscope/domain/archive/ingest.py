"""The one door by which objects enter: C-STORE, STOW-RS, import and our own derivations.

Bytes go to the segment while the digest runs and the scanner reads what the index needs; ``commit`` flushes the segment while
the index transaction runs beside it and returns when both are done. Whatever fails, the member is cut off again and neither
bytes nor row remain.
"""

import base64
import datetime
import hashlib
import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Self

import structlog

from negatoscope.domain.archive.digest import Digest, DigestThread, InlineDigest
from negatoscope.domain.archive.errors import (
    CannotUnderstand,
    CannotUnderstandCode,
    DataSetMismatch,
    IndexUnavailable,
    IngestError,
    InvalidInstance,
    OutOfResources,
)
from negatoscope.domain.archive.index import Indexed, IndexWriter, Ticket, UidCodes
from negatoscope.domain.archive.model import Outcome, OutcomeKind, Source
from negatoscope.domain.archive.record import Record, build_record, pack_frame_index, usable_uid
from negatoscope.domain.archive.segments import OpenSegment, SegmentPool, manifest_line
from negatoscope.infra import metrics
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

if TYPE_CHECKING:
    from negatoscope.domain.archive.duplicates import DuplicateKeeper

_ROOM_CHECK_BYTES = 64 << 20
_FAMILIES_KEPT = 4096
#: Pieces below this are digested sooner than handed over.
_WORTH_A_THREAD_BYTES = 64 << 10
_PROCESSORS = os.cpu_count() or 1
_log = structlog.get_logger(__name__)

_KINDS = {
    "STORED": OutcomeKind.STORED,
    "DUPLICATE": OutcomeKind.DUPLICATE,
    "CONTENT DIFFERS": OutcomeKind.CONFLICT,
    "OTHER STUDY": OutcomeKind.CONFLICT,
    "OTHER PATIENT": OutcomeKind.QUARANTINED,
}


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


class Families:
    """Which patient, study and series already have rows, so that the next image of a series needs none of their columns."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[object, ...], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, family: tuple[object, ...]) -> tuple[int, int] | None:
        """Rows of (study, series), or None."""
        return self._rows.get(family)

    def put(self, family: tuple[object, ...], study_id: int, series_id: int) -> None:
        """Remember; the oldest are forgotten."""
        with self._lock:
            self._rows[family] = (study_id, series_id)
            while len(self._rows) > _FAMILIES_KEPT:
                self._rows.popitem(last=False)

    def clear(self) -> None:
        """Remember nothing: the index may have been rebuilt meanwhile."""
        with self._lock:
            self._rows.clear()

    def forget(self, family: tuple[object, ...]) -> None:
        """The rows were not what was remembered."""
        with self._lock:
            self._rows.pop(family, None)


class Ingestor:
    """What all sessions of a process share."""

    def __init__(
        self,
        *,
        pool: SegmentPool,
        writer: IndexWriter,
        codes: UidCodes,
        duplicates: "DuplicateKeeper",
        index_timeout_s: float,
    ) -> None:
        self.pool = pool
        self.writer = writer
        self.codes = codes
        self.duplicates = duplicates
        self.families = Families()
        self.index_timeout_s = index_timeout_s
        self._senders = 0
        self._count_lock = threading.Lock()

    def enter(self) -> None:
        """A sender comes."""
        with self._count_lock:
            self._senders += 1

    def leave(self) -> None:
        """A sender goes."""
        with self._count_lock:
            self._senders -= 1

    @property
    def has_idle_processors(self) -> bool:
        """True while there are at least two processors for each sender."""
        return self._senders * 2 <= _PROCESSORS

    def payload(self, record: Record, *, data_set_offset: int, full: bool) -> dict[str, Any]:
        """The record as ``archive_ingest`` takes it, its place in a segment still missing.

        Args:
            data_set_offset: From the start of the Part 10 file.
            full: With patient, study and series even when their rows are known.

        Raises: DatabaseUnavailable: a new SOP class or transfer syntax could not be interned.
        """
        payload: dict[str, Any] = {
            "sop": record.sop_instance_uid,
            "cls": self.codes.code(record.sop_class_uid),
            **record.instance,
        }
        payload["dso"] = data_set_offset
        if "po" in payload:
            payload["po"] += data_set_offset
        if payload.get("fi") is not None:
            packed = pack_frame_index(payload["fi"], data_set_offset=data_set_offset)
            payload["fi"] = base64.b64encode(packed).decode()
        rows = None if full else self.families.get(record.family)
        if rows is not None:
            payload["study_fk"], payload["series_fk"] = rows
        else:
            payload["study_uid"] = record.study_instance_uid
            payload["series_uid"] = record.series_instance_uid
            payload["cls_uid"] = record.sop_class_uid
            payload.update(record.attributes())
        return payload


class IngestSession:
    """A sender's visit: it keeps one segment checked out, so that what it sends lies together on disk."""

    def __init__(self, ingestor: Ingestor, source: Source) -> None:
        self._ingestor = ingestor
        self.source = source
        self._segment: OpenSegment | None = None
        self._busy: Ingest | None = None
        self._digests: DigestThread | None = None
        self._is_closed = False
        ingestor.enter()

    def new_digest(self) -> Digest:
        """For the next object: beside the receiving thread while few are at work."""
        if not self._ingestor.has_idle_processors:
            return InlineDigest()
        if self._digests is None:
            self._digests = DigestThread()
        return self._digests.new()

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
        ):
            self.drop_segment()
        try:
            if self._segment is None:
                self._segment = self._ingestor.pool.check_out()
            elif not self._segment.volume.has_room():
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

    def drop_segment(self, *, abandon: bool = False) -> None:
        """Give the segment back before its time."""
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
        if self._digests is not None:
            self._digests.close()
            self._digests = None
        if not self._is_closed:
            self._is_closed = True
            self._ingestor.leave()

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
        self._digest: Digest = InlineDigest()
        self._content_offset = 0
        self._until_room_check = _ROOM_CHECK_BYTES
        self._head_pending = True
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
        self._scanner = DataSetScanner(transfer_syntax_uid)
        self._segment = self._session.take_segment(self)
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
        meta = reader.meta
        if not usable_uid(meta.sop_class_uid) or not usable_uid(meta.sop_instance_uid):
            raise CannotUnderstand(
                CannotUnderstandCode.NOT_PART10, "Media Storage SOP UIDs are missing or malformed"
            )
        self._sop_class_uid = meta.sop_class_uid
        self._sop_instance_uid = meta.sop_instance_uid
        self.start(meta.transfer_syntax_uid)
        return rest

    def _take(self, chunk: bytes | memoryview) -> None:
        assert self._scanner is not None and self._segment is not None  # noqa: S101, PT018 - started
        if self._head_pending:
            self._head_pending = False
            if len(chunk) >= _WORTH_A_THREAD_BYTES:
                self._digest = self._session.new_digest()
            self._content_offset = self._segment.file.begin(self._meta, chunk)
            self._scanner.feed(chunk)
        else:
            self._scanner.feed(chunk)
            self._segment.file.write(chunk)
        file = self._segment.file
        self._digest.wrote(chunk, file.descriptor, file.position - len(chunk))
        self._until_room_check -= len(chunk)
        if self._until_room_check < 0:
            self._until_room_check = _ROOM_CHECK_BYTES
            if not self._segment.volume.has_room():
                raise VolumeFull("the volume fell below its watermark")

    # -- finishing ------------------------------------------------------------------------------------------------

    def commit(self) -> Outcome:
        """Make the object durable and indexed.

        Returns: What became of it; it is on stable storage and in the index.
        Raises: IngestError: it was not taken; nothing of it is kept.
        """
        try:
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
                payload = self._ingestor.payload(
                    record, data_set_offset=len(self._meta), full=False
                )
            except DataSetError as error:
                raise understand(error) from error
            except DatabaseUnavailable as error:
                raise OutOfResources("the database does not answer") from error
            except ValueError as error:
                raise CannotUnderstand(CannotUnderstandCode.LIMIT_EXCEEDED, str(error)) from error
            outcome = self._store(record, payload)
        except DatabaseUnavailable as error:
            self.abort()
            raise OutOfResources("the database does not answer") from error
        except BaseException:
            self.abort()
            raise
        self._end()
        return outcome

    def _store(self, record: Record, payload: dict[str, Any]) -> Outcome:
        segment = self._segment
        assert segment is not None  # noqa: S101 - commit
        try:
            digest = self._digest.digest()
        except StorageError as error:
            raise OutOfResources("the storage failed") from error
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
            seg=segment.segment_id,
            off=self._content_offset,
            size=size,
            received=now.isoformat(),
            ae=self._session.source.calling_ae_title,
            actor=self._session.source.actor_name,
        )
        started = time.perf_counter()
        ticket = self._ingestor.writer.submit(payload)
        try:
            segment.file.sync()
        except StorageError as error:
            self._unsynced(ticket)
            raise OutOfResources("the disk did not take the object") from error
        flushed = time.perf_counter()
        indexed = self._indexed(ticket, record, payload)
        metrics.FSYNC_SECONDS.observe(flushed - started)
        return self._conclude(indexed, record, digest, size, name)

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

    def _indexed(self, ticket: Ticket, record: Record, payload: dict[str, Any]) -> Indexed:
        try:
            indexed = ticket.wait(self._ingestor.index_timeout_s)
            if (
                indexed.outcome in ("AGAIN WITH ATTRIBUTES", "RETRY", "REFUSED")
                and "study_fk" in payload
            ):
                self._ingestor.families.forget(record.family)
                for key in ("study_fk", "series_fk"):
                    payload.pop(key, None)
                payload.update(
                    study_uid=record.study_instance_uid,
                    series_uid=record.series_instance_uid,
                    cls_uid=record.sop_class_uid,
                    **record.attributes(),
                )
                indexed = self._ingestor.writer.submit(payload).wait(self._ingestor.index_timeout_s)
        except IndexUnavailable as error:
            if error.outcome_unknown:
                self._break_off()  # the row may exist: the member must stay; recovery decides
            raise OutOfResources("the index does not answer") from error
        if indexed.outcome == "REFUSED":
            raise CannotUnderstand(CannotUnderstandCode.UNREADABLE, "a value cannot be indexed")
        if indexed.outcome == "RETRY":
            raise OutOfResources("the index is busy with the same object")
        return indexed

    def _unsynced(self, ticket: Ticket) -> None:
        """The flush failed while the index was told: take the row back, and never trust this segment again."""
        segment = self._segment
        assert segment is not None  # noqa: S101 - commit
        try:
            if ticket.wait(self._ingestor.index_timeout_s).outcome == "STORED":
                self._ingestor.duplicates.forget_at(segment.segment_id, self._content_offset)
        except (IndexUnavailable, DatabaseUnavailable):
            _log.exception("ingest.unsynced_row_left", segment=segment.segment_id)
        self._ingestor.duplicates.alarm_flush_failed(segment)
        self._break_off()

    def _conclude(
        self, indexed: Indexed, record: Record, digest: bytes, size: int, name: str
    ) -> Outcome:
        segment = self._segment
        assert segment is not None  # noqa: S101 - commit
        again = indexed.outcome.endswith(" AGAIN")
        kind = _KINDS[indexed.outcome.removesuffix(" AGAIN")]
        keep = kind is not OutcomeKind.DUPLICATE and not again
        if kind is OutcomeKind.DUPLICATE:
            keep = self._ingestor.duplicates.replaced_by(
                record.sop_instance_uid, digest, segment=segment, offset=self._content_offset, size=size,
                data_set_offset=len(self._meta),
            )  # fmt: skip
        if keep:
            segment.file.entries.append(
                manifest_line(
                    sha256=digest.hex(), offset=self._content_offset, size=size,
                    data_set_offset=len(self._meta), name=name,
                )
            )  # fmt: skip
            segment.file.accept()
            if kind is OutcomeKind.STORED and indexed.study_id and indexed.series_id:
                self._ingestor.families.put(record.family, indexed.study_id, indexed.series_id)
        else:
            segment.file.rollback()
        return Outcome(
            kind=kind,
            sop_class_uid=record.sop_class_uid,
            sop_instance_uid=record.sop_instance_uid,
            study_instance_uid=record.study_instance_uid,
            series_instance_uid=record.series_instance_uid,
            sha256=digest,
            warnings=tuple(record.warnings),
        )

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
        self._session.done(self)


__all__ = ["Ingest", "IngestError", "IngestSession", "Ingestor", "understand"]
