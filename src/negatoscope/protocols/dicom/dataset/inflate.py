"""Deflated data sets (PS3.5 §A.5) inflated, never further than the limits allow."""

import zlib
from collections.abc import Iterator
from typing import Final

from negatoscope.protocols.dicom.dataset.errors import BadElement, InflateBomb, TruncatedDataSet
from negatoscope.protocols.dicom.dataset.limits import DECODE_LIMITS, ScanLimits

#: Inflated at once.
_PIECE_BYTES: Final = 256 << 10
#: Taken at once: what is left over is copied with every piece.
_FED_BYTES: Final = 16 << 10


class Inflater:
    """Inflates a stream that arrives in fragments.

    Attributes:
        fed: Bytes taken.
        inflated: Bytes given.
        has_trailer: Bytes that are not zero follow the end of the stream.
    """

    __slots__ = ("_limits", "_stream", "fed", "has_trailer", "inflated")

    def __init__(self, limits: ScanLimits) -> None:
        self._limits = limits
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self.fed = 0
        self.inflated = 0
        self.has_trailer = False

    @property
    def is_complete(self) -> bool:
        """The stream's end has been seen."""
        return self._stream.eof

    def feed(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Pieces of at most 256 KiB that the next bytes inflate to.

        Raises:
            InflateBomb: the data set grows beyond the limits.
            BadElement: the stream is damaged.
        """
        view = memoryview(data)
        for start in range(0, len(view), _FED_BYTES):
            yield from self._feed(view[start : start + _FED_BYTES])

    def _feed(self, data: memoryview) -> Iterator[bytes]:
        self.fed += len(data)
        stream = self._stream
        limits = self._limits
        rest: bytes | memoryview = data
        while True:
            if stream.eof:
                self.has_trailer |= any(stream.unused_data or rest)
                return
            try:
                piece = stream.decompress(rest, _PIECE_BYTES)
            except zlib.error as error:
                raise BadElement("the deflate stream is damaged", offset=self.inflated) from error
            if not piece:
                self.has_trailer |= any(stream.unused_data)
                return
            rest = stream.unconsumed_tail
            self.inflated += len(piece)
            if self.inflated > limits.inflated_bytes or (
                self.inflated > limits.inflate_free_bytes
                and self.inflated > limits.inflate_ratio * (self.fed - len(rest))
            ):
                raise InflateBomb(
                    f"{self.fed} bytes inflate to more than {self.inflated}", offset=self.inflated
                )
            yield piece


def inflate(
    data: bytes | bytearray | memoryview,
    *,
    limits: ScanLimits = DECODE_LIMITS,
    most: int | None = None,
) -> bytes:
    """A deflated data set inflated, or at least its first `most` bytes.

    Raises:
        InflateBomb: it grows beyond the limits.
        TruncatedDataSet, BadElement: the deflate stream ends early or is damaged.
    """
    inflater = Inflater(limits)
    pieces = []
    for piece in inflater.feed(memoryview(data)):
        pieces.append(piece)
        if most is not None and inflater.inflated >= most:
            return b"".join(pieces)
    if not inflater.is_complete:
        raise TruncatedDataSet("the deflate stream has no end", offset=inflater.inflated)
    return b"".join(pieces)
