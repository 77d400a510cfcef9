"""JPEG-LS (ITU-T T.87), lossless and near-lossless, by CharLS."""

import numpy as np
from imagecodecs import jpegls_decode, jpegls_encode

from negatoscope.protocols.dicom.pixel.codecs.frame import (
    Bytes,
    Frame,
    Samples,
    check_precision,
    check_size,
    to_samples,
)
from negatoscope.protocols.dicom.pixel.codecs.jpeg_markers import SOF_JPEG_LS, read_jpeg_header
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, NotEncodable
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import JPEG_LS_NEAR_LOSSLESS

DEFAULT_NEAR = 2
"""Largest error of a sample of near-lossless encoding."""


def decode(data: Bytes, description: PixelDescription, _uid: str, limits: PixelLimits) -> Frame:
    """A frame; samples are unsigned in the stream, two's complement when the attributes say so.

    Raises:
        CorruptFrame: damaged, truncated, or not the image that the attributes describe.
    """
    raw = data if isinstance(data, bytes) else bytes(data)
    header = read_jpeg_header(raw, limits)
    if header.sof != SOF_JPEG_LS:
        raise CorruptFrame(f"JPEG process FF{header.sof:02X} is not JPEG-LS")
    check_size(
        description,
        rows=header.rows,
        columns=header.columns,
        samples=len(header.components),
        what="the JPEG-LS frame header",
    )
    check_precision(description, header.precision, "the JPEG-LS frame header")
    try:
        array: Samples = jpegls_decode(raw[: header.end] if header.end else raw)
    except (RuntimeError, ValueError) as error:
        raise CorruptFrame(f"the JPEG-LS stream is damaged: {error}") from error
    photometric = description.photometric_interpretation
    return Frame(
        samples=to_samples(array, description, precision=header.precision),
        photometric_interpretation=photometric.removesuffix("_422"),
    )


def encode(samples: Samples, description: PixelDescription, uid: str, quality: int | None) -> bytes:
    """Lossless, or near-lossless with an error of at most `quality`.

    Raises:
        NotEncodable: more than 16 bits, or a near-lossless error of signed samples, which would
            cross from the largest to the smallest.
    """
    if description.bits_allocated > 16 or description.kind != "integer":
        raise NotEncodable("JPEG-LS has at most 16 bits per sample")
    near = 0
    if uid == JPEG_LS_NEAR_LOSSLESS:
        near = DEFAULT_NEAR if quality is None else quality
        if near and (description.is_signed or description.bits_stored < 8):
            raise NotEncodable("near-lossless JPEG-LS has unsigned samples of 8 to 16 bits")
        if not 0 <= near <= 127:
            raise NotEncodable("the error of near-lossless JPEG-LS is between 0 and 127")
        if near and description.photometric_interpretation == "PALETTE COLOR":
            raise NotEncodable("near-lossless JPEG-LS would change palette indices")
    container = np.dtype("u1" if description.bits_stored <= 8 else "u2")
    values = np.ascontiguousarray(samples.astype(container))
    # The library writes the container's bits as precision: negative samples keep their sign there,
    # which readers take from the highest bit of the precision.
    if near:
        # The library counts with the whole container: keep what it may add inside Bits Stored.
        values = np.minimum(values, container.type((1 << description.bits_stored) - 1 - near))
    room = bytearray(2 * values.nbytes + 1024)
    return bytes(jpegls_encode(values, level=near, out=room))
