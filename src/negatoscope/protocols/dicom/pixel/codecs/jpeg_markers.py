"""Markers of ITU-T T.81 (JPEG) and T.87 (JPEG-LS), read before a C library sees the stream."""

import re
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import PixelLimits

SOF_BASELINE: Final = 0xC0
SOF_EXTENDED: Final = 0xC1
SOF_PROGRESSIVE: Final = 0xC2
SOF_LOSSLESS: Final = 0xC3
SOF_JPEG_LS: Final = 0xF7
_SOFS: Final = frozenset({*range(0xC0, 0xD0), SOF_JPEG_LS}) - {0xC4, 0xC8, 0xCC}
_SOI: Final = 0xD8
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_APP14: Final = 0xEE
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
#: A marker behind entropy-coded data: FF and neither a stuffed zero, a fill byte nor a restart.
_NEXT_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: In JPEG-LS the bit after FF is stuffed, so that a marker has its highest bit set.
_NEXT_LS_MARKER: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_LENGTH: Final = Struct(">H")
_SOF: Final = Struct(">BHHB")


@dataclass(slots=True, kw_only=True)
class JpegHeader:
    """What the markers say.

    Attributes:
        sof: The start-of-frame marker's second byte.
        components: Identifier, horizontal and vertical sampling of each.
        adobe_transform: Of APP14: 0 none, 1 YCbCr, 2 YCCK; None without it.
        scans: How many.
        end: After the end-of-image marker; None when there is none.
    """

    sof: int = 0
    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: tuple[tuple[int, int, int], ...] = ()
    adobe_transform: int | None = None
    scans: int = 0
    end: int | None = None
    _seen: int = field(default=0, repr=False)

    @property
    def is_subsampled(self) -> bool:
        """Components differ in sampling."""
        return len({one[1:] for one in self.components}) > 1


def read_jpeg_header(data: Bytes, limits: PixelLimits) -> JpegHeader:
    """Walk over all markers of a stream.

    Raises:
        CorruptFrame: it is none, or ends inside a marker segment.
        PixelLimitExceeded: more scans or segments than any image has.
    """
    raw = data if isinstance(data, bytes) else bytes(data)
    if raw[:2] != b"\xff\xd8":
        raise CorruptFrame("the frame does not begin with a JPEG start-of-image marker")
    header = JpegHeader()
    position = 2
    size = len(raw)
    while position < size:
        if raw[position] != 0xFF:
            raise CorruptFrame(f"no JPEG marker at byte {position}")
        while position < size and raw[position] == 0xFF:
            position += 1
        if position >= size:
            break
        marker = raw[position]
        position += 1
        if marker == _EOI:
            header.end = position
            break
        if marker in _STANDALONE:
            continue
        if marker in {0x00, _SOI}:
            raise CorruptFrame(f"marker FF{marker:02X} at byte {position - 2} is out of place")
        header._seen += 1
        if header._seen > limits.code_stream_headers:
            raise PixelLimitExceeded(f"more than {limits.code_stream_headers} JPEG segments")
        if position + 2 > size:
            raise CorruptFrame("the frame ends inside a JPEG segment")
        (length,) = _LENGTH.unpack_from(raw, position)
        if length < 2 or position + length > size:
            raise CorruptFrame("the frame ends inside a JPEG segment")
        _segment(header, marker, raw[position + 2 : position + length])
        position += length
        if marker == _SOS:
            header.scans += 1
            if header.scans > limits.jpeg_scans:
                raise PixelLimitExceeded(f"more than {limits.jpeg_scans} JPEG scans")
            pattern = _NEXT_LS_MARKER if header.sof == SOF_JPEG_LS else _NEXT_MARKER
            found = pattern.search(raw, position)
            if found is None:
                break
            position = found.start()
    if not header.sof or not header.scans:
        raise CorruptFrame("the JPEG stream has no frame header or no scan")
    return header


def _segment(header: JpegHeader, marker: int, content: bytes) -> None:
    if marker in _SOFS:
        if header.sof:
            raise CorruptFrame("more than one JPEG frame header")
        if len(content) < 6:
            raise CorruptFrame("the JPEG frame header is incomplete")
        header.sof = marker
        header.precision, header.rows, header.columns, count = _SOF.unpack_from(content)
        if len(content) < 6 + 3 * count or not count:
            raise CorruptFrame("the JPEG frame header is incomplete")
        header.components = tuple(
            (content[at], content[at + 1] >> 4, content[at + 1] & 15)
            for at in range(6, 6 + 3 * count, 3)
        )
        if any(not (1 <= h <= 4 and 1 <= v <= 4) for _, h, v in header.components):
            raise CorruptFrame("a JPEG sampling factor is not between 1 and 4")
    elif marker == _APP14 and content[:5] == b"Adobe" and len(content) >= 12:
        header.adobe_transform = content[11]
    elif marker == _SOS and not header.sof:
        raise CorruptFrame("a JPEG scan before the frame header")
