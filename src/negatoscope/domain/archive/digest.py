"""The digests of an object, computed where its bytes are received or read again.

Two of them: SHA-256, which says for twenty years what was received, and CRC-32, some five times quicker, which every reading
compares. A second thread for them was tried and measured: the hand-overs cost more than the digest.
"""

import hashlib
from typing import NamedTuple

from isal.isal_zlib import crc32


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
