"""What listens in clear beside HTTPS: it leads there, and does nothing else."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from negatoscope.entrypoints.web.proxies import HOST
from negatoscope.infra.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PATH: Final = "/-._~!$&'()*+,;=:@%"
"""Left as they are in a path (RFC 3986 §3.3)."""


class HttpsRedirect:
    """An ASGI application that answers 308 with the address over HTTPS.

    Args:
        settings: ``public_url`` or ``https`` say where that is.
        on_ready: Called when it starts.
    """

    def __init__(self, settings: Settings, on_ready: Callable[[], None] | None = None) -> None:
        self._on_ready = on_ready
        self._public = (settings.public_url or "").rstrip("/")
        port = 443 if settings.https is None else settings.https.port
        self._port = "" if port == 443 else f":{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's life."""
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup" and self._on_ready is not None:
                    self._on_ready()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["path"] in {"/healthz", "/readyz"}:
            await _answer(
                send, 200, [(b"content-type", b"application/json")], b'{"status":"alive"}'
            )
            return
        address = self._address(scope)
        if address is None:
            await _answer(send, 400, [], b"")
            return
        await _answer(send, 308, [(b"location", address.encode("ascii"))], b"")

    def _address(self, scope: Scope) -> str | None:
        raw = bytes(scope.get("raw_path") or str(scope["path"]).encode("utf-8", "replace"))
        path = "/" + quote(raw.lstrip(b"/"), safe=_PATH)
        query = bytes(scope.get("query_string") or b"")
        target = path + ("?" + quote(query, safe=_PATH + "?[]") if query else "")
        if self._public.startswith("https://"):
            return self._public + target
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            if name == b"host" and HOST.fullmatch(text):
                host = text if text.endswith("]") else text.rpartition(":")[0] or text
                return f"https://{host}{self._port}{target}"
        return None


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
