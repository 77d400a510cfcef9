"""The requests for the application's document and its files."""

from typing import Final

from negatoscope.entrypoints.web.asgi import Header, Request, Send
from negatoscope.entrypoints.web.content_coding import SUFFIXES, best_coding
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.site.build import INDEX, Builds, File
from negatoscope.entrypoints.web.site.plain import send_missing_page
from negatoscope.entrypoints.web.site.routes import is_application_route
from negatoscope.kit.aio import run_blocking

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self' blob:; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Scripts: files of the build and compiled codecs, nothing inline. Styles: our components write
theirs into the document. Blobs: pictures, videos and PDF taken out of DICOM objects."""
_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_SECRET: Final = ("/link/", "/setup/")
"""Addresses that hold a secret: nothing loaded by them names them."""
_IMMUTABLE: Final = b"public, max-age=31536000, immutable"
_SHORT: Final = b"public, max-age=3600"
_METHODS: Final = ("GET", "HEAD")


class Site:
    """What browsers load of the application. Holds nothing that is secret: no session is needed.

    Args:
        builds: Where the files are.
    """

    def __init__(self, builds: Builds | None = None) -> None:
        self._builds = builds or Builds()

    def serves(self, request: Request) -> bool:
        """Whether a request is for the application."""
        if request.path.startswith("/assets/") or is_application_route(request.path):
            return True
        build = self._builds.current()
        return build is not None and request.path[1:] in build.files and request.path[1:] != INDEX

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer it.

        Raises:
            Problem: no such file, or a method that a file does not take.
        """
        if request.method not in _METHODS:
            raise Problem("method-not-allowed", allow=", ".join(_METHODS))
        build = await run_blocking(self._builds.current)
        if build is None:
            await send_missing_page(request, send)
            return
        file = build.files.get(request.path[1:])
        if file is not None and request.path[1:] != INDEX:
            await self._send_file(request, send, file)
        elif is_application_route(request.path):
            await self._send_document(request, send, build.files[INDEX])
        else:
            raise Problem("not-found")

    async def _send_file(self, request: Request, send: Send, file: File) -> None:
        body, coding = await _read(request, file)
        headers: list[Header] = [
            (b"content-type", file.content_type.encode("ascii")),
            (b"cache-control", _IMMUTABLE if file.is_hashed else _SHORT),
            (b"vary", b"accept-encoding"),
        ]
        if coding:
            headers.append((b"content-encoding", coding.encode("ascii")))
        await _send(request, send, 200, headers, body)

    async def _send_document(self, request: Request, send: Send, file: File) -> None:
        body, coding = await _read(request, file)
        headers = _document_headers(file.content_type)
        headers.append((b"vary", b"accept-encoding"))
        if coding:
            headers.append((b"content-encoding", coding.encode("ascii")))
        await _send(request, send, 200, headers, body)


def _headers(request: Request) -> tuple[Header, ...]:
    if request.path.startswith(_SECRET):
        return tuple(
            (name, b"no-referrer" if name == b"referrer-policy" else value)
            for name, value in _HEADERS
        )
    return _HEADERS


def _document_headers(content_type: str) -> list[Header]:
    return [
        (b"content-type", content_type.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", CONTENT_SECURITY_POLICY.encode("ascii")),
    ]


async def _read(request: Request, file: File) -> tuple[bytes, str | None]:
    coding = best_coding(request.header(b"accept-encoding"), file.codings)
    path = file.path.with_name(file.path.name + (SUFFIXES[coding] if coding else ""))
    try:
        return await run_blocking(path.read_bytes), coding
    except FileNotFoundError:  # built anew this moment: the browser asks again
        raise Problem("not-found") from None


async def _send(
    request: Request, send: Send, status: int, headers: list[Header], body: bytes
) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode("ascii")), *_headers(request)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
