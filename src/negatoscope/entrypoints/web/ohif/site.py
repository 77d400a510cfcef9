"""The requests below ``/ohif``: documents, files of the build, the configuration.

Paths are looked up in the installation's manifest and never joined to a folder, so that none
leads out of it.
"""

import mimetypes
import re
from typing import Final
from urllib.parse import quote

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.web.access import Caller, cookie, unauthenticated
from negatoscope.entrypoints.web.asgi import Header, Request, Send, accepts_html
from negatoscope.entrypoints.web.content_coding import best_coding
from negatoscope.entrypoints.web.language import COOKIE as LANGUAGE_COOKIE
from negatoscope.entrypoints.web.language import choose
from negatoscope.entrypoints.web.ohif.configuration import script
from negatoscope.entrypoints.web.ohif.installation import (
    BASE_PATH,
    ENCODINGS,
    Installation,
    Installed,
)
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.kit.aio import run_blocking

_EXTENSION: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]*$")
"""Of a file; the numbers of a UID are none."""
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
}


class OhifSite:
    """What answers below ``/ohif``.

    Args:
        services: The public faces.
    """

    def __init__(self, services: Services) -> None:
        self._access = services.access
        self.installed = Installed(services.settings.data_dir)

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer a request whose path is ``/ohif`` or lies below it.

        Raises:
            Problem: refused.
        """
        if request.method not in ("GET", "HEAD"):
            raise Problem("method-not-allowed", allow="GET, HEAD")
        installation = self.installed.current()
        if installation is None:
            raise Problem(
                "not-found",
                detail="OHIF is not installed here; `negatoscope ohif install` does it.",
            )
        caller = await self._access.caller(request.scope)
        if caller is None:
            if not accepts_html(request):
                raise unauthenticated()
            query: bytes = request.scope["query_string"]
            wanted = request.path + (f"?{query.decode('latin-1')}" if query else "")
            await _redirect(send, f"/sign-in?next={quote(wanted, safe='')}")
            return
        request.actor = caller.actor
        self._access.require(caller.actor, Action.QUERY)
        self._access.require(caller.actor, Action.RETRIEVE)
        if not request.path.startswith(BASE_PATH):
            await _redirect(send, BASE_PATH)
            return
        name = request.path.removeprefix(BASE_PATH)
        if name == "app-config.js":
            await self._send_configuration(request, send, caller, installation)
            return
        asset = installation.assets.get(name)
        if asset is None:
            if _EXTENSION.search(name):
                raise Problem("not-found")
            name = "index.html"
        await self._send_asset(request, send, installation, name)

    async def _send_configuration(
        self, request: Request, send: Send, caller: Caller, installation: Installation
    ) -> None:
        language = choose(
            cookie(request.header(b"cookie") or "", LANGUAGE_COOKIE),
            request.header(b"accept-language"),
        )
        body = script(caller.actor, language, has_microscopy=installation.has_microscopy)
        headers = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"vary", b"cookie, accept-language"),
        ]
        await _send(request, send, 200, headers, body)

    async def _send_asset(
        self,
        request: Request,
        send: Send,
        installation: Installation,
        name: str,
    ) -> None:
        asset = installation.assets[name]
        encoding = best_coding(request.header(b"accept-encoding"), asset.encodings)
        etag = f'"{asset.digest}-{encoding or "id"}"'.encode("ascii")
        headers: list[Header] = [
            (b"etag", etag),
            (b"vary", b"accept-encoding"),
            (b"cache-control", _IMMUTABLE if asset.is_immutable else b"no-cache"),
        ]
        if name.endswith(".html"):
            headers.append((b"content-security-policy", _policy(installation)))
        if etag.decode("ascii") in (request.header(b"if-none-match") or ""):
            await _send(request, send, 304, headers, b"")
            return
        path = installation.root / (name + (ENCODINGS[encoding] if encoding else ""))
        try:
            body = await run_blocking(path.read_bytes)
        except FileNotFoundError:  # installed anew this moment: the browser asks again
            raise Problem("not-found") from None
        headers.append((b"content-type", _content_type(name)))
        if encoding:
            headers.append((b"content-encoding", encoding.encode("ascii")))
        await _send(request, send, 200, headers, body)


_IMMUTABLE: Final = b"private, max-age=31536000, immutable"
_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def _policy(installation: Installation) -> bytes:
    """Content security policy of the documents.

    Scripts: of this host, the three lines written into ``index.html``, compiled codecs, workers
    made from blobs. Styles are written by scripts of the build, hence inline.
    """
    hashes = " ".join(f"'{value}'" for value in installation.script_hashes)
    return (
        "default-src 'none'; "
        f"script-src 'self' {hashes} 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:; "
        "media-src 'self' blob:; object-src 'self' blob:; frame-src 'self' blob:; "
        "connect-src 'self' blob: data:; manifest-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    ).encode("ascii")


def _content_type(name: str) -> bytes:
    suffix = name[name.rfind(".") :]
    known = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return known.encode("ascii")


async def _redirect(send: Send, path: str) -> None:
    headers = [
        (b"location", path.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send(
    request: Request, send: Send, status: int, headers: list[Header], body: bytes
) -> None:
    if status != 304:
        headers = [*headers, (b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *_HEADERS]})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
