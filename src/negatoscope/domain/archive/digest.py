"""The digests of an object while it arrives: in the receiving thread, or beside it when a processor has nothing else to do.

Two of them: SHA-256, which says for twenty years what was received, and CRC-32, some five times quicker, which every reading
compares.

Beside it: a second thread reads back, from the page cache, what the first has just written. With one sender that takes the digest
out of the sender's waiting time; with many senders the processors are busy anyway and reading back would only cost.
"""

import hashlib
import os
import queue
import threading
from typing import NamedTuple, Protocol

from isal.isal_zlib import crc32

from negatoscope.infra.storage.errors import WriteFailed

_CHUNK_BYTES = 256 << 10


class Digests(NamedTuple):
    """Of the data set bytes of one object.

    Attributes:
        sha256: 32 bytes.
        crc32: As a signed number, which is what the index holds.
    """

    sha256: bytes
    crc32: int


def signed(crc: int) -> int:
    """A CRC-32 as a signed number of 32 bits."""
    return crc - (1 << 32) if crc >> 31 else crc


class Running:
    """Both, over bytes that come in pieces."""

    __slots__ = ("_crc", "_hash")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._crc = 0

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        self._hash.update(data)
        self._crc = crc32(data, self._crc)

    def digests(self) -> Digests:
        """Of all bytes so far."""
        return Digests(self._hash.digest(), signed(self._crc))


class Digest(Protocol):
    """Computes the digests of one object."""

    def wrote(self, data: bytes | memoryview, descriptor: int, offset: int) -> None:
        """These bytes were written there."""

    def digest(self) -> Digests:
        """The digests of all of them.

        Raises: WriteFailed: they cannot be read back.
        """


class InlineDigest:
    """Computed where the bytes are received."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running = Running()

    def wrote(self, data: bytes | memoryview, _descriptor: int, _offset: int) -> None:
        """Add them."""
        self._running.update(data)

    def digest(self) -> Digests:
        """Done."""
        return self._running.digests()


class DigestThread:
    """Computes the digests of one session's objects, one after the other."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[int, int, int] | DigestBeside | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
        self._thread.start()

    def new(self) -> "DigestBeside":
        """The next object's; what was begun before and not asked for is forgotten."""
        return DigestBeside(self._orders)

    def close(self) -> None:
        """End the thread."""
        self._orders.put(None)

    def _run(self) -> None:
        buffer = memoryview(bytearray(_CHUNK_BYTES))
        running = Running()
        is_whole = True
        while (order := self._orders.get()) is not None:
            if isinstance(order, DigestBeside):
                order.answers.put(running.digests() if is_whole else None)
                continue
            descriptor, offset, length = order
            if length < 0:
                running, is_whole = Running(), True
                continue
            while length > 0 and is_whole:
                try:
                    count = os.preadv(descriptor, [buffer[: min(length, _CHUNK_BYTES)]], offset)
                except OSError:
                    count = 0
                is_whole = count > 0
                running.update(buffer[:count])
                offset += count
                length -= count


class DigestBeside:
    """One object's digest, computed by a ``DigestThread``."""

    __slots__ = ("_orders", "answers")

    def __init__(
        self, orders: "queue.SimpleQueue[tuple[int, int, int] | DigestBeside | None]"
    ) -> None:
        self._orders = orders
        self.answers: queue.SimpleQueue[Digests | None] = queue.SimpleQueue()
        orders.put((0, 0, -1))

    def wrote(self, data: bytes | memoryview, descriptor: int, offset: int) -> None:
        """Have them read back and added."""
        self._orders.put((descriptor, offset, len(data)))

    def digest(self) -> Digests:
        """Wait for it.

        Raises: WriteFailed: what was written cannot be read back.
        """
        self._orders.put(self)
        answer = self.answers.get()
        if answer is None:
            raise WriteFailed("what was just written cannot be read back")
        return answer
