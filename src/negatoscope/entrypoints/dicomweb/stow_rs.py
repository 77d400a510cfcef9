"""Store Instances (PS3.18 §10.5): ``POST /dicom-web/studies[/{study}]``.

Bodies are Part 10 files, or metadata and bulk data (``stow_metadata``).

The body is read piece by piece; each part goes into the archive by the same door as a C-STORE.
Parts of one request share flushes and transactions of the index, a few at a time; the answer is
sent when all are done. The request holds two pieces of the body at most, whatever the size of a
part or their number, and the client is read from only as fast as the archive writes.

What is whole when the body breaks off — the client went away, a boundary is missing — stays in
the archive; the part that was under way leaves nothing. A client that never had its answer sends
all again: what is stored already is recognised by its digest.
"""

import asyncio
from pathlib import Path
from typing import Final

import orjson
import structlog

from negatoscope.domain.archive import (
    Archive,
    Source,
    SourceKind,
)
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.data_sets import Form, choose_form, xml_parts
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    MULTIPART,
    BadMediaType,
    parse_content_type,
)
from negatoscope.entrypoints.dicomweb.multipart import (
    MultipartError,
    MultipartParser,
    TooManyParts,
    new_boundary,
)
from negatoscope.entrypoints.dicomweb.retrieve_common import check_uids
from negatoscope.entrypoints.dicomweb.stow_metadata import MetadataReceiver, MetadataTooLong
from negatoscope.entrypoints.dicomweb.stow_receiving import Receiver, StoreResult
from negatoscope.entrypoints.dicomweb.wado_rs import root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import ClientDisconnected, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.dataset import DicomJson
from negatoscope.protocols.dicom.xml import dump_native_model

PIECE_BYTES: Final = 1 << 20
"""Of the body, handed to the archive at once; a second one may be waiting."""
LONG_CHUNK_BYTES: Final = 64 << 10
"""Not copied to be joined with their neighbours."""
MAX_PARTS: Final = 100_000
MAX_REQUESTS: Final = 16
"""Bodies received at once by a process; further ones are told to come back."""
RETRY_AFTER_S: Final = 30
_log = structlog.get_logger(__name__)


class StowRs:
    """The Store transaction.

    Args:
        archive: The door.
        access: Who may.
        spool_dir: Where bulk data wait for their metadata.
    """

    def __init__(self, archive: Archive, access: Access, *, spool_dir: Path) -> None:
        self._archive = archive
        self._spool_dir = spool_dir
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
        kind, parser = _body_kind(request)
        if self._running >= MAX_REQUESTS:
            raise Problem("busy", retry_after_s=RETRY_AFTER_S)
        result = StoreResult(root_url(request))
        self._running += 1
        try:
            broken = await self._receive(request, study, kind, parser, result)
        finally:
            self._running -= 1
        await self._answer(send, form, result, broken)

    async def _receive(
        self,
        request: Request,
        study: str | None,
        kind: str,
        parser: MultipartParser | None,
        result: StoreResult,
    ) -> MultipartError | None:
        source = Source(
            kind=SourceKind.STOW,
            peer=request.peer,
            actor_name=request.actor.name,
            study_instance_uid=study,
        )
        session = self._archive.open_session(source)
        receiver = (
            Receiver(session, parser, result)
            if kind == DICOM
            else MetadataReceiver(session, parser, result, kind, self._spool_dir)
        )
        try:
            await _feed(request, receiver)
        except MultipartError as error:
            return error
        except ClientDisconnected:
            _log.info("stow.client_gone", stored=len(result.stored), failed=result.failure_count)
            raise
        finally:
            if not receiver.is_ending:
                await asyncio.shield(run_blocking(receiver.close))
        return None

    async def _answer(
        self, send: Send, form: Form, result: StoreResult, broken: MultipartError | None
    ) -> None:
        document = result.document()
        if broken is not None:
            raise Problem(
                "body-too-large"
                if isinstance(broken, (TooManyParts, MetadataTooLong))
                else "bad-multipart",
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
    """Hand the body on in pieces; the next is collected while one is being written. The last ends the receiver.

    What came before the body broke off is handed on too: it may hold the end of a part. A body of one piece takes
    one change of threads.
    """
    pending: list[bytes] = []
    size = 0
    whole = False
    writing: asyncio.Future[None] | None = None
    try:
        async for chunk in request.body_chunks():
            pending.append(chunk)
            size += len(chunk)
            if size >= PIECE_BYTES:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(run_blocking(receiver.feed_all, _joined(pending)))
                pending, size = [], 0
        whole = True
    except asyncio.CancelledError:
        pending = []
        raise
    finally:
        if writing is not None:
            await asyncio.wait((writing,))
            writing.result()
        receiver.is_ending = True
        await asyncio.shield(run_blocking(receiver.end, _joined(pending), whole=whole))


def _joined(chunks: list[bytes]) -> list[bytes]:
    """Long chunks as they are; short ones in one, which is one write and one turn of the parser."""
    if sum(map(len, chunks)) >= len(chunks) * LONG_CHUNK_BYTES:
        return chunks
    return [b"".join(chunks)]


def _body_kind(request: Request) -> tuple[str, MultipartParser | None]:
    """The media type of the objects, and what reads the body; None when it is one object.

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
    if media.type in _KINDS:
        return media.type, None
    kind = media.parameters.get("type", DICOM).lower()
    if media.type != MULTIPART or kind not in _KINDS:
        raise Problem("unsupported-media-type", detail=_WANTED)
    boundary = media.parameters.get("boundary", "")
    try:
        return kind, MultipartParser(boundary, max_parts=MAX_PARTS)
    except MultipartError as error:
        raise Problem("bad-multipart", detail=f"Content-Type: {error}.") from error


_KINDS: Final = (DICOM, DICOM_JSON, DICOM_XML)
_WANTED: Final = (
    f"{DICOM}, {DICOM_JSON} and {DICOM_XML} are taken, alone or as type of a {MULTIPART}."
)
