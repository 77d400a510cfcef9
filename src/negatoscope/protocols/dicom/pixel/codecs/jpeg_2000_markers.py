"""Markers of a JPEG 2000 code stream (ITU-T T.800 Annex A), read before a C library sees it."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import PixelLimits

_JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_SOC: Final = b"\xff\x4f\xff\x51"
_CAP: Final = 0xFF50
_SIZ: Final = 0xFF51
_COD: Final = 0xFF52
_SOT: Final = 0xFF90
_EOC: Final = 0xFFD9
_WORD: Final = Struct(">H")
_BOX: Final = Struct(">I4s")
_SIZ_FIELDS: Final = Struct(">H8IH")
_SOT_FIELDS: Final = Struct(">HIBB")


@dataclass(slots=True, kw_only=True)
class Jpeg2000Header:
    """What the main header and the tile-parts say.

    Attributes:
        code_stream: Without the boxes around it and what follows its end.
        is_signed: Samples are signed in the stream.
        tiles: How many the image is cut into.
        has_component_transform: RCT or ICT: RGB was coded as luminance and chrominance.
        is_reversible: 5-3 wavelet; False for the irreversible 9-7.
        is_high_throughput: Part 15.
        progression: 0 LRCP, 1 RLCP, 2 RPCL, 3 PCRL, 4 CPRL.
        levels: Wavelet decompositions.
    """

    code_stream: memoryview
    rows: int = 0
    columns: int = 0
    components: int = 0
    precision: int = 0
    is_signed: bool = False
    tiles: int = 0
    has_component_transform: bool = False
    is_reversible: bool = True
    is_high_throughput: bool = False
    progression: int = 0
    levels: int = 0


def read_jpeg_2000_header(data: Bytes, limits: PixelLimits) -> Jpeg2000Header:
    """Read the main header, then walk from tile-part to tile-part.

    Raises:
        CorruptFrame: no code stream, an impossible one, or one that ends early.
        PixelLimitExceeded: more tiles or segments than any image has.
    """
    view = _code_stream(memoryview(data))
    if bytes(view[:4]) != _SOC:
        raise CorruptFrame("the frame does not begin with a JPEG 2000 code stream")
    header = Jpeg2000Header(code_stream=view)
    position = 2
    size = len(view)
    seen = 0
    has_coding = False
    while True:
        if position + 4 > size:
            raise CorruptFrame("the frame ends inside the JPEG 2000 main header")
        (marker,) = _WORD.unpack_from(view, position)
        if marker == _SOT:
            break
        (length,) = _WORD.unpack_from(view, position + 2)
        seen += 1
        if marker < 0xFF00 or length < 2 or position + 2 + length > size:
            raise CorruptFrame("the JPEG 2000 main header is damaged")
        if seen > limits.code_stream_headers:
            raise PixelLimitExceeded("the JPEG 2000 main header has too many segments")
        content = view[position + 4 : position + 2 + length]
        if marker == _SIZ:
            _read_size(header, content, limits)
        elif marker == _COD and len(content) >= 10:
            has_coding = True
            header.progression = content[1]
            header.has_component_transform = bool(content[4])
            header.levels = content[5]
            header.is_high_throughput |= bool(content[8] & 0x40)
            header.is_reversible = content[9] == 1
        elif marker == _CAP:
            header.is_high_throughput = True
        position += 2 + length
    if not header.tiles or not has_coding:
        raise CorruptFrame("the JPEG 2000 main header lacks its size or its coding style")
    _walk_tile_parts(header, position, limits)
    return header


def _code_stream(view: memoryview) -> memoryview:
    """The contiguous code stream inside a JP2 file, which DICOM forbids (PS3.5 §A.4.4) and some write."""
    if bytes(view[:12]) != _JP2_SIGNATURE:
        return view
    position = 12
    for _ in range(64):
        if position + 8 > len(view):
            break
        length, kind = _BOX.unpack_from(view, position)
        head = 8
        if length == 1 and position + 16 <= len(view):
            length = int.from_bytes(view[position + 8 : position + 16], "big")
            head = 16
        end = len(view) if length == 0 else position + length
        if kind == b"jp2c":
            return view[position + head : min(end, len(view))]
        if end <= position or end > len(view):
            break
        position = end
    raise CorruptFrame("a JP2 file without a code stream")


def _read_size(header: Jpeg2000Header, content: memoryview, limits: PixelLimits) -> None:
    if header.tiles or len(content) < _SIZ_FIELDS.size:
        raise CorruptFrame("the JPEG 2000 size segment is damaged")
    _capabilities, x, y, x0, y0, tile_x, tile_y, tile_x0, tile_y0, count = _SIZ_FIELDS.unpack_from(
        content
    )
    components = content[_SIZ_FIELDS.size :]
    if not (x0 < x and y0 < y and tile_x and tile_y and tile_x0 <= x0 and tile_y0 <= y0):
        raise CorruptFrame("the JPEG 2000 size segment describes no image")
    if not 1 <= count <= 16_384 or len(components) < 3 * count:
        raise CorruptFrame("the JPEG 2000 size segment describes no components")
    if len({bytes(components[3 * at : 3 * at + 3]) for at in range(count)}) != 1 or (
        components[1],
        components[2],
    ) != (1, 1):
        raise CorruptFrame("JPEG 2000 components differ in depth or are subsampled")
    header.columns, header.rows, header.components = x - x0, y - y0, count
    header.precision = (components[0] & 0x7F) + 1
    header.is_signed = bool(components[0] & 0x80)
    header.tiles = -(-(x - tile_x0) // tile_x) * -(-(y - tile_y0) // tile_y)
    if header.tiles > limits.tiles:
        raise PixelLimitExceeded(f"{header.tiles} JPEG 2000 tiles, the limit is {limits.tiles}")


def _walk_tile_parts(header: Jpeg2000Header, position: int, limits: PixelLimits) -> None:
    view = header.code_stream
    size = len(view)
    seen: set[int] = set()
    parts = 0
    while position + 12 <= size and _WORD.unpack_from(view, position)[0] == _SOT:
        index, length, _part, _count = _SOT_FIELDS.unpack_from(view, position + 4)
        parts += 1
        if parts > limits.code_stream_headers:
            raise PixelLimitExceeded("the JPEG 2000 code stream has too many tile-parts")
        if index >= header.tiles:
            raise CorruptFrame(f"JPEG 2000 tile {index} of {header.tiles}")
        seen.add(index)
        if length == 0:  # up to the end of the code stream
            end = bytes(view[position:]).rfind(b"\xff\xd9")
            if end < 0:
                raise CorruptFrame("the JPEG 2000 code stream ends early")
            position += end
            break
        if length < 14 or position + length > size:
            raise CorruptFrame("the JPEG 2000 code stream ends inside a tile-part")
        position += length
    if len(seen) != header.tiles:
        raise CorruptFrame(f"{len(seen)} of {header.tiles} JPEG 2000 tiles are there")
    if position + 2 <= size and _WORD.unpack_from(view, position)[0] == _EOC:
        position += 2
    header.code_stream = view[:position]
