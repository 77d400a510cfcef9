"""``multipart/related`` in both directions (RFC 2046 §5.1, RFC 2387), without I/O.

The parser takes chunks of any size and gives events; it keeps no more of the body than a
delimiter and one header block, so a part of any length costs the memory of a chunk.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 64
MAX_OUTSIDE_BYTES = 65_536
"""Of preamble, and of epilogue."""
MAX_BOUNDARY_CHARACTERS = 70
"""RFC 2046 §5.1.1."""
_BOUNDARY_CHARACTERS = frozenset(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'()+_,-./:=? "
)


class MultipartError(ValueError):
    """The peer's body is not the multipart its Content-Type promises."""


class TooManyParts(MultipartError):
    """More parts than one request may bring."""


@dataclass(frozen=True, slots=True)
class PartBegin:
    """The headers of a part, names in lower case."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the current part; valid until the next ``feed``."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The current part is whole: its closing delimiter was seen."""


Event = PartBegin | PartData | PartEnd


class _State(StrEnum):
    PREAMBLE = "PREAMBLE"
    DELIMITER = "DELIMITER"  # just after a delimiter: "--", or padding and a line end
    HEADERS = "HEADERS"
    DATA = "DATA"
    EPILOGUE = "EPILOGUE"


class MultipartParser:
    """Reads a multipart body piece by piece.

    Args:
        boundary: The ``boundary`` parameter of the Content-Type.
        max_parts: More parts than this raise ``TooManyParts``.
    Raises:
        MultipartError: the boundary is not one (RFC 2046 §5.1.1).
    """

    def __init__(self, boundary: str, *, max_parts: int) -> None:
        try:
            encoded = boundary.encode("ascii")
        except UnicodeEncodeError:
            raise MultipartError("the boundary is not ASCII") from None
        if not 1 <= len(encoded) <= MAX_BOUNDARY_CHARACTERS or encoded.endswith(b" "):
            raise MultipartError("the boundary does not have 1 to 70 characters")
        if not _BOUNDARY_CHARACTERS.issuperset(encoded):
            raise MultipartError("the boundary has characters that a boundary cannot have")
        self._delimiter = b"\r\n--" + encoded
        self._buffer = b"\r\n"  # so that a delimiter at the very start is one like the others
        self._state = _State.PREAMBLE
        self._is_first = True
        self._outside = 0
        self._parts = 0
        self._max_parts = max_parts

    @property
    def is_complete(self) -> bool:
        """Whether the closing delimiter was seen."""
        return self._state is _State.EPILOGUE

    @property
    def is_in_part(self) -> bool:
        """Whether a part has begun and not ended."""
        return self._state is _State.DATA

    def feed(self, chunk: bytes) -> list[Event]:
        """Take some bytes.

        Raises:
            MultipartError: what came is not multipart; parts already ended stay valid.
        """
        events: list[Event] = []
        self.feed_into(chunk, events)
        return events

    def feed_into(self, chunk: bytes, events: list[Event]) -> None:
        """Like ``feed``; what was found before an error is in ``events`` all the same."""
        buffer, position = chunk, 0
        if self._is_first and len(chunk) > len(self._delimiter):
            self._is_first = False
            if chunk.startswith(self._delimiter[2:]):  # as nearly always: nothing to copy
                self._state = _State.DELIMITER
                position = len(self._delimiter) - 2
            else:
                buffer = self._buffer + chunk
        elif self._buffer:
            self._is_first = False
            buffer = self._buffer + chunk
        step = _STEPS
        while True:
            taken = step[self._state](self, buffer, position, events)
            if taken < 0:
                break
            position = taken
        self._buffer = buffer[~taken:]

    # Each step returns the position to go on from, or ~position when it needs more bytes.

    def _preamble(self, buffer: bytes, position: int, _events: list[Event]) -> int:
        found = buffer.find(self._delimiter, position)
        if found < 0:
            keep = max(position, len(buffer) - len(self._delimiter) + 1)
            self._outside += keep - position
            if self._outside > MAX_OUTSIDE_BYTES:
                raise MultipartError("the boundary of the Content-Type is not in the body")
            return ~keep
        self._state = _State.DELIMITER
        return found + len(self._delimiter)

    def _after_delimiter(self, buffer: bytes, position: int, _events: list[Event]) -> int:
        if buffer[position : position + 2] == b"--":
            self._state = _State.EPILOGUE
            return position + 2
        end = buffer.find(b"\r\n", position, position + 256)
        if end < 0:
            rest = buffer[position : position + 256]
            if len(rest) >= 256 or rest.strip(b" \t\r-"):
                raise MultipartError("a boundary is followed by something else than a line end")
            return ~position
        if buffer[position:end].strip(b" \t"):
            raise MultipartError("a boundary is followed by something else than a line end")
        self._parts += 1
        if self._parts > self._max_parts:
            raise TooManyParts(f"more than {self._max_parts} parts")
        self._state = _State.HEADERS
        return end  # the line end stays: an empty header block is then "\r\n\r\n" too

    def _headers(self, buffer: bytes, position: int, events: list[Event]) -> int:
        end = buffer.find(b"\r\n\r\n", position, position + MAX_HEADER_BYTES)
        if end < 0:
            if len(buffer) - position >= MAX_HEADER_BYTES:
                raise MultipartError(f"the headers of a part pass {MAX_HEADER_BYTES} bytes")
            return ~position
        events.append(PartBegin(_parse_headers(buffer[position + 2 : end])))
        self._state = _State.DATA
        # The blank line's end may be the start of the delimiter of an empty part.
        return end + 2 if buffer.startswith(self._delimiter, end + 2) else end + 4

    def _data(self, buffer: bytes, position: int, events: list[Event]) -> int:
        found = buffer.find(self._delimiter, position)
        if found < 0:
            keep = self._possible_delimiter(buffer, position)
            if keep > position:
                events.append(PartData(memoryview(buffer)[position:keep]))
            return ~keep
        if found > position:
            events.append(PartData(memoryview(buffer)[position:found]))
        events.append(PartEnd())
        self._state = _State.DELIMITER
        return found + len(self._delimiter)

    def _possible_delimiter(self, buffer: bytes, position: int) -> int:
        """Where a delimiter that the next chunk may complete begins, or the end."""
        start = max(position, len(buffer) - len(self._delimiter) + 1)
        while (found := buffer.find(b"\r", start)) >= 0:
            if self._delimiter.startswith(buffer[found:]):
                return found
            start = found + 1
        return len(buffer)

    def _epilogue(self, buffer: bytes, position: int, _events: list[Event]) -> int:
        self._outside += len(buffer) - position
        if self._outside > MAX_OUTSIDE_BYTES:
            raise MultipartError("more follows the last boundary")
        return ~len(buffer)


_STEPS = {
    _State.PREAMBLE: MultipartParser._preamble,
    _State.DELIMITER: MultipartParser._after_delimiter,
    _State.HEADERS: MultipartParser._headers,
    _State.DATA: MultipartParser._data,
    _State.EPILOGUE: MultipartParser._epilogue,
}


def _parse_headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    if not block:
        return headers
    lines = block.split(b"\r\n")
    if len(lines) > MAX_HEADERS:
        raise MultipartError(f"a part has more than {MAX_HEADERS} header lines")
    name = ""
    for line in lines:
        if line[:1] in (b" ", b"\t") and name:  # RFC 5322 §2.2.3 folding
            headers[name] += " " + line.decode("latin-1").strip()
            continue
        key, colon, value = line.decode("latin-1").partition(":")
        name = key.strip().lower()
        if not colon or not name:
            raise MultipartError("a header line of a part has no colon")
        headers[name] = value.strip()
    return headers


def new_boundary() -> str:
    """A boundary that no body contains but by a chance of 2⁻¹⁶⁰."""
    return os.urandom(20).hex()


def part_head(boundary: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """What stands before the bytes of a part that we send."""
    lines = [b"\r\n--", boundary, b"\r\nContent-Type: ", content_type]
    for name, value in more:
        lines += [b"\r\n", name, b": ", value]
    lines.append(b"\r\n\r\n")
    return b"".join(lines)


def closing(boundary: bytes) -> bytes:
    """What stands after the last part that we send."""
    return b"\r\n--" + boundary + b"--\r\n"
