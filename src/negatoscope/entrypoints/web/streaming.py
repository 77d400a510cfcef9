"""Answers longer than one wants to hold: read on a thread, sent as the client takes them."""

import asyncio
from collections.abc import Generator, Iterable

from negatoscope.entrypoints.web.asgi import SECURITY_HEADERS, Header, Receive, Send
from negatoscope.kit.aio import run_blocking

BATCH_BYTES = 1 << 20
"""Small pieces are joined up to this size before they are handed to the server."""


def batched(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes in fewer pieces; none is larger than ``BATCH_BYTES`` or its source's own."""
    pending: list[bytes] = []
    size = 0
    for chunk in chunks:
        if size and size + len(chunk) > BATCH_BYTES:
            yield b"".join(pending) if len(pending) > 1 else pending[0]
            pending, size = [], 0
        pending.append(chunk)
        size += len(chunk)
    if size:
        yield b"".join(pending)


async def send_stream(
    send: Send,
    receive: Receive,
    status: int,
    headers: Iterable[Header],
    chunks: Iterable[bytes],
    *,
    length: int | None = None,
) -> int:
    """Send what a blocking iterable gives; the next piece is read while one is on its way.

    The first piece is read before the status is sent, so that an unreadable object is still a
    problem document. A failure after that ends the connection before Content-Length is reached,
    or the multipart without its last boundary: the client knows that it has not all.

    Args:
        length: Sent as Content-Length; without it the answer is chunked.
    Returns: Bytes handed over; fewer than all when the client went away.
    """
    pieces = batched(chunks)
    sent = 0
    try:
        piece = await run_blocking(next, pieces, b"")
        all_headers = [*headers, *SECURITY_HEADERS]
        if length is not None:
            all_headers.append((b"content-length", str(length).encode("ascii")))
        await send({"type": "http.response.start", "status": status, "headers": all_headers})
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            while piece and not gone.done():
                following = asyncio.ensure_future(run_blocking(next, pieces, b""))
                try:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    sent += len(piece)
                finally:
                    piece = await following
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
    finally:
        await run_blocking(pieces.close)
    return sent


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
