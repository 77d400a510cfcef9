"""RLE Lossless (PS3.5 Annex G): byte planes of the samples, most significant first, in PackBits."""

from itertools import pairwise
from struct import Struct

import numpy as np
from imagecodecs import packbits_decode, packbits_encode

from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes, Frame, Samples, to_samples
from negatoscope.protocols.dicom.pixel.description import SUBSAMPLED, PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, NotEncodable
from negatoscope.protocols.dicom.pixel.limits import PixelLimits

_HEADER = Struct("<16I")
_MAX_SEGMENTS = 15
_MAX_PADDING = 2


def decode(data: Bytes, description: PixelDescription, _uid: str, _limits: PixelLimits) -> Frame:
    """A frame of as many segments as its samples have bytes.

    Raises:
        CorruptFrame: the table of segments lies, or a segment ends early.
    """
    planes = _segment_count(description)
    starts = _segments(data, planes)
    view = memoryview(data)
    pixels = description.rows * description.columns
    length = (pixels + 7) // 8 if description.bits_allocated == 1 else pixels
    raw = np.empty((planes, length), "u1")
    for number, (start, end) in enumerate(pairwise((*starts, len(view)))):
        raw[number] = _unpacked(view[start:end], length, number)
    if description.bits_allocated == 1:
        numbers: Samples = np.unpackbits(raw[0], count=pixels, bitorder="little")
        numbers = numbers.reshape(description.shape)
    else:
        numbers = _joined(raw, description)
    samples = to_samples(numbers, description, precision=description.bits_allocated)
    photometric = description.photometric_interpretation
    if photometric in SUBSAMPLED:
        photometric = photometric.removesuffix("_422")
    return Frame(samples=samples, photometric_interpretation=photometric)


def _segment_count(description: PixelDescription) -> int:
    if description.bits_allocated == 12:
        raise NotEncodable("RLE has whole bytes")
    width = max(1, description.bits_allocated // 8)
    count = width * description.samples_per_pixel
    if count > _MAX_SEGMENTS:
        raise CorruptFrame(f"{count} segments, RLE has at most {_MAX_SEGMENTS} (PS3.5 §G.5)")
    return count


def _segments(data: Bytes, planes: int) -> list[int]:
    if len(data) < _HEADER.size:
        raise CorruptFrame("the RLE header is incomplete")
    count, *offsets = _HEADER.unpack_from(data)
    if count != planes:
        raise CorruptFrame(f"{count} RLE segments, the attributes ask for {planes}")
    starts = offsets[:count]
    if starts[0] != _HEADER.size or any(a >= b for a, b in pairwise((*starts, len(data)))):
        raise CorruptFrame("the offsets of the RLE segments do not ascend inside the frame")
    return starts


def _unpacked(segment: memoryview, length: int, number: int) -> Samples:
    try:
        raw = packbits_decode(bytes(segment))
    except RuntimeError as error:
        raise CorruptFrame(f"RLE segment {number + 1} is damaged") from error
    if len(raw) < length:
        raise CorruptFrame(f"RLE segment {number + 1} has {len(raw)} of {length} bytes")
    if len(raw) > length + _MAX_PADDING:
        raise CorruptFrame(f"RLE segment {number + 1} has {len(raw)} bytes, not {length}")
    return np.frombuffer(raw, "u1", length)


def _joined(raw: Samples, description: PixelDescription) -> Samples:
    """Byte planes put together: those of one sample follow each other, the highest first."""
    samples = description.samples_per_pixel
    width = len(raw) // samples
    container = 4 if width == 3 else width
    out = np.zeros((raw.shape[1], samples, container), "u1")
    for sample in range(samples):
        for place in range(width):
            out[:, sample, place] = raw[sample * width + width - 1 - place]
    return out.reshape(-1).view(f"<u{container}").reshape(description.shape)


def encode(
    samples: Samples, description: PixelDescription, _uid: str, _quality: int | None
) -> bytes:
    """A frame of even length; each row is packed by itself (PS3.5 §G.3.1).

    Raises:
        NotEncodable: more than 15 segments.
    """
    if description.bits_allocated == 1:
        raw = np.packbits(samples.reshape(-1) & 1, bitorder="little")[None, :]
        rows = 1
    else:
        width = description.bits_allocated // 8
        if (
            description.bits_allocated == 12
            or width * description.samples_per_pixel > _MAX_SEGMENTS
        ):
            raise NotEncodable(f"{description.bits_allocated} bits are no whole bytes for RLE")
        shift = description.high_bit + 1 - description.bits_stored
        wide = (samples << shift if shift else samples).astype(f"<i{max(width, 4)}")
        octets = wide.reshape(-1, description.samples_per_pixel, 1).view("u1")
        raw = np.stack(
            [
                octets[:, sample, place]
                for sample in range(description.samples_per_pixel)
                for place in reversed(range(width))
            ]
        )
        rows = description.rows
    segments = []
    for plane in raw:
        packed = b"".join(packbits_encode(row.tobytes()) for row in plane.reshape(rows, -1))
        segments.append(packed + b"\x00" * (len(packed) & 1))
    offsets = [_HEADER.size]
    for segment in segments[:-1]:
        offsets.append(offsets[-1] + len(segment))
    table = [len(segments), *offsets, *([0] * (_MAX_SEGMENTS - len(offsets)))]
    return _HEADER.pack(*table) + b"".join(segments)
