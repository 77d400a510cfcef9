"""Answers whose length is known and whose bytes are read as they are sent, and Range requests.

A body is a ``Source``: a length, and bytes between two offsets. ``send_source`` answers GET and
HEAD with 200, 206 or 416 (RFC 9110 §14), If-Range and several ranges included.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from negatoscope.entrypoints.web.asgi import SECURITY_HEADERS, Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.kit.aio import run_blocking

MAX_RANGES: Final = 16
"""Of one request; whoever asks for more, or for overlapping ones, gets the whole."""
AT_ONCE_BYTES: Final = 8 << 20
"""An answer up to this size is built whole; a longer one is streamed."""
_RANGE_SET: Final = re.compile(r"bytes\s*=\s*(.{1,1000})", re.IGNORECASE)
_RANGE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18})")


class Source(Protocol):
    """Bytes that can be read from any offset."""

    @property
    def length(self) -> int:
        """How many."""

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Those from ``start`` to ``stop``, in pieces of bounded size; may block."""


class BytesSource:
    """Bytes that are in memory.

    Args:
        data: They.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def length(self) -> int:
        """How many."""
        return len(self._data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Those from ``start`` to ``stop``."""
        yield self._data[start:stop]


class JoinedSource:
    """Sources one after the other.

    Args:
        sources: In order.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._length = sum(one.length for one in sources)

    @property
    def length(self) -> int:
        """Of all together."""
        return self._length

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Bytes of one after the other."""
        passed = 0
        for one in self._sources:
            length = one.length
            first, last = max(start - passed, 0), min(stop - passed, length)
            if first < last:
                yield from one.chunks(first, last)
            passed += length
            if passed >= stop:
                return


class ByteRange(NamedTuple):
    """Bytes from ``start`` to before ``stop``."""

    start: int
    stop: int

    def content_range(self, length: int) -> bytes:
        """The value of Content-Range (RFC 9110 §14.4)."""
        return b"bytes %d-%d/%d" % (self.start, self.stop - 1, length)


def wanted_ranges(request: Request, length: int, etag: str | None) -> list[ByteRange] | None:
    """The ranges a request asks for; None when the whole is to be sent.

    A header that cannot be read, and If-Range with another validator, mean the whole (RFC 9110
    §14.2, §13.1.5).

    Args:
        request: A GET.
        length: Of the representation, bytes.
        etag: Of the representation; None when it has none.
    Raises:
        Problem: none of the ranges lies within it.
    """
    header = request.header(b"range")
    if header is None or request.method != "GET":
        return None
    condition = request.header(b"if-range")
    if condition is not None and (etag is None or etag.startswith("W/") or condition != etag):
        return None
    given = _RANGE_SET.fullmatch(header.strip())
    if given is None:
        return None
    pieces = [piece.strip() for piece in given.group(1).split(",")]
    pieces = [piece for piece in pieces if piece]
    if not 1 <= len(pieces) <= MAX_RANGES:
        return None
    found = []
    for piece in pieces:
        match = _RANGE.fullmatch(piece)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if suffix is not None:
            found.append(ByteRange(max(length - int(suffix), 0), length))
        elif last is not None and int(last) < int(first):
            return None
        else:
            found.append(ByteRange(int(first), length if last is None else int(last) + 1))
    usable = [
        ByteRange(one.start, min(one.stop, length))
        for one in found
        if one.start < length and one.start < one.stop
    ]
    if not usable:
        raise Problem(
            "range-not-satisfiable",
            detail=f"There are {length} bytes.",
            headers=[(b"content-range", b"bytes */%d" % length)],
        )
    by_start = sorted(usable)
    if any(one.stop > after.start for one, after in pairwise(by_start)):
        return None
    return usable


async def send_source(
    request: Request,
    send: Send,
    headers: Sequence[Header],
    source: Source,
    *,
    etag: str | None = None,
) -> int:
    """Answer with a body, or with the ranges of it that the request asks for.

    Args:
        request: GET or HEAD.
        headers: Content-Type among them.
        source: The body.
        etag: Among ``headers`` too; what If-Range is compared with.
    Returns: Bytes sent.
    Raises:
        Problem: 416.
    """
    length = source.length
    ranges = wanted_ranges(request, length, etag)
    all_headers = [*headers]
    if (b"accept-ranges", b"bytes") not in all_headers:
        all_headers.append((b"accept-ranges", b"bytes"))
    if ranges is None:
        return await _send(request, send, 200, all_headers, source)
    if len(ranges) == 1:
        (one,) = ranges
        all_headers.append((b"content-range", one.content_range(length)))
        return await _send(request, send, 206, all_headers, _Slice(source, one))
    content_type = next((value for name, value in headers if name == b"content-type"), None)
    boundary = b"range-%x-%x" % (length, ranges[0].start)
    parts: list[Source] = []
    for one in ranges:
        head = b"\r\n--" + boundary
        if content_type is not None:
            head += b"\r\nContent-Type: " + content_type
        head += b"\r\nContent-Range: " + one.content_range(length) + b"\r\n\r\n"
        parts += (BytesSource(head), _Slice(source, one))
    parts.append(BytesSource(b"\r\n--" + boundary + b"--\r\n"))
    replaced = [header for header in all_headers if header[0] != b"content-type"]
    replaced.append((b"content-type", b"multipart/byteranges; boundary=" + boundary))
    return await _send(request, send, 206, replaced, JoinedSource(parts))


class _Slice:
    """A range of a source."""

    def __init__(self, source: Source, wanted: ByteRange) -> None:
        self._source = source
        self._wanted = wanted

    @property
    def length(self) -> int:
        return self._wanted.stop - self._wanted.start

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        return self._source.chunks(self._wanted.start + start, self._wanted.start + stop)


async def _send(
    request: Request, send: Send, status: int, headers: Sequence[Header], source: Source
) -> int:
    length = source.length
    if request.method == "HEAD":
        await send_head(send, headers, length)
        return 0
    if length > AT_ONCE_BYTES:
        chunks = source.chunks(0, length)
        return await send_stream(send, request.receive, status, headers, chunks, length=length)
    body = await run_blocking(lambda: b"".join(source.chunks(0, length)))
    await send_answer(send, status, headers, body)
    return length


async def send_head(send: Send, headers: Sequence[Header], length: int | None) -> None:
    """What GET would say of a body, without it (RFC 9110 §9.3.2)."""
    all_headers = [*headers, *SECURITY_HEADERS]
    if length is not None:
        all_headers.append((b"content-length", str(length).encode("ascii")))
    await send({"type": "http.response.start", "status": 200, "headers": all_headers})
    await send({"type": "http.response.body", "body": b""})
