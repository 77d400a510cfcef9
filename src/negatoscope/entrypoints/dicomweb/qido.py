"""Search (QIDO-RS, PS3.18 §10.6) on its wire; ``qido_rs`` has the mapping."""

import gzip
from collections.abc import Sequence

import orjson

from negatoscope.domain.archive.headers import header_reader
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.data_sets import (
    accepts_gzip,
    choose_form,
    xml_parts,
)
from negatoscope.entrypoints.dicomweb.multipart import new_boundary
from negatoscope.entrypoints.dicomweb.qido_rs import QidoContext, search_resource
from negatoscope.entrypoints.dicomweb.retrieve_common import check_uids
from negatoscope.entrypoints.dicomweb.wado_rs import root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings
from negatoscope.kit.aio import run_blocking

GZIP_FROM_BYTES = 4096


class QidoRs:
    """The Search transaction.

    Args:
        database: The index.
        retrieval: The archive's reading side, for attributes that are in headers only.
        access: Who may, and the audit trail.
        settings: Our AE title.
    """

    def __init__(
        self, database: Database, retrieval: Retrieval, access: Access, settings: Settings
    ) -> None:
        self._database = database
        self._headers = header_reader(retrieval)
        self._access = access
        self._ae_title = settings.ae_title

    async def search(self, request: Request, send: Send, parts: Sequence[str]) -> None:
        """``GET`` of a search resource.

        Raises:
            Problem: refused.
        """
        check_uids(*parts[1::2])
        study = parts[1] if len(parts) > 1 else None
        self._access.require(request.actor, Action.QUERY, study_instance_uid=study)
        form = choose_form(request)
        context = QidoContext(
            database=self._database,
            base_url=root_url(request),
            ae_title=self._ae_title,
            headers=self._headers,
            scope=request.actor.data_scope,
        )
        result = await run_blocking(search_resource, list(parts), request.query(), context)
        await self._access.note_read(request, Action.QUERY, study)
        headers: list[Header] = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in result.headers
            if name != "Content-Type"
        ]
        headers.append((b"cache-control", b"no-store"))
        body = b"".join(result.body)
        if body:
            boundary = new_boundary().encode("ascii")
            headers.append(form.content_type(boundary))
            headers.append((b"vary", b"accept, accept-charset, accept-encoding, authorization"))
            if form.is_xml:
                body = await run_blocking(_in_xml, body, boundary)
            if len(body) >= GZIP_FROM_BYTES and accepts_gzip(request):
                headers.append((b"content-encoding", b"gzip"))
                body = await run_blocking(gzip.compress, body, 1)
        await send_answer(send, result.status, headers, body, head_only=request.method == "HEAD")


def _in_xml(body: bytes, boundary: bytes) -> bytes:
    return b"".join(xml_parts(orjson.loads(body), boundary))
