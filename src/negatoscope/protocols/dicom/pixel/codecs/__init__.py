"""Codecs: one frame of any transfer syntax to samples and back.

Call these in a worker process (`negatoscope.infra.sandbox`): what a peer sent goes into C
libraries here.
"""

from dataclasses import replace

from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes, Frame, Samples, check_cost
from negatoscope.protocols.dicom.pixel.codecs.table import CODECS, Codec
from negatoscope.protocols.dicom.pixel.codecs.video import (
    count_pictures,
    decode_picture,
    decode_pictures,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import (
    InvalidDescription,
    NotEncodable,
    UnsupportedTransferSyntax,
)
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS, PixelLimits
from negatoscope.standard.transfer_syntaxes import transfer_syntax

__all__ = [
    "CODECS",
    "Codec",
    "Frame",
    "can_decode",
    "can_encode",
    "count_pictures",
    "decode_cells",
    "decode_frame",
    "decode_picture",
    "decode_pictures",
    "encode_frame",
    "is_lossy",
]


def can_decode(transfer_syntax_uid: str) -> bool:
    """Whether frames of this transfer syntax can be read."""
    return transfer_syntax_uid in CODECS


def can_encode(transfer_syntax_uid: str) -> bool:
    """Whether frames of this transfer syntax can be written."""
    codec = CODECS.get(transfer_syntax_uid)
    return codec is not None and codec.encode is not None


def is_lossy(transfer_syntax_uid: str) -> bool:
    """Whether encoding to this transfer syntax loses something."""
    codec = CODECS.get(transfer_syntax_uid)
    return codec is not None and codec.is_lossy


def decode_frame(
    data: Bytes,
    description: PixelDescription,
    transfer_syntax_uid: str,
    *,
    limits: PixelLimits = DEFAULT_LIMITS,
) -> Frame:
    """Samples of one frame.

    Args:
        data: The frame's bytes: native pixels from its first bit on, or a code stream with its
            fragments joined. Of video, the whole stream: its first picture (`decode_picture`).
        description: Of the image.
        transfer_syntax_uid: Of the bytes.
        limits: What the frame may cost.

    Raises:
        UnsupportedTransferSyntax: no codec for it.
        InvalidDescription: the attributes describe no image.
        CorruptFrame: damaged, truncated, or another image than described.
        PixelLimitExceeded: beyond the limits.
    """
    codec = CODECS.get(transfer_syntax_uid)
    if codec is None:
        name = transfer_syntax(transfer_syntax_uid).name
        raise UnsupportedTransferSyntax(f"no codec reads {name}")
    description.check()
    check_cost(description, len(data), limits)
    return codec.decode(data, description, transfer_syntax_uid, limits)


def decode_cells(
    data: Bytes,
    description: PixelDescription,
    transfer_syntax_uid: str,
    *,
    limits: PixelLimits = DEFAULT_LIMITS,
) -> Samples:
    """The pixel cells of one frame with all the bits allocated that its coding kept.

    Args: As ``decode_frame``; the image has one sample per pixel.

    Raises: As ``decode_frame``.
    """
    whole = replace(
        description,
        bits_stored=description.bits_allocated,
        high_bit=description.bits_allocated - 1,
        pixel_representation=0,
    )
    return decode_frame(data, whole, transfer_syntax_uid, limits=limits).samples


def encode_frame(
    samples: Samples,
    description: PixelDescription,
    transfer_syntax_uid: str,
    *,
    quality: int | None = None,
) -> bytes:
    """One frame in a transfer syntax.

    Args:
        samples: As `Frame.samples`.
        description: Of the result: the shape, bits and Photometric Interpretation of `samples`.
        transfer_syntax_uid: Wanted.
        quality: Of lossy ones; JPEG 1–100, JPEG 2000 decibel, JPEG-LS largest error.

    Returns: Bytes, of odd length perhaps.

    Raises:
        UnsupportedTransferSyntax: it cannot be written.
        NotEncodable: it cannot hold these samples.
        InvalidDescription: samples and description differ.
    """
    codec = CODECS.get(transfer_syntax_uid)
    if codec is None or codec.encode is None:
        name = transfer_syntax(transfer_syntax_uid).name
        raise UnsupportedTransferSyntax(f"no codec writes {name}")
    description.check()
    if samples.shape != description.shape:
        raise InvalidDescription("the samples have another shape than described")
    if description.bits_allocated == 1 and not codec.is_packed:
        raise NotEncodable("this transfer syntax is not written with one bit per sample")
    try:
        return codec.encode(samples, description, transfer_syntax_uid, quality)
    except (RuntimeError, ValueError) as error:
        raise NotEncodable(f"the codec refuses: {error}") from error
