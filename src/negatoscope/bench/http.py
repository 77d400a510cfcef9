"""A keep-alive HTTP/1.1 client for measuring: bodies are counted, or read, never parsed."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from negatoscope.bench.targets import WebTarget

BUFFER_BYTES = 1 << 18


class HttpError(Exception):
    """The server went away, or its answer is not HTTP/1.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; ``body`` is empty unless it was asked for."""

    status: int
    byte_count: int
    body: bytes = b""


class HttpConnection:
    """One connection, used by one thread."""

    def __init__(self, target: WebTarget, *, timeout_s: float = 120.0) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._socket = self._connect()

    def _connect(self) -> socket.socket:
        try:
            sock = socket.create_connection(
                (self._target.host, self._target.port), timeout=self._timeout_s
            )
        except OSError as error:
            raise HttpError(f"cannot connect to {self._target}: {error}") from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def request_bytes(
        self, method: str, path: str, *, accept: str, headers: tuple[str, ...] = ()
    ) -> bytes:
        """The head of a request on ``path`` below the target's base."""
        lines = [
            f"{method} {self._target.base}{path} HTTP/1.1",
            f"Host: {self._target.host}:{self._target.port}",
            f"Accept: {accept}",
            *headers,
        ]
        if self._target.token:
            lines.append(f"Authorization: Bearer {self._target.token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def get(self, path: str, *, accept: str, keep: bool = False) -> Answer:
        """GET; the body is kept only when asked."""
        return self.exchange((self.request_bytes("GET", path, accept=accept),), keep=keep)

    def exchange(self, parts: tuple[bytes | bytearray, ...], *, keep: bool = False) -> Answer:
        """Send a prepared request, read the answer to its end."""
        try:
            if len(parts) == 1:
                self._socket.sendall(parts[0])
            else:
                _send_parts(self._socket, parts)
            return self._read_answer(keep)
        except OSError as error:
            raise HttpError(f"the connection broke: {error}") from error

    def _read_answer(self, keep: bool) -> Answer:
        head = self._read_head()
        status = int(head[9:12])
        lowered = head.lower()
        kept = bytearray() if keep else None
        if b"\r\ntransfer-encoding: chunked" in lowered:
            count = self._read_chunked(kept)
        else:
            at = lowered.find(b"\r\ncontent-length:")
            if at >= 0:
                count = int(lowered[at + 17 : lowered.index(b"\r\n", at + 2)])
                self._read_body(count, kept)
            elif status in {204, 304}:
                count = 0
            else:  # the body ends with the connection (RFC 9112 §6.3)
                count = self._read_to_end(kept)
                lowered += b"\r\nconnection: close"
        if b"\r\nconnection: close" in lowered:
            self._socket.close()
            self._start = self._end = 0
            self._socket = self._connect()
        return Answer(status=status, byte_count=count, body=bytes(kept or b""))

    def _fill(self) -> None:
        """Read once more behind what is in the buffer, moving it to the front when it is full."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == BUFFER_BYTES:
            rest = bytes(self._view[self._start : self._end])
            self._buffer[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        count = self._socket.recv_into(self._view[self._end :])
        if not count:
            raise HttpError("the server closed the connection")
        self._end += count

    def _line_end(self, needle: bytes) -> int:
        while True:
            at = self._buffer.find(needle, self._start, self._end)
            if at >= 0:
                return at
            self._fill()

    def _read_head(self) -> bytes:
        while True:
            at = self._line_end(b"\r\n\r\n")
            head = bytes(self._view[self._start : at + 2])
            self._start = at + 4
            if not head.startswith(b"HTTP/1.1 1"):
                return head

    def _read_body(self, count: int, kept: bytearray | None) -> None:
        while count:
            if self._start == self._end:
                self._fill()
            taken = min(count, self._end - self._start)
            if kept is not None:
                kept += self._view[self._start : self._start + taken]
            self._start += taken
            count -= taken

    def _read_to_end(self, kept: bytearray | None) -> int:
        total = self._end - self._start
        self._read_body(total, kept)
        while count := self._socket.recv_into(self._view):
            if kept is not None:
                kept += self._view[:count]
            total += count
        return total

    def _read_chunked(self, kept: bytearray | None) -> int:
        total = 0
        while True:
            at = self._line_end(b"\r\n")
            size = int(bytes(self._view[self._start : at]).split(b";")[0], 16)
            self._start = at + 2
            self._read_body(size, kept)
            total += size
            if size == 0:
                while (at := self._line_end(b"\r\n")) != self._start:
                    self._start = at + 2
                self._start += 2
                return total
            self._read_body(2, None)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _send_parts(sock: socket.socket, parts: tuple[bytes | bytearray, ...]) -> None:
    sent = sock.sendmsg(parts)
    for part in parts:
        if sent >= len(part):
            sent -= len(part)
            continue
        sock.sendall(memoryview(part)[sent:])
        sent = 0
