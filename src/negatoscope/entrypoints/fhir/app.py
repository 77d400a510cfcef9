"""``/fhir``: FHIR R4, reading. Every refusal is an OperationOutcome.

::

    /fhir/metadata                    CapabilityStatement, open to everybody
    /fhir/AuditEvent?…                search; POST /fhir/AuditEvent/_search the same
    /fhir/AuditEvent/{id}             read
"""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.fhir.audit_event import audit_event, instant
from negatoscope.entrypoints.fhir.parameters import NAMES, Question, read_question
from negatoscope.entrypoints.web.access import unauthenticated
from negatoscope.entrypoints.web.asgi import ClientDisconnected, Request, Send, send_answer
from negatoscope.entrypoints.web.failures import problem_for
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.entrypoints.web.version import VERSION
from negatoscope.infra.clock import utc_now
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit.atna.forwarding import source_of
from negatoscope.subscribers.audit.errors import SearchTooBroad
from negatoscope.subscribers.audit.searching import Filter, search_page

PREFIX: Final = "/fhir"
MEDIA_TYPE: Final = b"application/fhir+json; charset=utf-8"
_BODY_BYTES: Final = 65_536
_TAKEN: Final = (
    "application/fhir+json",
    "application/json",
    "text/json",
    "json",
    "*/*",
    "application/*",
)
_ISSUES: Final = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    413: "too-long", 414: "too-long", 415: "not-supported", 422: "too-costly", 429: "throttled", 503: "transient",
}  # fmt: skip


class Fhir:
    """The FHIR service of one process.

    Args:
        services: The public faces.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._source = source_of(services.settings)
        self._started_at = utc_now()

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer one request.

        Raises:
            ClientDisconnected: the client went away.
        """
        head_only = request.method == "HEAD"
        try:
            status, resource = await self._route(request)
            headers = [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store")]
            await send_answer(send, status, headers, orjson.dumps(resource), head_only=head_only)
        except ClientDisconnected:
            raise
        except Exception as error:  # noqa: BLE001 - each becomes an outcome, as everywhere a problem
            problem = await problem_for(self._services, request, error)
            headers = [
                (name, MEDIA_TYPE if name == b"content-type" else value)
                for name, value in problem.headers()
            ]
            body = orjson.dumps(_outcome(problem))
            await send_answer(send, problem.status, headers, body, head_only=head_only)

    async def _route(self, request: Request) -> tuple[int, dict[str, Any]]:
        _check_format(request)
        parts = request.path.removeprefix(PREFIX).strip("/").split("/")
        if parts == ["metadata"]:
            _check_method(request, "GET", "HEAD")
            return 200, self._capabilities(request)
        caller = await self._services.access.caller(request.scope)
        if caller is None:
            raise unauthenticated()
        request.actor = caller.actor
        match parts:
            case ["AuditEvent"]:
                _check_method(request, "GET", "HEAD")
                return 200, await self._search(request, request.query())
            case ["AuditEvent", "_search"]:
                _check_method(request, "POST")
                return 200, await self._search(request, [*request.query(), *await _form(request)])
            case ["AuditEvent", ident]:
                _check_method(request, "GET", "HEAD")
                return 200, await self._read(request, ident)
        raise Problem("not-found")

    async def _read(self, request: Request, ident: str) -> dict[str, Any]:
        self._services.access.require(request.actor, Action.READ_AUDIT)
        if not (ident.isascii() and ident.isdigit() and len(ident) < 19):
            raise Problem("not-found")
        await self._services.access.note_read(request, Action.READ_AUDIT)
        page = await run_blocking(search_page, self._services.database, Filter(ids=[int(ident)]))
        if not page.events:
            raise Problem("not-found")
        return audit_event(page.events[0], self._source)

    async def _search(self, request: Request, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        self._services.access.require(request.actor, Action.READ_AUDIT)
        strict = "handling=strict" in (request.header(b"prefer") or "")
        question = read_question(pairs, strict=strict)
        wanted = question.filter
        if wanted.patient_id is None:
            await self._services.access.note_read(request, Action.READ_AUDIT)
        else:
            await self._services.access.note(
                request,
                Action.READ_AUDIT,
                patient_id=wanted.patient_id,
                issuer_of_patient_id=wanted.issuer_of_patient_id,
            )
        try:
            page = await run_blocking(
                search_page,
                self._services.database,
                wanted,
                cursor=question.cursor,
                limit=max(1, question.count),
            )
        except SearchTooBroad as error:
            raise Problem("search-too-broad", detail=f"{error.message}; {error.hint}") from error
        found = (
            [audit_event(event, self._source) for event in page.events] if question.count else []
        )
        base = f"{request.scope['negatoscope.origin']}{PREFIX}/AuditEvent"
        links = [{"relation": "self", "url": _link(base, question)}]
        if page.next is not None and question.count:
            links.append({"relation": "next", "url": _link(base, question, cursor=str(page.next))})
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "timestamp": instant(utc_now()),
            "link": links,
            "entry": [
                {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}}
                for one in found
                if _is_wanted(one, question)
            ],
        }

    def _capabilities(self, request: Request) -> dict[str, Any]:
        types = {"_id": "token", "date": "date", "agent": "reference", "agent-name": "string", "patient": "reference",
                 "entity": "reference", "type": "token", "action": "token", "outcome": "token", "address": "string"}  # fmt: skip
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": instant(self._started_at),
            "kind": "instance",
            "software": {"name": "Negatoscope", "version": VERSION},
            "implementation": {
                "description": "Negatoscope archive",
                "url": f"{request.scope['negatoscope.origin']}{PREFIX}",
            },
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "rest": [
                {
                    "mode": "server",
                    "security": {
                        "description": "Bearer token (RFC 6750) of an account with the right to read the trail."
                    },
                    "resource": [
                        {
                            "type": "AuditEvent",
                            "profile": "http://hl7.org/fhir/StructureDefinition/AuditEvent",
                            "interaction": [{"code": "read"}, {"code": "search-type"}],
                            "versioning": "no-version",
                            "searchParam": [
                                {"name": name, "type": types[name]}
                                for name in NAMES
                                if name in types
                            ],
                        }
                    ],
                }
            ],
        }


def _is_wanted(resource: dict[str, Any], question: Question) -> bool:
    return (not question.types or resource["type"]["code"] in question.types) and (
        not question.actions or resource["action"] in question.actions
    )


def _link(base: str, question: Question, *, cursor: str | None = None) -> str:
    pairs = [(name, value) for name, value in question.used if name != "_cursor" or cursor is None]
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    return f"{base}?{urlencode(pairs)}" if pairs else base


def _check_method(request: Request, *allowed: str) -> None:
    if request.method not in allowed:
        raise Problem("method-not-allowed", allow=", ".join(allowed))


def _check_format(request: Request) -> None:
    wanted = dict(request.query()).get("_format") or request.header(b"accept") or "*/*"
    offered = [one.partition(";")[0].strip().lower() for one in wanted.split(",")]
    if not any(one in _TAKEN for one in offered):
        raise Problem("not-acceptable", detail="FHIR is given as application/fhir+json.")


async def _form(request: Request) -> list[tuple[str, str]]:
    kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem("unsupported-media-type")
    body = await request.body(_BODY_BYTES)
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError as error:
        raise Problem("bad-query", detail="The form is not UTF-8.") from error


def _outcome(problem: Problem) -> dict[str, Any]:
    document = orjson.loads(problem.body())
    text = document.get("detail") or document["title"]
    issue = {
        "severity": "error",
        "code": _ISSUES.get(problem.status, "exception"),
        "details": {"coding": [{"code": document["code"]}], "text": document["title"]},
        "diagnostics": text,
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}
