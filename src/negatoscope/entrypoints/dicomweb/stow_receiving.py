"""What a Store request brings, object by object, and what became of it (PS3.18 §10.5, §I.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from negatoscope.domain.archive import IngestError, Outcome, OutcomeKind, OutOfResources
from negatoscope.domain.archive.committing import Staged
from negatoscope.domain.archive.ingest import Ingest, IngestSession
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    BadMediaType,
    MediaRange,
    parse_content_type,
)
from negatoscope.entrypoints.dicomweb.multipart import (
    Event,
    MultipartError,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
)
from negatoscope.infra import metrics
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.dicom.dataset import DicomJson

OUT_OF_RESOURCES: Final = 0xA700
NOT_DICOM: Final = 0xC004
_COERCION: Final = 0xB000
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StoreResult:
    """What became of the parts so far, as the sequences of PS3.18 Table I.2-1.

    Attributes:
        stored: Items of Referenced SOP Sequence (0008,1199).
        failed: Items of Failed SOP Sequence (0008,1198).
        other: Items of Other Failures Sequence (0008,119A): no SOP Instance UID known.
        warnings: How many of ``stored`` have a Warning Reason.
        out_of_resources: The archive takes nothing more now.
    """

    root_url: str
    stored: list[DicomJson] = field(default_factory=list)
    failed: list[DicomJson] = field(default_factory=list)
    other: list[DicomJson] = field(default_factory=list)
    warnings: int = 0
    out_of_resources: bool = False
    studies: set[str] = field(default_factory=set)

    @property
    def failure_count(self) -> int:
        """Parts not taken."""
        return len(self.failed) + len(self.other)

    def add_stored(self, outcome: Outcome) -> None:
        """An object is in the archive, or kept beside it."""
        study = f"{self.root_url}/studies/{outcome.study_instance_uid}"
        item = _reference(outcome.sop_class_uid, outcome.sop_instance_uid)
        item["00081190"] = _value(
            "UR",
            f"{study}/series/{outcome.series_instance_uid}/instances/{outcome.sop_instance_uid}",
        )
        self.studies.add(study)
        if outcome.kind in (OutcomeKind.CONFLICT, OutcomeKind.QUARANTINED):
            item["00081196"] = _value("US", _COERCION)
            self.warnings += 1
        self.stored.append(item)
        metrics.OBJECTS.labels("STOW-RS", outcome.kind).inc()

    def add_failed(self, ingest: Ingest | None, reason: int) -> None:
        """An object was not taken, and what it called itself is in its ``Ingest``."""
        class_uid = (ingest and ingest.sop_class_uid) or ""
        instance_uid = (ingest and ingest.sop_instance_uid) or ""
        self.add_refused(class_uid, instance_uid, reason)

    def add_refused(self, class_uid: str, instance_uid: str, reason: int) -> None:
        """The same, by its UIDs."""
        metrics.OBJECTS.labels("STOW-RS", "REFUSED").inc()
        if is_valid_uid(class_uid) and is_valid_uid(instance_uid):
            self.failed.append(_reference(class_uid, instance_uid) | _reason(reason))
        else:
            self.other.append(_reason(reason))

    def document(self) -> DicomJson:
        """The Store Instances Response Module."""
        document: DicomJson = {}
        if len(self.studies) == 1:
            document["00081190"] = _value("UR", next(iter(self.studies)))
        for tag, items in (
            ("00081198", self.failed),
            ("00081199", self.stored),
            ("0008119A", self.other),
        ):
            if items:
                document[tag] = {"vr": "SQ", "Value": items}
        return document


class Receiver:
    """Takes the pieces of a body on a thread, one at a time.

    Args:
        session: Of the archive; closed by ``close``.
        parser: Of the multipart body; None when the body is one Part 10 file.
        result: Filled as parts end.

    Attributes:
        is_ending: ``end`` was called, or is about to be; it closes, whatever comes.
    """

    def __init__(
        self, session: IngestSession, parser: MultipartParser | None, result: StoreResult
    ) -> None:
        self.session = session
        self._parser = parser
        self.result = result
        self.is_ending = False
        self._ingest: Ingest | None = None
        self._staged: list[tuple[Ingest, Staged]] = []
        if parser is None:
            self._begin({})

    def feed(self, piece: bytes) -> None:
        """The next piece.

        Raises:
            MultipartError: the body is no multipart; parts that ended before stay.
        """
        if self._parser is None:
            self._write(memoryview(piece))
            return
        events: list[Event] = []
        try:
            self._parser.feed_into(piece, events)
        finally:
            for event in events:
                match event:
                    case PartData(data):
                        self._write(data)
                    case PartBegin(headers):
                        self._begin(headers)
                    case PartEnd():
                        self._end()

    def feed_all(self, pieces: Sequence[bytes]) -> None:
        """Several pieces, as ``feed``."""
        for piece in pieces:
            self.feed(piece)

    def finish(self) -> None:
        """The body is over.

        Raises:
            MultipartError: it should have gone on.
        """
        if self._parser is None:
            self._end()
        elif not self._parser.is_complete:
            raise MultipartError("the body ends before its last boundary")

    def end(self, rest: Sequence[bytes], *, whole: bool) -> None:
        """The last pieces; ``close``.

        Args:
            rest: The pieces, possibly none.
            whole: The body is over; otherwise it broke off.
        Raises:
            MultipartError: as ``feed`` and ``finish``.
        """
        try:
            self.feed_all(rest)
            if whole:
                self.finish()
        finally:
            self.settle()
            self.close()

    def settle(self) -> None:
        """Make the parts that ended durable and indexed, and note what became of them."""
        staged, self._staged = self._staged, []
        try:
            self.session.flush()
        finally:
            for ingest, one in staged:
                self._note(ingest, one)

    def _note(self, ingest: Ingest, staged: Staged) -> None:
        try:
            self.result.add_stored(staged.outcome())
        except IngestError as error:
            self._failed(ingest, error)

    def close(self) -> None:
        """Cut off what is not whole."""
        self.session.close()

    def _begin(self, headers: Mapping[str, str]) -> None:
        self._ingest = None
        media = part_type(headers, DICOM)
        if media is None or media.type != DICOM:
            self.result.add_failed(None, NOT_DICOM)
        elif self.result.out_of_resources:
            self.result.add_failed(None, OUT_OF_RESOURCES)
        else:
            self._ingest = self.session.begin_part10()

    def _write(self, data: memoryview) -> None:
        if self._ingest is None:
            return
        try:
            self._ingest.write(data)
        except IngestError as error:
            self._failed(self._ingest, error)
            self._ingest = None

    def _end(self) -> None:
        if self._ingest is None:
            return
        ingest, self._ingest = self._ingest, None
        try:
            self._staged.append((ingest, ingest.stage()))
        except IngestError as error:
            self._failed(ingest, error)
        if self.session.is_group_full:
            self.settle()

    def _failed(self, ingest: Ingest, error: IngestError) -> None:
        _log.warning(
            "stow.refused",
            status=f"{error.dimse_status:04X}",
            reason=error.error_comment,
            sop_instance_uid=ingest.sop_instance_uid,
        )
        self.result.add_failed(ingest, error.dimse_status)
        if isinstance(error, OutOfResources):
            self.result.out_of_resources = True


def part_type(headers: Mapping[str, str], default: str) -> MediaRange | None:
    """The media type of a part; None when it cannot be read or its encoding is not binary."""
    if headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        return None
    try:
        return parse_content_type(headers.get("content-type", default))
    except BadMediaType:
        return None


def _value(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _reference(class_uid: str, instance_uid: str) -> DicomJson:
    return {"00081150": _value("UI", class_uid), "00081155": _value("UI", instance_uid)}


def _reason(code: int) -> DicomJson:
    return {"00081197": _value("US", code)}
