"""The HTTP side of the program: one ASGI application over every wire.

::

    /dicom-web          DicomWeb, without a framework
    /wado               WADO-URI
    /api/v1             FastAPI
    /fhir               FHIR R4
    /healthz /readyz    open to everybody: whether the process lives, whether it can do its work
    /metrics            by token, for a role that may read metrics
    /ohif               somebody else's viewer, when it is installed
    everything else     the web application

A database that does not answer yet is waited for: requests get 503 until it does, and no process
dies of it.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

from negatoscope.domain.archive.configured import archive_settings
from negatoscope.domain.identity import Action, Actor
from negatoscope.domain.scheduling.holidays import warm
from negatoscope.entrypoints.api.app import create_api
from negatoscope.entrypoints.dicomweb import wado_uri
from negatoscope.entrypoints.dicomweb.app import DicomWeb
from negatoscope.entrypoints.dicomweb.deidentified import Deidentified
from negatoscope.entrypoints.fhir.app import Fhir
from negatoscope.entrypoints.web.access import unauthenticated
from negatoscope.entrypoints.web.asgi import (
    Application,
    ClientDisconnected,
    Message,
    Receive,
    Request,
    Scope,
    Send,
    accepts_html,
    send_answer,
    send_problem,
)
from negatoscope.entrypoints.web.failures import RETRY_AFTER_S, problem_for
from negatoscope.entrypoints.web.health import readiness
from negatoscope.entrypoints.web.ohif.site import OhifSite
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.proxies import HOST, NOTHING, TrustedProxies
from negatoscope.entrypoints.web.services import Services
from negatoscope.entrypoints.web.site import Site
from negatoscope.entrypoints.web.site.plain import send_problem_page
from negatoscope.infra import metrics
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings
from negatoscope.kit.aio import run_blocking

if TYPE_CHECKING:
    from negatoscope.entrypoints.api.streams import Streams

RETRY_OPEN_S: Final = 1.0
_READY_PATIENCE_S: Final = 30.0
_READY_LOOK_S: Final = 0.1
_CORS_METHODS: Final = b"GET, HEAD, POST, PUT, DELETE, OPTIONS"
_CORS_HEADERS: Final = (
    b"accept, authorization, content-type, if-match, if-none-match, if-range, range"
)
_CORS_EXPOSED: Final = (
    b"accept-ranges, content-disposition, content-length, content-location, content-range, etag,"
    b" link, location, retry-after, warning, www-authenticate"
)
_log = structlog.get_logger(__name__)


class _Answer:
    """The server's ``send``, remembering what was said."""

    __slots__ = ("_more", "_send", "is_whole", "status")

    def __init__(self, send: Send, more: list[tuple[bytes, bytes]] | None) -> None:
        self._send = send
        self._more = more
        self.status = 0
        self.is_whole = False

    def __call__(self, message: Message) -> Any:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._more:
                message["headers"] = [*message["headers"], *self._more]
        elif not message.get("more_body", False):
            self.is_whole = True
        return self._send(message)


class HttpApplication:
    """The application that a server process runs.

    Args:
        settings: With the address of the database.
        services: Opened already, for tests; else they are opened when the server starts.
        on_ready: Called once the process can do its work, or serves what it can without (a full
            volume).
    """

    def __init__(
        self,
        settings: Settings,
        services: Services | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._cors = frozenset(origin.encode("ascii") for origin in settings.cors_origins)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._services: Services | None = None
        self._dicomweb: DicomWeb | None = None
        self._wado_uri: wado_uri.WadoUri
        self._api: Application | None = None
        self._streams: Streams | None = None
        self._ohif: OhifSite | None = None
        self._fhir: Fhir | None = None
        self._site = Site()
        self._opening: asyncio.Task[None] | None = None
        self._observers: dict[tuple[str, int], Any] = {}
        self._requests_now = 0
        self._requests = 0
        self._sockets_now = 0
        if services is not None:
            self._take(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request, or the server's life."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Event channels of the worklist; nothing else speaks WebSocket."""
        if self._dicomweb is None or not str(scope["path"]).startswith("/dicom-web/"):
            await receive()
            await send({"type": "websocket.close", "code": 1003 if self._services else 1013})
            return
        scope["negatoscope.origin"] = self._origin(scope)
        scope["method"] = "WEBSOCKET"  # not a safe one: a session counts from our own pages only
        self._sockets_now += 1
        try:
            await self._dicomweb.websocket(scope, receive, send)
        finally:
            self._sockets_now -= 1

    # -- the administrator's view -------------------------------------------------------------

    def report(self) -> dict[str, int]:
        """What this process is doing, as counts."""
        return {
            "requests_now": self._requests_now,
            "requests": self._requests,
            "web_sockets": self._sockets_now,
        }

    def reconfigure(self, settings: Settings) -> None:
        """Take other settings, from the next request on; those of a start stay as they are."""
        self._settings = settings
        self._cors = frozenset(origin.encode("ascii") for origin in settings.cors_origins)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        services = self._services
        if services is not None:
            services.settings = settings
            services.archive.reconfigure(archive_settings(settings))
            services.derived.max_bytes = settings.derived_max_bytes

    # -- the server's life --------------------------------------------------------------------

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def start(self) -> None:
        """Begin to open the services; called on the event loop."""
        if self._services is None and self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        while True:
            try:
                self._take(await run_blocking(Services.open, self._settings))
                # What is loaded stays: a full collection among requests need not look at it again.
                gc.collect()
                gc.freeze()
                break
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do
                _log.warning("http.services_unavailable", reason=str(error).split("\n")[0])
                await asyncio.sleep(RETRY_OPEN_S)
        await self._tell_ready()
        warm(self._settings.public_holidays)

    async def _tell_ready(self) -> None:
        deadline_s = time.monotonic() + _READY_PATIENCE_S
        while True:
            ready, document = await readiness(self._services)
            if ready or time.monotonic() >= deadline_s:
                break
            await asyncio.sleep(_READY_LOOK_S)
        if not ready:
            _log.warning("it answers but is not ready", causes=document["causes"])
        if self._on_ready is not None:
            self._on_ready()

    def _take(self, services: Services) -> None:
        self._dicomweb = dicomweb = DicomWeb(services)
        self._wado_uri = wado_uri.WadoUri(
            services.retrieval,
            services.access,
            dicomweb,
            Deidentified(services.retrieval, services.pixels, services.access),
        )
        api = create_api(services)
        self._api, self._streams = api, api.state.streams
        self._fhir = Fhir(services)
        self._ohif = OhifSite(services)
        self._services = services

    async def stop(self) -> None:
        """Close everything."""
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._opening
        services, self._services = self._services, None
        if self._streams is not None:
            await self._streams.close()
        if self._dicomweb is not None:
            await self._dicomweb.close()
        if services is not None:
            await run_blocking(services.close)

    # -- requests -----------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        more = self._cors_headers(scope) if self._cors else None
        if scope["scheme"] == "https" and self._settings.hsts_s:
            header = b"max-age=%d" % self._settings.hsts_s
            more = [*(more or ()), (b"strict-transport-security", header)]
        answer = _Answer(send, more)
        request = Request(scope, receive, Actor.anonymous())
        route = "other"
        self._requests += 1
        self._requests_now += 1
        try:
            route = await self._route(request, scope, receive, answer)
        except ClientDisconnected:
            pass
        except Exception as error:
            if answer.is_whole:  # told to the client and logged further in
                return
            problem = await problem_for(self._services, request, error)
            if answer.status:
                _log.warning("http.answer_cut", path=request.path, code=problem.code)
                raise  # the server ends the connection: the client sees that it has not all
            if _is_page(scope) and accepts_html(request):
                await send_problem_page(request, answer, problem)
            else:
                await send_problem(answer, problem, head_only=scope["method"] == "HEAD")
        finally:
            self._requests_now -= 1
            self._observe(route, answer.status, time.perf_counter() - started)

    async def _route(self, request: Request, scope: Scope, receive: Receive, send: Send) -> str:
        path: str = scope["path"]
        head_only = scope["method"] == "HEAD"
        if path == "/healthz":
            await send_answer(send, 200, _JSON, b'{"status":"alive"}', head_only=head_only)
            return "operations"
        if path == "/readyz":
            ready, document = await readiness(self._services)
            body = orjson.dumps(document)
            await send_answer(send, 200 if ready else 503, _JSON, body, head_only=head_only)
            return "operations"
        if scope["method"] == "OPTIONS" and self._is_preflight(scope):
            await send_answer(send, 204, _PREFLIGHT)
            return "preflight"
        if self._site.serves(request):
            await self._site(request, send)
            return "site"
        services, dicomweb = self._services, self._dicomweb
        if services is None or dicomweb is None or self._api is None:
            raise Problem("database-unavailable", retry_after_s=RETRY_AFTER_S)
        scope["negatoscope.origin"] = self._origin(scope)
        if path.startswith("/dicom-web"):
            caller = await services.access.caller(scope)
            if caller is None:
                raise unauthenticated()
            request.actor = await services.access.prepare(caller, path)
            return await dicomweb(request, send)
        if path == wado_uri.PATH:
            caller = await services.access.caller(scope)
            if caller is None:
                raise unauthenticated()
            request.actor = caller.actor
            return await self._wado_uri(request, send)
        if path.startswith("/api/"):
            caller = await services.access.caller(scope)
            if caller is not None:
                request.actor = await services.access.prepare(caller, path)
            elif not path.startswith("/api/v1/session"):  # whose routes say who may
                raise unauthenticated()
            scope["negatoscope.request"] = request
            scope["negatoscope.caller"] = caller
            await self._api(scope, receive, send)
            return "api"
        if path.startswith("/fhir/") and self._fhir is not None:
            await self._fhir(request, send)
            return "fhir"
        if path == "/metrics":
            caller = await services.access.caller(scope)
            if caller is None:
                raise unauthenticated()
            request.actor = caller.actor
            services.access.require(caller.actor, Action.METRICS)
            body, content_type = await run_blocking(metrics.render)
            headers = [(b"content-type", content_type.encode("ascii"))]
            await send_answer(send, 200, headers, body, head_only=head_only)
            return "operations"
        if self._ohif is not None and (path == "/ohif" or path.startswith("/ohif/")):
            await self._ohif(request, send)
            return "ohif"
        raise Problem("not-found")

    def _observe(self, route: str, status: int, seconds: float) -> None:
        key = (route, status)
        observer = self._observers.get(key)
        if observer is None:
            observer = metrics.HTTP_SECONDS.labels(route, str(status))
            self._observers[key] = observer
        observer.observe(seconds)

    # -- addresses ----------------------------------------------------------------------------

    def _origin(self, scope: Scope) -> str:
        """``scheme://host`` under which this client reaches us.

        As configured, or as a trusted proxy or the client itself says. What the proxy says of the
        client's address becomes the request's.
        """
        told = self._proxies.read(scope) if self._proxies else NOTHING
        if told.client is not None:
            scope["client"] = (told.client, 0)
        if self._settings.public_url:
            return self._settings.public_url.rstrip("/")
        scheme = told.scheme or scope["scheme"]
        if told.host is not None:
            return f"{scheme}://{told.host}"
        for name, value in scope["headers"]:
            if name == b"host" and HOST.fullmatch(value.decode("latin-1")):
                return f"{scheme}://{value.decode('ascii')}"
        return f"{scheme}://{self._settings.http}"

    def _is_preflight(self, scope: Scope) -> bool:
        return any(name == b"access-control-request-method" for name, _ in scope["headers"]) and (
            self._cors_headers(scope) is not None
        )

    def _cors_headers(self, scope: Scope) -> list[tuple[bytes, bytes]] | None:
        for name, value in scope["headers"]:
            if name == b"origin" and value in self._cors:
                return [
                    (b"access-control-allow-origin", value),
                    (b"access-control-expose-headers", _CORS_EXPOSED),
                    (b"vary", b"origin"),
                ]
        return None


_JSON: Final = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", _CORS_METHODS),
    (b"access-control-allow-headers", _CORS_HEADERS),
    (b"access-control-max-age", b"600"),
]


def _is_page(scope: Scope) -> bool:
    path: str = scope["path"]
    return path != wado_uri.PATH and not path.startswith(
        ("/dicom-web", "/api/", "/fhir/", "/metrics")
    )


def create_app(
    settings: Settings,
    services: Services | None = None,
    *,
    on_ready: Callable[[], None] | None = None,
) -> HttpApplication:
    """The ASGI application of the program.

    Args:
        settings: With ``database_url`` set.
        services: Opened already; closed with the application.
        on_ready: Called once the process can do its work.
    """
    return HttpApplication(settings, services, on_ready)
