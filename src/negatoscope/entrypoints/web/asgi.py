"""ASGI without a framework, for the paths where a framework's cost shows.

A ``Request`` reads what it needs from the scope, an answer is sent by one call. Chunks given to
the server are ``bytes``: the server copies any other buffer element by element.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from negatoscope.domain.identity import Actor
from negatoscope.entrypoints.web.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_IDLE_TIMEOUT_S = 60.0
"""How long a client may say nothing in the middle of a request body."""
QUERY_BYTES = 32_768
"""Longest query string read."""

SECURITY_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer that is not a page; the page has its own policy."""


class ClientDisconnected(Exception):
    """The client went away before its request was whole."""


class Request:
    """One HTTP request and who makes it."""

    __slots__ = ("_headers", "actor", "method", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, actor: Actor) -> None:
        self.scope = scope
        self.receive = receive
        self.actor = actor
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: dict[bytes, bytes] | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a header, its repetitions joined by commas (RFC 9110 §5.3).

        Args:
            name: In lower case.
        """
        headers = self._headers
        if headers is None:
            headers = {}
            for key, value in self.scope["headers"]:
                headers[key] = headers[key] + b", " + value if key in headers else value
            self._headers = headers
        found = headers.get(name)
        return None if found is None else found.decode("latin-1")

    def query(self) -> list[tuple[str, str]]:
        """The parameters of the query string, in their order.

        Raises:
            Problem: not UTF-8 or too long.
        """
        text: bytes = self.scope["query_string"]
        if not text:
            return []
        if len(text) > QUERY_BYTES:
            raise Problem("query-too-long", detail=f"The query string passes {QUERY_BYTES} bytes.")
        try:
            return parse_qsl(
                text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000
            )
        except ValueError as error:
            raise Problem("bad-query", detail="The query string is not UTF-8.") from error

    @property
    def peer(self) -> str:
        """The address of the other end."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    async def body_chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; the client waits while nobody asks for more.

        Raises:
            ClientDisconnected: it went away.
            Problem: it said nothing for ``BODY_IDLE_TIMEOUT_S``.
        """
        more = True
        while more:
            try:
                async with asyncio.timeout(BODY_IDLE_TIMEOUT_S):
                    message = await self.receive()
            except TimeoutError:
                raise Problem("request-timeout") from None
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk: bytes = message.get("body", b"")
            if chunk:
                yield chunk
            more = message.get("more_body", False)

    async def body(self, limit_bytes: int) -> bytes:
        """The whole of a small body.

        Raises:
            Problem: more than ``limit_bytes``.
        """
        pieces: list[bytes] = []
        total = 0
        async for chunk in self.body_chunks():
            total += len(chunk)
            if total > limit_bytes:
                raise Problem("body-too-large", detail=f"At most {limit_bytes} bytes are taken.")
            pieces.append(chunk)
        return b"".join(pieces)


def accepts_html(request: Request) -> bool:
    """Whether a browser's page asks, rather than a program."""
    return "text/html" in (request.header(b"accept") or "")


async def send_answer(
    send: Send,
    status: int,
    headers: Iterable[Header],
    body: bytes = b"",
    *,
    head_only: bool = False,
) -> None:
    """Send an answer that is known whole; Content-Length is set here (RFC 9110 §8.6)."""
    all_headers = [*headers, *SECURITY_HEADERS]
    if status not in (204, 304):
        all_headers.append((b"content-length", str(len(body)).encode("ascii")))
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": b"" if head_only else body})


async def send_problem(send: Send, problem: Problem, *, head_only: bool = False) -> None:
    """Send a problem document (RFC 9457)."""
    await send_answer(send, problem.status, problem.headers(), problem.body(), head_only=head_only)
