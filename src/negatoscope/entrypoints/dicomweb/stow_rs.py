"""Store Instances (PS3.18 §10.5): ``POST /dicom-web/studies[/{study}]``.

The body is read piece by piece; each part goes into the archive by the same door as a C-STORE
and is durable and indexed before the next one begins. The request therefore holds two pieces of
the body at most, whatever the size of a part or their number, and the client is read from only
as fast as the archive writes.

What is whole when the body breaks off — the client went away, a boundary is missing — stays in
the archive; the part that was under way leaves nothing. A client that never had its answer sends
all again: what is stored already is recognised by its digest.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog

from negatoscope.domain.archive import (
    Archive,
    IngestError,
    Outcome,
    OutcomeKind,
    OutOfResources,
    Source,
    SourceKind,
)
from negatoscope.domain.archive.ingest import Ingest, IngestSession
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.data_sets import Form, choose_form, xml_parts
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    MULTIPART,
    BadMediaType,
    parse_content_type,
)
from negatoscope.entrypoints.dicomweb.multipart import (
    Event,
    MultipartError,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    TooManyParts,
    new_boundary,
)
from negatoscope.entrypoints.dicomweb.retrieve_common import check_uids
from negatoscope.entrypoints.dicomweb.wado_rs import root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import ClientDisconnected, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.dicom.dataset import DicomJson
from negatoscope.protocols.dicom.xml import dump_native_model

PIECE_BYTES: Final = 1 << 20
"""Of the body, handed to the archive at once; a second one may be waiting."""
MAX_PARTS: Final = 100_000
MAX_REQUESTS: Final = 16
"""Bodies received at once by a process; further ones are told to come back."""
RETRY_AFTER_S: Final = 30
_OUT_OF_RESOURCES: Final = 0xA700
_NOT_DICOM: Final = 0xC004
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
        """An object was not taken."""
        metrics.OBJECTS.labels("STOW-RS", "REFUSED").inc()
        class_uid = (ingest and ingest.sop_class_uid) or ""
        instance_uid = (ingest and ingest.sop_instance_uid) or ""
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
    """

    def __init__(
        self, session: IngestSession, parser: MultipartParser | None, result: StoreResult
    ) -> None:
        self._session = session
        self._parser = parser
        self._result = result
        self._ingest: Ingest | None = None
        if parser is None:
            self._begin(DICOM)

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
                        self._begin(
                            headers.get("content-type", DICOM),
                            headers.get("content-transfer-encoding", "binary"),
                        )
                    case PartEnd():
                        self._end()

    def finish(self) -> None:
        """The body is over.

        Raises:
            MultipartError: it should have gone on.
        """
        if self._parser is None:
            self._end()
        elif not self._parser.is_complete:
            raise MultipartError("the body ends before its last boundary")

    def close(self) -> None:
        """Cut off what is not whole."""
        self._session.close()

    def _begin(self, content_type: str, encoding: str = "binary") -> None:
        self._ingest = None
        try:
            is_dicom = parse_content_type(content_type).type == DICOM
        except BadMediaType:
            is_dicom = False
        if not is_dicom or encoding.lower() not in ("binary", "8bit", "7bit"):
            self._result.add_failed(None, _NOT_DICOM)
        elif self._result.out_of_resources:
            self._result.add_failed(None, _OUT_OF_RESOURCES)
        else:
            self._ingest = self._session.begin_part10()

    def _write(self, data: memoryview) -> None:
        if self._ingest is None:
            return
        try:
            self._ingest.write(data)
        except IngestError as error:
            self._failed(error)

    def _end(self) -> None:
        if self._ingest is None:
            return
        try:
            outcome = self._ingest.commit()
        except IngestError as error:
            self._failed(error)
        else:
            self._result.add_stored(outcome)
            self._ingest = None

    def _failed(self, error: IngestError) -> None:
        _log.warning(
            "stow.refused",
            status=f"{error.dimse_status:04X}",
            reason=error.error_comment,
            sop_instance_uid=self._ingest and self._ingest.sop_instance_uid,
        )
        self._result.add_failed(self._ingest, error.dimse_status)
        self._ingest = None
        if isinstance(error, OutOfResources):
            self._result.out_of_resources = True


class StowRs:
    """The Store transaction.

    Args:
        archive: The door.
        access: Who may.
    """

    def __init__(self, archive: Archive, access: Access) -> None:
        self._archive = archive
        self._access = access
        self._running = 0

    async def store(self, request: Request, send: Send, study: str | None) -> None:
        """Receive a body.

        Raises:
            Problem: refused whole.
            ClientDisconnected: nobody waits for an answer any more.
        """
        if study is not None:
            check_uids(study)
        self._access.require(request.actor, Action.STORE, study_instance_uid=study)
        form = choose_form(request, one=True)
        parser = _body_parser(request)
        if self._running >= MAX_REQUESTS:
            raise Problem("busy", retry_after_s=RETRY_AFTER_S)
        result = StoreResult(root_url(request))
        self._running += 1
        try:
            broken = await self._receive(request, study, parser, result)
        finally:
            self._running -= 1
        await self._answer(send, form, result, broken)

    async def _receive(
        self,
        request: Request,
        study: str | None,
        parser: MultipartParser | None,
        result: StoreResult,
    ) -> MultipartError | None:
        source = Source(
            kind=SourceKind.STOW,
            peer=request.peer,
            actor_name=request.actor.name,
            study_instance_uid=study,
        )
        session = await run_blocking(self._archive.open_session, source)
        receiver = Receiver(session, parser, result)
        try:
            await _feed(request, receiver)
            await run_blocking(receiver.finish)
        except MultipartError as error:
            return error
        except ClientDisconnected:
            _log.info("stow.client_gone", stored=len(result.stored), failed=result.failure_count)
            raise
        finally:
            await asyncio.shield(run_blocking(receiver.close))
        return None

    async def _answer(
        self, send: Send, form: Form, result: StoreResult, broken: MultipartError | None
    ) -> None:
        document = result.document()
        if broken is not None:
            raise Problem(
                "body-too-large" if isinstance(broken, TooManyParts) else "bad-multipart",
                detail=f"{str(broken)[:1].upper()}{str(broken)[1:]}; what was whole is stored.",
                extra={"store_response": document},
            )
        if not result.stored and result.out_of_resources:
            raise Problem(
                "out-of-resources",
                retry_after_s=RETRY_AFTER_S,
                extra={"store_response": document},
            )
        if not result.stored and not result.failure_count:
            raise Problem("bad-multipart", detail="The body has no part.")
        boundary = new_boundary().encode("ascii")
        headers = [form.content_type(boundary), (b"cache-control", b"no-store")]
        status = 200
        if result.failure_count or result.warnings:
            status = 202 if result.stored else 409
        if result.out_of_resources:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode("ascii")))
        await send_answer(send, status, headers, _written(form, document, boundary))


def _written(form: Form, document: DicomJson, boundary: bytes) -> bytes:
    match form:
        case Form.XML:
            return dump_native_model(document)
        case Form.XML_PARTS:
            return b"".join(xml_parts((document,), boundary))
        case _:
            return orjson.dumps(document)


async def _feed(request: Request, receiver: Receiver) -> None:
    """Hand the body on in pieces; the next is collected while one is being written.

    What came before the body broke off is handed on too: it may hold the end of a part.
    """
    pending: list[bytes] = []
    size = 0
    writing: asyncio.Future[None] | None = None
    try:
        async for chunk in request.body_chunks():
            pending.append(chunk)
            size += len(chunk)
            if size >= PIECE_BYTES:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(run_blocking(receiver.feed, b"".join(pending)))
                pending, size = [], 0
    except asyncio.CancelledError:
        pending = []
        raise
    finally:
        if writing is not None:
            await asyncio.wait((writing,))
            writing.result()
        if pending:
            await run_blocking(receiver.feed, b"".join(pending))


def _body_parser(request: Request) -> MultipartParser | None:
    """What reads the body the Content-Type announces; None when it is one Part 10 file.

    Raises:
        Problem: a body that is not taken.
    """
    encoding = (request.header(b"content-encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise Problem(
            "unsupported-content-encoding", detail="Send the body without Content-Encoding."
        )
    header = request.header(b"content-type")
    if header is None:
        raise Problem("unsupported-media-type", detail=_WANTED)
    try:
        media = parse_content_type(header)
    except BadMediaType as error:
        raise Problem("bad-request", detail=f"Content-Type: {error}.") from error
    if media.type == DICOM:
        return None
    if media.type != MULTIPART or media.parameters.get("type", DICOM).lower() != DICOM:
        raise Problem("unsupported-media-type", detail=_WANTED)
    boundary = media.parameters.get("boundary", "")
    try:
        return MultipartParser(boundary, max_parts=MAX_PARTS)
    except MultipartError as error:
        raise Problem("bad-multipart", detail=f"Content-Type: {error}.") from error


_WANTED: Final = (
    f'multipart/related; type="{DICOM}" or {DICOM} is taken; the answer is {DICOM_JSON}.'
)


def _value(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _reference(class_uid: str, instance_uid: str) -> DicomJson:
    return {"00081150": _value("UI", class_uid), "00081155": _value("UI", instance_uid)}


def _reason(code: int) -> DicomJson:
    return {"00081197": _value("US", code)}
