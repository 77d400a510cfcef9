"""Members of one segment made durable and indexed together: one flush, one batch of the index, an answer for each.

A group of one is how every object enters; STOW-RS lets the parts of a request gather. Nothing of a group is acknowledged before
its flush and its transactions are done, so that a crash leaves each member whole or absent, as recovery finds it. A member that
is not kept is cut off when no kept one lies behind it; otherwise its headers are replaced by those of a void member, durably,
before any of its neighbours is acknowledged: a reader that follows headers then finds what lies behind.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import structlog

from negatoscope.domain.archive.errors import (
    CannotUnderstand,
    CannotUnderstandCode,
    IndexUnavailable,
    IngestError,
    OutOfResources,
)
from negatoscope.domain.archive.index import Indexed, Ticket
from negatoscope.domain.archive.ingestor import Ingestor
from negatoscope.domain.archive.model import Outcome, OutcomeKind
from negatoscope.domain.archive.record import Record
from negatoscope.domain.archive.segments import OpenSegment, manifest_line, member_bytes
from negatoscope.infra import metrics
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.storage.errors import StorageError
from negatoscope.kit.ulid import new_ulid

GROUP_OBJECTS: Final = 16
"""Recovery digests so many last members of a segment."""
GROUP_BYTES: Final = 16 << 20
_log = structlog.get_logger(__name__)

_KINDS = {
    "STORED": OutcomeKind.STORED,
    "DUPLICATE": OutcomeKind.DUPLICATE,
    "CONTENT DIFFERS": OutcomeKind.CONFLICT,
    "OTHER STUDY": OutcomeKind.CONFLICT,
    "OTHER PATIENT": OutcomeKind.QUARANTINED,
}


@dataclass(slots=True, kw_only=True, eq=False)
class Staged:
    """A whole member that is neither durable nor indexed yet.

    Attributes:
        offset: Of its content in the segment.
        size: Of its content, bytes.
        result: What became of it, once its group was committed.
    """

    record: Record
    payload: dict[str, Any]
    digest: bytes
    name: str
    offset: int
    size: int
    data_set_offset: int
    result: Outcome | IngestError | None = None

    def outcome(self) -> Outcome:
        """What became of it.

        Raises: IngestError: it was not taken.
        """
        if isinstance(self.result, Outcome):
            return self.result
        raise self.result or OutOfResources("the object was not stored")


class Group:
    """Members that follow one another in a segment, the last of it.

    Attributes:
        trusted: The segment can go on being used; otherwise it is left to recovery.
    """

    __slots__ = ("_byte_count", "_ingestor", "_segment", "_staged", "trusted")

    def __init__(self, ingestor: Ingestor, segment: OpenSegment) -> None:
        self._ingestor = ingestor
        self._segment = segment
        self._staged: list[Staged] = []
        self._byte_count = 0
        self.trusted = True

    def add(self, staged: Staged) -> None:
        """Take one more."""
        self._staged.append(staged)
        self._byte_count += staged.size

    @property
    def is_full(self) -> bool:
        """Whether it must be committed before another is added."""
        return len(self._staged) >= GROUP_OBJECTS or self._byte_count >= GROUP_BYTES

    def commit(self) -> None:
        """Flush and index; afterwards every member has its result."""
        started = time.perf_counter()
        tickets = self._ingestor.writer.submit_all([staged.payload for staged in self._staged])
        try:
            self._segment.file.sync()
        except StorageError:
            self._unsynced(tickets)
            return
        except BaseException:
            self.trusted = False
            for ticket in tickets:
                ticket.forget()
            raise
        flushed = time.perf_counter()
        kept = [
            self._settle(staged, ticket)
            for staged, ticket in zip(self._staged, tickets, strict=True)
        ]
        metrics.FSYNC_SECONDS.observe(flushed - started)
        metrics.INDEX_COMMIT_SECONDS.observe(time.perf_counter() - started)
        if self.trusted:
            self._keep(kept)

    def _settle(self, staged: Staged, ticket: Ticket) -> bool:
        """Hear the index. Returns: whether the member is to be kept."""
        try:
            return self._conclude(staged, self._indexed(staged, ticket))
        except IndexUnavailable as error:
            # The row may exist, or recovery may make it: what lies there stays and recovery decides.
            if error.outcome_unknown or len(self._staged) > 1:
                self.trusted = False
            staged.result = OutOfResources("the index does not answer")
        except DatabaseUnavailable:
            staged.result = OutOfResources("the database does not answer")
        except IngestError as error:
            staged.result = error
        return False

    def _indexed(self, staged: Staged, ticket: Ticket) -> Indexed:
        timeout_s = self._ingestor.index_timeout_s
        record, payload = staged.record, staged.payload
        indexed = ticket.wait(timeout_s)
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
            indexed = self._ingestor.writer.submit(payload).wait(timeout_s)
        if indexed.outcome == "REFUSED":
            raise CannotUnderstand(CannotUnderstandCode.UNREADABLE, "a value cannot be indexed")
        if indexed.outcome == "RETRY":
            raise OutOfResources("the index is busy with the same object")
        return indexed

    def _conclude(self, staged: Staged, indexed: Indexed) -> bool:
        record = staged.record
        again = indexed.outcome.endswith(" AGAIN")
        kind = _KINDS[indexed.outcome.removesuffix(" AGAIN")]
        keep = kind is not OutcomeKind.DUPLICATE and not again
        if kind is OutcomeKind.DUPLICATE:
            keep = self._ingestor.duplicates.replaced_by(
                record.sop_instance_uid, staged.digest, segment=self._segment, offset=staged.offset,
                size=staged.size, data_set_offset=staged.data_set_offset,
            )  # fmt: skip
        if kind is OutcomeKind.STORED and indexed.study_id and indexed.series_id:
            self._ingestor.families.put(record.family, indexed.study_id, indexed.series_id)
        staged.result = Outcome(
            kind=kind,
            sop_class_uid=record.sop_class_uid,
            sop_instance_uid=record.sop_instance_uid,
            study_instance_uid=record.study_instance_uid,
            series_instance_uid=record.series_instance_uid,
            sha256=staged.digest,
            warnings=tuple(record.warnings),
        )
        return keep

    def _keep(self, kept: list[bool]) -> None:
        """Cut off or void what is not kept; tell the manifest to come of the rest."""
        last = max((position for position, keep in enumerate(kept) if keep), default=-1)
        try:
            if last + 1 < len(kept):
                self._segment.file.take_back(self._staged[last + 1].offset)
            self._void(
                [s for s, keep in zip(self._staged, kept[: last + 1], strict=False) if not keep]
            )
        except StorageError:
            # Behind headers that may be half nothing is safe, whatever the index says.
            self._fail("the disk did not take the object")
            return
        for staged, keep in zip(self._staged, kept[: last + 1], strict=False):
            self._segment.file.entries.append(
                manifest_line(
                    sha256=staged.digest.hex() if keep else "", offset=staged.offset, size=staged.size,
                    data_set_offset=staged.data_set_offset if keep else 0, name=staged.name,
                )
            )  # fmt: skip

    def _void(self, unwanted: list[Staged]) -> None:
        if not unwanted:
            return
        for staged in unwanted:
            staged.name = f"{new_ulid()}.void"
            self._segment.file.void(staged.offset, name=staged.name, size=staged.size)
        self._segment.file.sync()
        try:
            self._ingestor.duplicates.count_dead(
                self._segment.segment_id, sum(member_bytes(staged.size) for staged in unwanted)
            )
        except DatabaseUnavailable:
            _log.warning("ingest.dead_bytes_not_counted", segment=self._segment.segment_id)

    def _unsynced(self, tickets: list[Ticket]) -> None:
        """The flush failed while the index was told: take the rows back, and never trust this segment again."""
        for staged, ticket in zip(self._staged, tickets, strict=True):
            try:
                if ticket.wait(self._ingestor.index_timeout_s).outcome == "STORED":
                    self._ingestor.duplicates.forget_at(self._segment.segment_id, staged.offset)
            except (IndexUnavailable, DatabaseUnavailable):
                _log.exception("ingest.unsynced_row_left", segment=self._segment.segment_id)
        self._fail("the disk did not take the object")

    def _fail(self, reason: str) -> None:
        self._ingestor.duplicates.alarm_flush_failed(self._segment)
        self.trusted = False
        for staged in self._staged:
            staged.result = OutOfResources(reason)


__all__ = ["GROUP_BYTES", "GROUP_OBJECTS", "Group", "Staged"]
