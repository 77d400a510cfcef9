"""JPEG of ITU-T T.81: baseline, extended, progressive (8 and 12 bits) and lossless (2 to 16 bits).

libjpeg-turbo decodes and encodes. It forgives: what it would paint over (a stream that ends
early, another size than announced) is refused before.
"""

import numpy as np
from imagecodecs import jpeg8_decode, jpeg8_encode

from negatoscope.protocols.dicom.pixel.codecs.frame import (
    Bytes,
    Frame,
    Samples,
    check_precision,
    check_size,
    to_samples,
)
from negatoscope.protocols.dicom.pixel.codecs.jpeg_markers import (
    SOF_BASELINE,
    SOF_EXTENDED,
    SOF_LOSSLESS,
    SOF_PROGRESSIVE,
    JpegHeader,
    read_jpeg_header,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, NotEncodable
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import JPEG_EXTENDED_12BIT, JPEG_LOSSLESS

_READABLE = frozenset({SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE, SOF_LOSSLESS})
_RGB_IDENTIFIERS = tuple(b"RGB")
DEFAULT_QUALITY = 90
"""Of lossy encoding, on libjpeg's scale of 1 to 100."""


def decode(data: Bytes, description: PixelDescription, _uid: str, limits: PixelLimits) -> Frame:
    """A frame of any process that the library has, whichever the transfer syntax says.

    Raises:
        CorruptFrame: damaged, truncated, or not the image that the attributes describe.
        PixelLimitExceeded: a bomb.
    """
    raw = data if isinstance(data, bytes) else bytes(data)
    header = read_jpeg_header(raw, limits)
    if header.sof not in _READABLE:
        raise CorruptFrame(f"JPEG process FF{header.sof:02X} is not one of this transfer syntax")
    check_size(
        description,
        rows=header.rows,
        columns=header.columns,
        samples=len(header.components),
        what="the JPEG frame header",
    )
    check_precision(description, header.precision, "the JPEG frame header")
    source, target, photometric = _colours(header, description)
    if header.end is not None:
        array = _library(raw[: header.end], source, target)
    else:
        # Without an end marker the library fills up what is missing. When it takes other bytes
        # behind the end into account, pixels were missing.
        array = _library(raw + b"\xff\xd9", source, target)
        if not np.array_equal(
            array, _library(raw + b"\x55\xaa" * 64 + b"\xff\xd9", source, target)
        ):
            raise CorruptFrame("the JPEG stream ends early")
    return Frame(
        samples=to_samples(array, description, precision=header.precision),
        photometric_interpretation=photometric,
    )


def _colours(
    header: JpegHeader, description: PixelDescription
) -> tuple[str | None, str | None, str]:
    """Colour space in the stream, the one wanted, and its Photometric Interpretation.

    Adobe's marker knows best, then components named R, G, B; subsampled chrominance is YCbCr; for
    the rest the attribute decides, since encoders write JFIF around RGB too. Lossless processes transform nothing.
    """
    declared = description.photometric_interpretation
    count = len(header.components)
    if count == 1:
        return None, None, declared
    if count == 4:
        return "CMYK", "CMYK", declared
    if header.sof == SOF_LOSSLESS:
        return "RGB", "RGB", declared.removesuffix("_422") if "YBR" in declared else declared
    identifiers = tuple(one[0] for one in header.components)
    if header.adobe_transform is not None:
        is_ybr = header.adobe_transform != 0
    elif identifiers == _RGB_IDENTIFIERS:
        is_ybr = False
    elif header.is_subsampled:
        is_ybr = True
    else:
        is_ybr = declared.startswith("YBR")
    return "YCBCR" if is_ybr else "RGB", "RGB", "RGB"


def _library(raw: bytes, source: str | None, target: str | None) -> Samples:
    try:
        array: Samples = jpeg8_decode(raw, colorspace=source, outcolorspace=target)
    except (RuntimeError, ValueError) as error:
        raise CorruptFrame(f"the JPEG stream is damaged: {error}") from error
    return array


def encode_lossless(
    samples: Samples, description: PixelDescription, uid: str, _quality: int | None
) -> bytes:
    """Process 14; selection value 1 (.70), or 6 of the seven (.57), which suits images better.

    Raises:
        NotEncodable: more than 16 bits.
    """
    if description.bits_allocated > 16 or description.kind != "integer":
        raise NotEncodable("lossless JPEG has at most 16 bits per sample")
    bits = max(2, description.bits_stored)
    values = _unsigned(samples, description.bits_stored)
    colours = "RGB" if description.samples_per_pixel > 1 else None
    return bytes(
        jpeg8_encode(
            values,
            bitspersample=bits,
            lossless=True,
            predictor=6 if uid == JPEG_LOSSLESS else 1,
            colorspace=colours,
            outcolorspace=colours,
        )
    )


def encode_lossy(
    samples: Samples, description: PixelDescription, uid: str, quality: int | None
) -> bytes:
    """Baseline (8 bits) or extended (12 bits). Colours go as YBR_FULL_422.

    Raises:
        NotEncodable: signed, or more bits than the process has (PS3.5 §8.2.1).
    """
    most = 12 if uid == JPEG_EXTENDED_12BIT else 8
    if description.is_signed or description.bits_stored > most or description.kind != "integer":
        raise NotEncodable(f"this JPEG process has unsigned samples of at most {most} bits")
    if description.photometric_interpretation == "PALETTE COLOR" or description.bits_allocated == 1:
        raise NotEncodable("lossy JPEG would change palette indices")
    bits = 8 if description.bits_stored <= 8 else 12
    is_colour = description.samples_per_pixel == 3
    return bytes(
        jpeg8_encode(
            _unsigned(samples, description.bits_stored),
            level=quality or DEFAULT_QUALITY,
            bitspersample=bits,
            colorspace="RGB" if is_colour else None,
            outcolorspace="YCBCR" if is_colour else None,
            subsampling="422" if is_colour else None,
        )
    )


def _unsigned(samples: Samples, bits: int) -> Samples:
    """Two's complement of `bits` in the container the library takes for them."""
    container = np.dtype("u1" if bits <= 8 else "u2")
    values = np.ascontiguousarray(samples.astype(container))
    return values & container.type((1 << bits) - 1) if samples.dtype.kind == "i" else values
