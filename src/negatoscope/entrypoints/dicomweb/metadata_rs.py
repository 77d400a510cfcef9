"""Retrieve Metadata of a study, a series or an instance (PS3.18 §10.4.1.1.2)."""

import gzip
import hashlib
from collections.abc import Iterable, Sequence

import orjson

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval, SeriesKey
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.data_sets import (
    Form,
    accepts_gzip,
    choose_form,
    gzipped,
    xml_parts,
)
from negatoscope.entrypoints.dicomweb.multipart import new_boundary
from negatoscope.entrypoints.dicomweb.retrieve_common import is_unchanged, problem_of
from negatoscope.entrypoints.dicomweb.wado_rs import Target, root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.ranges import send_head
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.xml import dump_native_model


class MetadataRs:
    """The metadata resources.

    Args:
        retrieval: The archive's reading side.
        access: Who may, and the audit trail.
    """

    def __init__(self, retrieval: Retrieval, access: Access) -> None:
        self._retrieval = retrieval
        self._access = access
        self._metadata = SeriesMetadata(retrieval)

    async def metadata(self, request: Request, send: Send, target: Target) -> None:
        """``GET …/metadata`` at the three levels, as DICOM JSON or Native DICOM Model.

        Raises:
            Problem: refused.
        """
        target.check()
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=target.study)
        form = choose_form(request, one=target.sop is not None)
        boundary = new_boundary().encode("ascii")
        headers: list[Header] = [
            form.content_type(boundary),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept, accept-charset, accept-encoding, authorization"),
        ]
        zipped = accepts_gzip(request)
        if zipped:
            headers.append((b"content-encoding", b"gzip"))
        try:
            if target.sop is not None:
                await self._one(request, send, target, form, headers, boundary)
            else:
                await self._many(request, send, target, form, headers, boundary)
        except RetrieveError as error:
            raise problem_of(error) from error

    async def _one(  # noqa: PLR0917
        self,
        request: Request,
        send: Send,
        target: Target,
        form: Form,
        headers: list[Header],
        boundary: bytes,
    ) -> None:
        base = root_url(request)
        stored = await run_blocking(
            self._retrieval.find,
            target.sop or "",
            study=target.study,
            series=target.series,
            is_fresh=True,
        )
        if stored is None:
            raise target.missing()
        await self._access.note_read(request, Action.RETRIEVE, target.study)
        whose = "" if stored.identity is None else stored.identity.fingerprint
        digest = hashlib.sha256(f"{base} {form.value} {whose}".encode() + stored.sha256).hexdigest()
        etag = f'W/"{digest[:32]}"'
        headers.append((b"etag", etag.encode("ascii")))
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return

        def build() -> bytes:
            line = self._metadata.of_instance(stored, base=base)
            if form is Form.XML:
                body = dump_native_model(orjson.loads(line))
            elif form is Form.XML_PARTS:
                body = b"".join(xml_parts((orjson.loads(line),), boundary))
            else:
                body = b"[" + line + b"]"
            is_zipped = any(name == b"content-encoding" for name, _ in headers)
            return gzip.compress(body, 1, mtime=0) if is_zipped else body

        body = await run_blocking(build)
        await send_answer(send, 200, headers, body, head_only=request.method == "HEAD")

    async def _many(  # noqa: PLR0917
        self,
        request: Request,
        send: Send,
        target: Target,
        form: Form,
        headers: list[Header],
        boundary: bytes,
    ) -> None:
        base = root_url(request)
        keys = await run_blocking(self._retrieval.series, target.selection)
        if not keys:
            raise target.missing()
        await self._access.note_read(request, Action.RETRIEVE, target.study)
        etag = _settled_etag(keys, f"{base} {form.value}")
        if etag is not None:
            headers.append((b"etag", etag.encode("ascii")))
            if is_unchanged(request, etag):
                await send_answer(send, 304, headers, head_only=True)
                return
        if request.method == "HEAD":
            await send_head(send, headers, None)
            return
        zipped = any(name == b"content-encoding" for name, _ in headers)
        if zipped and len(keys) == 1 and not form.is_xml:
            whole = await run_blocking(self._metadata.gzipped, keys[0], base=base)
            if whole is not None:
                await send_answer(send, 200, headers, whole)
                return
        chunks: Iterable[bytes]
        if form.is_xml:
            chunks = xml_parts(self._metadata.objects(keys, base=base), boundary)
        else:
            chunks = self._metadata.pieces(keys, base=base)
        await send_stream(
            send, request.receive, 200, headers, gzipped(chunks) if zipped else chunks
        )


def _settled_etag(keys: Sequence[SeriesKey], variant: str) -> str | None:
    """Metadata members never change, so where they lie is their version, with whose they are."""
    digest = hashlib.sha256(variant.encode())
    for key in keys:
        if key.metadata is None:
            return None
        whose = "" if key.identity is None else key.identity.fingerprint
        digest.update(f"{key.id}:{key.metadata}{whose}".encode())
    return f'W/"{digest.hexdigest()[:32]}"'
