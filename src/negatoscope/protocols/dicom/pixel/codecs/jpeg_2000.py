"""JPEG 2000 (ITU-T T.800) by OpenJPEG, reversible high-throughput JPEG 2000 (ITU-T T.814) by OpenJPH."""

import numpy as np
from imagecodecs import HTJ2K, htj2k_decode, htj2k_encode, jpeg2k_decode, jpeg2k_encode

from negatoscope.protocols.dicom.pixel.codecs.frame import (
    Bytes,
    Frame,
    Samples,
    check_precision,
    check_size,
    to_samples,
)
from negatoscope.protocols.dicom.pixel.codecs.jpeg_2000_markers import (
    Jpeg2000Header,
    read_jpeg_2000_header,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import (
    CorruptFrame,
    NotEncodable,
    UnsupportedTransferSyntax,
)
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import (
    JPEG_2000_LOSSLESS,
    JPEG_2000_MC,
    JPEG_2000_MC_LOSSLESS,
)

DEFAULT_QUALITY = 60
"""Of lossy encoding: peak signal-to-noise ratio in decibel."""
_MULTI_COMPONENT = frozenset({JPEG_2000_MC, JPEG_2000_MC_LOSSLESS})
_MAX_BITS = 24
"""OpenJPEG counts in 32 bits with guard bits; beyond this what comes back is not what went in."""
_SMALLEST = 64
"""Width or height of the smallest resolution, at most (PS3.5 §10.18)."""


def decode(data: Bytes, description: PixelDescription, uid: str, limits: PixelLimits) -> Frame:
    """A frame of Part 1, 2 or 15.

    Raises:
        CorruptFrame: damaged, truncated, or not the image that the attributes describe.
        PixelLimitExceeded: a bomb.
        UnsupportedTransferSyntax: a multi-component collection: several frames in one code stream.
    """
    header = read_jpeg_2000_header(data, limits)
    if uid in _MULTI_COMPONENT and header.components != description.samples_per_pixel:
        raise UnsupportedTransferSyntax(
            f"{header.components} frames of a multi-component collection in one code stream"
        )
    check_size(
        description,
        rows=header.rows,
        columns=header.columns,
        samples=header.components,
        what="the JPEG 2000 size segment",
    )
    check_precision(description, header.precision, "the JPEG 2000 size segment")
    photometric = description.photometric_interpretation
    if header.has_component_transform or photometric in {"YBR_RCT", "YBR_ICT"}:
        photometric = "RGB" if description.samples_per_pixel == 3 else photometric
    return Frame(
        samples=to_samples(_library(header), description, precision=header.precision),
        photometric_interpretation=photometric.removesuffix("_422"),
    )


def _library(header: Jpeg2000Header) -> Samples:
    try:
        # OpenJPH's binding lets what the irreversible wavelet brings beyond the range wrap around.
        if header.is_high_throughput and header.is_reversible and header.precision <= 16:
            array: Samples = htj2k_decode(bytes(header.code_stream))
        else:
            array = jpeg2k_decode(bytes(header.code_stream), numthreads=1)
    except (RuntimeError, ValueError) as error:
        raise CorruptFrame(f"the JPEG 2000 code stream is damaged: {error}") from error
    return array


def _check(description: PixelDescription) -> None:
    if description.kind != "integer" or description.bits_stored > _MAX_BITS:
        raise NotEncodable(f"JPEG 2000 is written with at most {_MAX_BITS} bits per sample")
    if description.samples_per_pixel == 4:
        raise NotEncodable("JPEG 2000 is written with one or three components")


def _levels(description: PixelDescription) -> int:
    """Decompositions until width or height is at most 64 pixels; at least one."""
    side = min(description.rows, description.columns)
    levels = 1
    while side > _SMALLEST << levels and levels < 32:
        levels += 1
    return levels


def encode(samples: Samples, description: PixelDescription, uid: str, quality: int | None) -> bytes:
    """Part 1: reversible, or irreversible with a peak signal-to-noise ratio of `quality` dB.

    Raises:
        NotEncodable: more than 24 bits or four components.
    """
    _check(description)
    is_lossless = uid == JPEG_2000_LOSSLESS
    if not is_lossless and (
        description.photometric_interpretation == "PALETTE COLOR" or description.bits_allocated == 1
    ):
        raise NotEncodable("lossy JPEG 2000 would change palette indices")
    is_rgb = description.photometric_interpretation == "RGB"
    side = min(description.rows, description.columns)
    return bytes(
        jpeg2k_encode(
            np.ascontiguousarray(samples),
            level=0 if is_lossless else quality or DEFAULT_QUALITY,
            codecformat="j2k",
            colorspace="RGB" if description.samples_per_pixel == 3 else "GRAY",
            bitspersample=description.bits_stored,
            resolutions=min(6, max(1, side.bit_length())),
            reversible=is_lossless,
            mct=is_rgb,
            numthreads=1,
        )
    )


def encode_high_throughput(
    samples: Samples, description: PixelDescription, _uid: str, _quality: int | None
) -> bytes:
    """Part 15, reversible, as .202 asks for: RPCL, smallest resolution at most 64 pixels, TLM.

    Raises:
        NotEncodable: more than 16 bits or four components.
    """
    _check(description)
    if description.bits_allocated > 16:
        raise NotEncodable("high-throughput JPEG 2000 is written with at most 16 bits per sample")
    return bytes(
        htj2k_encode(
            np.ascontiguousarray(samples),
            reversible=True,
            rgb=description.photometric_interpretation == "RGB",
            resolutions=_levels(description),
            tlm=True,
            tilepart=HTJ2K.TILEPART.RESOLUTIONS,
        )
    )
