"""The Worklist Service, UPS-RS (PS3.18 §11): workitems and subscriptions over HTTP.

Event reports go by WebSocket, see ``ups_channel``. Every refusal carries the DIMSE status of its
twin (PS3.4 Annex CC) in the member ``dicom_status``.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from negatoscope.domain.archive.query import Include, QueryError
from negatoscope.domain.identity import Action
from negatoscope.domain.ups import (
    WITH_MODIFICATIONS,
    Done,
    Subscriptions,
    Transport,
    UpsError,
    Worklist,
)
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.errors import ANSWERS
from negatoscope.domain.ups.searching import returned
from negatoscope.entrypoints.dicomweb.data_sets import Form, choose_form, xml_parts
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM_JSON,
    DICOM_XML,
    JSON,
    BadMediaType,
    parse_content_type,
)
from negatoscope.entrypoints.dicomweb.multipart import new_boundary
from negatoscope.entrypoints.dicomweb.qido_rs import SearchRequest, read_parameters
from negatoscope.entrypoints.dicomweb.retrieve_common import check_uids
from negatoscope.entrypoints.dicomweb.wado_rs import root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.json import DicomJsonError, dump_array, parse_data_sets
from negatoscope.protocols.dicom.xml import DicomXmlError, dump_native_model, parse_native_model
from negatoscope.standard import tags

BODY_BYTES: Final = 4 << 20
MAX_RESULTS: Final = 1000
"""Workitems of one answer at most, whatever ``limit`` says."""
DEFAULT_ATTRIBUTES: Final = tuple(
    requirement.tags[0]
    for requirement in a.REQUIREMENTS
    if len(requirement.path) == 1 and requirement.tags[0] not in (a.TRANSACTION_UID, a.PERFORMED)
)
"""Answered without being asked for: the return keys of PS3.4 Table CC.2.5-3."""
_MEDIA_TYPES: Final = frozenset({DICOM_JSON, DICOM_XML, JSON})
_CODES: Final = {400: "bad-workitem", 403: "forbidden", 404: "workitem-not-found", 503: "busy"}
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")


class UpsRs:
    """The transactions of PS3.18 Table 11.1.2-1.

    Args:
        database: The worklist.
        access: Who may, and the audit trail.
    """

    def __init__(self, database: Database, access: Access) -> None:
        self._worklist = Worklist(database)
        self._subscriptions = Subscriptions(database)
        self._access = access

    async def create(self, request: Request, send: Send) -> None:
        """Create Workitem (§11.4): ``POST /workitems``; the UID is the query's, or made here."""
        self._authorize(request)
        uid = _named_uid(request)
        done = await self._do(self._worklist.create, await _data_set(request), uid=uid)
        await self._note(request, "create", done.sop_instance_uid)
        url = f"{root_url(request)}/workitems/{done.sop_instance_uid}"
        headers: list[Header] = [(b"location", url.encode()), (b"content-location", url.encode())]
        if done.status == WITH_MODIFICATIONS:
            headers.append(_warning(request, "The Workitem was created with modifications."))
        await send_answer(send, 201, [*headers, _NO_STORE])

    async def retrieve(self, request: Request, send: Send, uid: str) -> None:
        """Retrieve Workitem (§11.5)."""
        self._authorize(request)
        check_uids(uid)
        form = choose_form(request, one=True)
        item = await self._do(self._worklist.retrieve, uid)
        await self._note(request, "retrieve", uid)
        content_type, body = _written([returned(item, {}, everything=True)], form)
        headers: list[Header] = [content_type, _NO_STORE]
        await send_answer(send, 200, headers, body, head_only=request.method == "HEAD")

    async def update(self, request: Request, send: Send, uid: str) -> None:
        """Update Workitem (§11.6); the lock is in the query or in the body."""
        self._authorize(request)
        check_uids(uid)
        lock = _parameter(request, "transaction", "transaction-uid")
        done = await self._do(
            self._worklist.update, uid, await _data_set(request), transaction_uid=lock
        )
        await self._finish(request, send, "update", done)

    async def change_state(self, request: Request, send: Send, uid: str) -> None:
        """Change Workitem State (§11.7)."""
        self._authorize(request)
        check_uids(uid)
        body = await _data_set(request)
        lock = _text(body, a.TRANSACTION_UID)
        try:
            done = await self._do(self._worklist.change_state, uid, _text(body, a.STATE), lock)
        except Problem as problem:
            if not lock and problem.extra.get("dicom_status") == "C301":
                problem.more_headers = [_warning(request, "The Transaction UID is missing.")]
            raise
        await self._finish(request, send, "change state", done, state=_text(body, a.STATE)[:16])

    async def cancel(self, request: Request, send: Send, uid: str) -> None:
        """Request Cancellation (§11.8)."""
        self._authorize(request)
        check_uids(uid)
        asked_by = _parameter(request, "requester") or request.actor.name
        title = "".join(c for c in asked_by if c.isascii() and c.isprintable() and c != "\\")
        done = await self._do(
            self._worklist.request_cancel,
            uid,
            await _data_set(request, may_be_empty=True),
            requesting_ae=title[:16] or "HTTP",
        )
        await self._finish(request, send, "request cancel", done, success=202)

    async def search(self, request: Request, send: Send) -> None:
        """Search for Workitems (§11.9)."""
        self._authorize(request)
        form = choose_form(request)
        wanted = read_parameters(request.query())
        found, more = await self._do(self._find, wanted)
        await self._note(request, "search", None, keys=sorted(wanted.matched))
        headers: list[Header] = [_NO_STORE]
        if more:
            headers.append(_warning(request, "There are additional results that can be requested"))
        if not found:
            await send_answer(send, 204, headers)
            return
        content_type, body = _written(found, form)
        headers.append(content_type)
        await send_answer(send, 200, headers, body, head_only=request.method == "HEAD")

    async def subscription(self, request: Request, send: Send, uid: str, ae_title: str) -> None:
        """Create (``POST``, §11.10) and Delete (``DELETE``, §11.12) Subscription."""
        self._authorize(request)
        check_uids(uid)
        if request.method == "DELETE":
            await self._do(self._subscriptions.unsubscribe, uid, ae_title)
            await self._note(request, "unsubscribe", uid, ae_title=ae_title)
            await send_answer(send, 200, [_NO_STORE])
            return
        lock, keys = _subscription_parameters(request)
        await self._do(
            self._subscriptions.subscribe,
            uid,
            ae_title,
            deletion_lock=lock,
            transport=Transport.HTTP,
            keys=keys,
        )
        await self._note(request, "subscribe", uid, ae_title=ae_title, deletion_lock=lock)
        channel = f"{root_url(request)}/subscribers/{ae_title}".replace("http", "ws", 1)
        location = (b"content-location", channel.encode("latin-1", "replace"))
        await send_answer(send, 201, [location, _NO_STORE])

    async def suspend(self, request: Request, send: Send, uid: str, ae_title: str) -> None:
        """Suspend Global Subscription (§11.11)."""
        self._authorize(request)
        check_uids(uid)
        await self._do(self._subscriptions.suspend, uid, ae_title)
        await self._note(request, "suspend", uid, ae_title=ae_title)
        await send_answer(send, 200, [_NO_STORE])

    def _authorize(self, request: Request) -> None:
        self._access.require(request.actor, Action.UPS)

    async def _do(self, function: Any, *args: Any, **more: Any) -> Any:
        try:
            return await run_blocking(function, *args, **more)
        except UpsError as error:
            raise _problem(error) from error
        except QueryError as error:
            raise Problem("busy", detail="The search takes too long; narrow it.") from error

    async def _finish(
        self,
        request: Request,
        send: Send,
        transaction: str,
        done: Done,
        *,
        success: int = 200,
        **detail: str,
    ) -> None:
        await self._note(request, transaction, done.sop_instance_uid, **detail)
        answer = ANSWERS.get(done.status)
        if answer is None:
            await send_answer(send, success, [_NO_STORE])
            return
        status = 409 if success == 202 else answer.http_status
        await send_answer(send, status, [_warning(request, answer.warning), _NO_STORE])

    async def _note(
        self, request: Request, transaction: str, uid: str | None, **detail: object
    ) -> None:
        more = {"transaction": transaction, **detail}
        if uid is not None:
            more["sop_instance_uid"] = uid
        await self._access.note(request, Action.UPS, detail=more)

    def _find(self, wanted: SearchRequest) -> tuple[list[dict[str, Any]], bool]:
        limit = MAX_RESULTS if wanted.limit is None else min(wanted.limit, MAX_RESULTS)
        matches = self._worklist.search(wanted.keys, wanted.options)
        some = list(islice(matches, wanted.offset, wanted.offset + limit + 1))
        fields = {tag: {"vr": tags.vr_for(int(tag, 16))} for tag in DEFAULT_ATTRIBUTES}
        everything = wanted.include is Include.ALL
        return [
            returned(item, fields | wanted.keys, everything=everything) for item in some[:limit]
        ], len(some) > limit


def _problem(error: UpsError) -> Problem:
    answer = error.answer
    extra: dict[str, Any] = {"dicom_status": f"{error.status:04X}"}
    if error.offending:
        extra["attributes"] = [f"{tag:08X}" for tag in error.offending]
    headers = [(b"warning", f'299 - "{answer.warning}"'.encode())] if answer.warning else []
    return Problem(
        _CODES.get(answer.http_status, "conflict"),
        detail=f"{error.comment[0].upper()}{error.comment[1:]}.",
        retry_after_s=60 if answer.http_status == 503 else None,
        extra=extra,
        headers=headers,
    )


def _warning(request: Request, text: str) -> Header:
    return b"warning", f'299 {root_url(request)} "{text}"'.encode()


def _written(data_sets: list[dict[str, Any]], form: Form) -> tuple[Header, bytes]:
    """Data sets in the form asked for."""
    boundary = new_boundary().encode("ascii")
    if form is Form.XML:
        body = dump_native_model(data_sets[0])
    elif form is Form.XML_PARTS:
        body = b"".join(xml_parts(data_sets, boundary))
    else:
        body = dump_array(data_sets)
    return form.content_type(boundary), body


async def _data_set(request: Request, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """The one data set of a request's body.

    Raises:
        Problem: 400, 413, 415.
    """
    body = await request.body(BODY_BYTES)
    if not body and may_be_empty:
        return {}
    header = request.header(b"content-type") or ""
    try:
        media_type = parse_content_type(header).type if header else ""
    except BadMediaType as error:
        raise Problem("unsupported-media-type", detail=f"Content-Type: {error}.") from error
    if media_type not in _MEDIA_TYPES:
        taken = "application/dicom+json and application/dicom+xml are taken."
        raise Problem("unsupported-media-type", detail=taken)
    try:
        if media_type == DICOM_XML:
            return parse_native_model(body)
        data_sets = parse_data_sets(body)
    except (DicomJsonError, DicomXmlError) as error:
        raise Problem("bad-workitem", detail=f"The body is none: {error}.") from error
    if len(data_sets) != 1:
        raise Problem("bad-workitem", detail="The body holds exactly one data set.")
    return data_sets[0]


def _parameter(request: Request, *names: str) -> str | None:
    return next((value for name, value in request.query() if name.lower() in names), None)


def _named_uid(request: Request) -> str | None:
    """``?workitem=1.2.3``, ``?AffectedSOPInstanceUID=1.2.3`` or, as PS3.18 writes it, ``?1.2.3``."""
    for name, value in request.query():
        if name.lower() in ("workitem", "affectedsopinstanceuid") and value:
            return value
        if not value and name and not name.strip("0123456789."):
            return name
    return None


def _subscription_parameters(request: Request) -> tuple[bool, dict[str, Any] | None]:
    """The deletion lock and, where there are any, matching keys."""
    lock = False
    keys: list[tuple[str, str]] = []
    for name, value in request.query():
        if name.lower() == "deletionlock":
            if value.lower() not in ("true", "false"):
                raise Problem("bad-query", detail="deletionlock is true or false.")
            lock = value.lower() == "true"
        elif name == "filter":
            pairs = (pair.partition("=") for pair in value.split(",") if pair)
            keys += [(key, text) for key, _, text in pairs]
        else:
            keys.append((name, value))
    return lock, read_parameters(keys).keys if keys else None


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    values = attributes.get(tag, {}).get("Value", ())
    found = next(iter(values), "") if isinstance(values, list) else ""
    return found.strip() if isinstance(found, str) else ""
