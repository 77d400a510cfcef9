"""JPEG XL (ISO/IEC 18181) by libjxl: lossless, recompressed JPEG, and lossy."""

import numpy as np
from imagecodecs import jpegxl_decode, jpegxl_encode

from negatoscope.protocols.dicom.pixel.codecs.frame import (
    Bytes,
    Frame,
    Samples,
    check_precision,
    check_size,
    to_samples,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, NotEncodable
from negatoscope.protocols.dicom.pixel.limits import PixelLimits

_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_MAX_BOXES = 256
_EFFORT = 3


class _Bits:
    """Bits from the lowest of the first byte on (ISO/IEC 18181-1 §B.2)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise CorruptFrame("the JPEG XL header is incomplete")
        self._left -= count
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def size(self) -> int:
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])


def read_size(data: Bytes) -> tuple[int, int]:
    """Rows and columns of a code stream, bare or in boxes.

    Raises:
        CorruptFrame: it is none.
    """
    start = _code_stream_start(memoryview(data))
    if bytes(start[:2]) != b"\xff\x0a":
        raise CorruptFrame("the frame does not begin with a JPEG XL code stream")
    bits = _Bits(bytes(start[2:18]))
    if bits.take(1):
        rows = 8 * (1 + bits.take(5))
        ratio = bits.take(3)
        columns = 8 * (1 + bits.take(5)) if not ratio else 0
    else:
        rows = bits.size()
        ratio = bits.take(3)
        columns = bits.size() if not ratio else 0
    if ratio:
        width, height = _RATIOS[ratio - 1]
        columns = rows * width // height
    return rows, columns


def _code_stream_start(view: memoryview) -> memoryview:
    if bytes(view[:12]) != _CONTAINER:
        return view
    position = 12
    for _ in range(_MAX_BOXES):
        if position + 16 > len(view):
            break
        length = int.from_bytes(view[position : position + 4], "big")
        kind = bytes(view[position + 4 : position + 8])
        head = 8
        if length == 1:
            length = int.from_bytes(view[position + 8 : position + 16], "big")
            head = 16
        if kind in {b"jxlc", b"jxlp"}:
            head += 4 * (kind == b"jxlp")
            return view[position + head :]
        if length < head:
            break
        position += length
    raise CorruptFrame("JPEG XL boxes without a code stream")


def decode(data: Bytes, description: PixelDescription, _uid: str, _limits: PixelLimits) -> Frame:
    """A frame. Colours that were coded as XYB or YCbCr come out as RGB.

    Raises:
        CorruptFrame: damaged, truncated, or not the image that the attributes describe.
    """
    rows, columns = read_size(data)
    check_size(
        description,
        rows=rows,
        columns=columns,
        samples=description.samples_per_pixel,
        what="the JPEG XL header",
    )
    try:
        array: Samples = jpegxl_decode(bytes(data), index=0, keeporientation=True, numthreads=1)
    except (RuntimeError, ValueError, IndexError) as error:
        raise CorruptFrame(f"the JPEG XL code stream is damaged: {error}") from error
    if array.dtype.kind != "u":
        raise CorruptFrame("the JPEG XL code stream has floating point samples")
    precision = 8 * array.dtype.itemsize
    check_precision(description, precision, "the JPEG XL code stream")
    photometric = description.photometric_interpretation
    return Frame(
        samples=to_samples(array, description, precision=precision),
        photometric_interpretation="RGB" if description.samples_per_pixel == 3 else photometric,
    )


def encode(
    samples: Samples, description: PixelDescription, _uid: str, _quality: int | None
) -> bytes:
    """Lossless.

    Raises:
        NotEncodable: more than 16 bits or four components.
    """
    if description.kind != "integer" or description.bits_allocated > 16:
        raise NotEncodable("JPEG XL is written with at most 16 bits per sample")
    if description.samples_per_pixel == 4 or description.photometric_interpretation not in {
        "MONOCHROME1",
        "MONOCHROME2",
        "PALETTE COLOR",
        "RGB",
    }:
        raise NotEncodable("JPEG XL is written with grey, palette or RGB samples")
    container = np.dtype("u1" if description.bits_stored <= 8 else "u2")
    values = np.ascontiguousarray(samples.astype(container))
    if description.is_signed:
        values &= container.type((1 << description.bits_stored) - 1)
    return bytes(
        jpegxl_encode(
            values,
            lossless=True,
            effort=_EFFORT,
            bitspersample=description.bits_stored,
            photometric="RGB" if description.samples_per_pixel == 3 else "GRAY",
            usecontainer=False,
            numthreads=1,
        )
    )
