"""Deflated Image Frame Compression (PS3.5 §10.20): a native frame as an RFC 1951 stream."""

import zlib

from negatoscope.protocols.dicom.pixel.codecs import native
from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes, Frame, Samples
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame
from negatoscope.protocols.dicom.pixel.limits import PixelLimits


def decode(data: Bytes, description: PixelDescription, uid: str, limits: PixelLimits) -> Frame:
    """A frame; no more is inflated than it has.

    Raises:
        CorruptFrame: damaged, too short or too long.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        raw = inflater.decompress(data, description.frame_length + 2)
    except zlib.error as error:
        raise CorruptFrame("the deflate stream is damaged") from error
    if not inflater.eof and len(raw) < description.frame_length:
        raise CorruptFrame("the deflate stream ends early")
    return native.decode(raw, description, uid, limits)


def encode(samples: Samples, description: PixelDescription, uid: str, quality: int | None) -> bytes:
    """A frame, deflated."""
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    raw = native.encode(samples, description, uid, quality)
    return deflater.compress(raw) + deflater.flush()
