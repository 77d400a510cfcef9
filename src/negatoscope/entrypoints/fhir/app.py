"""``/fhir``: FHIR R4. Every refusal is an OperationOutcome.

::

    /fhir/metadata                    CapabilityStatement, open to everybody; written from what is served
    /fhir/Patient?…                   search; POST /fhir/Patient/_search the same
    /fhir/Patient/{id}                read
    POST /fhir/ServiceRequest         create
    /fhir/AuditEvent …                the audit trail

What is served is in `fhir.kinds`, and in `fhir.audit_event` for the trail.
"""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
import psycopg

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity import Action
from negatoscope.domain.orders import Numbering
from negatoscope.domain.patients import Registry
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.fhir import schedule, service_request
from negatoscope.entrypoints.fhir.audit_event import audit_event
from negatoscope.entrypoints.fhir.elements import instant
from negatoscope.entrypoints.fhir.inclusion import (
    MAX_INCLUDED,
    Included,
    included,
    includes_of,
    link_of,
    reverse_includes_of,
)
from negatoscope.entrypoints.fhir.kinds import KINDS
from negatoscope.entrypoints.fhir.parameters import NAMES, Question, read_question
from negatoscope.entrypoints.fhir.searching import Context, Kind
from negatoscope.entrypoints.fhir.searching import Question as Search
from negatoscope.entrypoints.fhir.searching import read_question as read_search
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
_BODY_BYTES: Final = 262_144
_TAKEN: Final = (
    "application/fhir+json",
    "application/json",
    "text/json",
    "json",
    "*/*",
    "application/*",
)
_INCOMPLETE: Final = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "warning",
            "code": "incomplete",
            "diagnostics": f"More than {MAX_INCLUDED} resources of one type refer to what was found;"
            " search these by themselves.",
        }
    ],
}
_ISSUES_BY_CODE: Final = {"invalid-input": "invalid", "conflict": "duplicate"}
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
            if status == 201:
                base = f"{request.scope['negatoscope.origin']}{PREFIX}"
                location = f"{base}/{resource['resourceType']}/{resource['id']}"
                headers.append((b"location", location.encode("latin-1")))
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
            case [name] if name in KINDS:
                return await self._list(request, KINDS[name])
            case [name, "_search"] if name in KINDS:
                _check_method(request, "POST")
                pairs = [*request.query(), *await _form(request)]
                return 200, await self._find(request, KINDS[name], pairs)
            case [name, ident] if name in KINDS:
                _check_method(request, "GET", "HEAD")
                return 200, await self._one(request, KINDS[name], ident)
        raise Problem("not-found")

    # -- what is in KINDS ---------------------------------------------------------------------

    async def _list(
        self, request: Request, kind: Kind | schedule.Slots
    ) -> tuple[int, dict[str, Any]]:
        if "create" not in kind.interactions:
            _check_method(request, "GET", "HEAD")
        if request.method != "POST":
            _check_method(request, "GET", "HEAD", "POST")
            return 200, await self._find(request, kind, request.query())
        return 201, await self._create(request)

    def _context(self, request: Request, connection: psycopg.Connection[Any]) -> Context:
        return Context(
            connection=connection,
            rules=Rules.of(self._services.settings),
            actor=request.actor,
            base=f"{request.scope['negatoscope.origin']}{PREFIX}",
            seen=visibility.condition(request.actor.data_scope, study="s", patient="p"),
        )

    async def _one(
        self, request: Request, kind: Kind | schedule.Slots, ident: str
    ) -> dict[str, Any]:
        access = self._services.access
        access.require(request.actor, kind.action)

        def work() -> tuple[dict[str, Any] | None, dict[str, Any]]:
            with self._services.database.connection() as connection:
                found = kind.read(self._context(request, connection), ident)
                return found, {} if found is None else _whose(connection, found)

        found, whose = await run_blocking(work)
        if found is None:
            raise Problem("not-found")
        study = ident if kind.name == "ImagingStudy" else None
        detail = {"resource": f"{kind.name}/{ident}"}
        await access.note(request, kind.action, study_instance_uid=study, detail=detail, **whose)
        return found

    async def _find(
        self, request: Request, kind: Kind | schedule.Slots, pairs: list[tuple[str, str]]
    ) -> dict[str, Any]:
        self._services.access.require(request.actor, kind.action)
        strict = "handling=strict" in (request.header(b"prefer") or "")
        question = read_search(
            kind.parameters,
            kind.sort_names,
            pairs,
            strict=strict,
            includes=includes_of(kind.name),
            reverse_includes=reverse_includes_of(kind.name),
        )
        links = [one for text in question.includes if (one := link_of(text))]
        reverse_links = [one for text in question.reverse_includes if (one := link_of(text))]
        along = {
            KINDS[name].action
            for name in (*(one.target for one in links), *(one.source for one in reverse_links))
        }
        for action in along:
            self._services.access.require(request.actor, action)

        def work() -> tuple[list[dict[str, Any]], str | None, Included]:
            with self._services.database.connection() as connection:
                context = self._context(request, connection)
                page = kind.search(context, question)
                more = included(context, page.resources, links, reverse_links)
                return page.resources, page.next, more

        found, next_, more = await run_blocking(work)
        for action in {kind.action, *along}:
            await self._services.access.note_read(request, action)
        base = f"{request.scope['negatoscope.origin']}{PREFIX}"
        url = f"{base}/{kind.name}"
        addresses = [{"relation": "self", "url": _search_link(url, question)}]
        if next_ is not None:
            address = _search_link(url, question, cursor=next_)
            addresses.append({"relation": "next", "url": address})
        entries = [_entry(base, one, "match") for one in found]
        entries += [_entry(base, one, "include") for one in more.resources]
        if not more.is_complete:
            entries.append({"resource": _INCOMPLETE, "search": {"mode": "outcome"}})
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "timestamp": instant(utc_now()),
            "link": addresses,
            **({"entry": entries} if entries else {}),
        }

    async def _create(self, request: Request) -> dict[str, Any]:
        """Make an order; ServiceRequest alone is made."""
        access = self._services.access
        access.require(request.actor, Action.ORDER)
        kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if kind not in ("application/fhir+json", "application/json"):
            raise Problem("unsupported-media-type")
        try:
            given = orjson.loads(await request.body(_BODY_BYTES))
        except orjson.JSONDecodeError as error:
            raise Problem("bad-request", detail="The body is no JSON.") from error
        settings = self._services.settings.orders
        numbering = Numbering(
            pattern=settings.accession_number_pattern, issuer=settings.issuer_of_accession_number
        )

        def work() -> tuple[dict[str, Any], dict[str, Any]]:
            with self._services.database.connection() as connection:
                context = self._context(request, connection)
                made = service_request.create(context, given, numbering)
                return made, _whose(connection, made)

        made, whose = await run_blocking(work)
        detail = {"resource": f"ServiceRequest/{made['id']}"}
        await access.note(request, Action.ORDER, detail=detail, **whose)
        return made

    # -- the audit trail ----------------------------------------------------------------------

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
                        "description": "Bearer token (RFC 6750), or a session; rights are those of the account."
                    },
                    "resource": [
                        *(_capability(kind) for kind in KINDS.values()),
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
                        },
                    ],
                }
            ],
        }


def _entry(base: str, resource: dict[str, Any], mode: str) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _capability(kind: Kind | schedule.Slots) -> dict[str, Any]:
    return {
        "type": kind.name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{kind.name}",
        "interaction": [{"code": one} for one in kind.interactions],
        "versioning": "no-version",
        "searchParam": [
            {"name": one.name, "type": one.type}
            | ({"documentation": one.documentation} if one.documentation else {})
            for one in kind.parameters.values()
            if "." not in one.name  # chains are none of their own
        ],
        **({"searchInclude": list(includes)} if (includes := includes_of(kind.name)) else {}),
        **(
            {"searchRevInclude": list(naming)} if (naming := reverse_includes_of(kind.name)) else {}
        ),
    }


def _whose(connection: psycopg.Connection[Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Of whom a resource speaks, for the audit trail."""
    if resource["resourceType"] == "Patient":
        text = f"Patient/{resource['id']}"
    else:
        actors = [one.get("actor", {}) for one in resource.get("participant", [])]
        places = [resource.get("subject", {}), *actors]
        text = next((one["reference"] for one in places if "reference" in one), "")
    kind, _, ident = text.rpartition("/")
    if kind != "Patient":
        return {}
    for found in Registry(connection).get_all([int(ident)]):
        for one in sorted(found.identifiers, key=lambda each: each.type_code != "PI"):
            return {"patient_id": one.value, "issuer_of_patient_id": one.authority.text}
    return {}


def _search_link(base: str, question: Search, *, cursor: str | None = None) -> str:
    pairs = [(name, value) for name, value in question.used if name != "_cursor" or cursor is None]
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    return f"{base}?{urlencode(pairs)}" if pairs else base


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
        "code": _ISSUES_BY_CODE.get(problem.code, _ISSUES.get(problem.status, "exception")),
        "details": {"coding": [{"code": document["code"]}], "text": document["title"]},
        "diagnostics": text,
    }
    where = [path for one in document.get("errors", ()) for path in one.get("where", ())]
    if where:
        issue["expression"] = where
    return {"resourceType": "OperationOutcome", "issue": [issue]}
