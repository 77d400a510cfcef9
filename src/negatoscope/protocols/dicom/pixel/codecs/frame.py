"""A decoded frame, and how the numbers of a code stream become its samples."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import PixelLimits

Samples: TypeAlias = npt.NDArray[Any]
Bytes: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded frame.

    Attributes:
        samples: (rows, columns) or (rows, columns, samples); sign-extended from Bits Stored, the
            lowest stored bit being bit 0; u1 i1 u2 i2 u4 i4 f4 f8 by Bits Allocated and Pixel
            Representation. May be read-only.
        photometric_interpretation: Of `samples`. Code streams that carry luminance and
            chrominance (JPEG, RCT and ICT of JPEG 2000) come out as RGB; native YBR stays as declared,
            YBR_FULL_422 with its chrominance doubled as YBR_FULL.
    """

    samples: Samples
    photometric_interpretation: str


def check_cost(description: PixelDescription, code_stream_bytes: int, limits: PixelLimits) -> None:
    """What a frame would cost, from what the attributes say.

    Raises:
        PixelLimitExceeded: too much, or too much for so few bytes.
    """
    size = description.decoded_bytes
    if size > limits.frame_bytes:
        raise PixelLimitExceeded(
            f"a frame of {description.rows} x {description.columns} x {description.samples_per_pixel} samples "
            f"has {size} bytes, the limit is {limits.frame_bytes}"
        )
    if size > limits.free_bytes and size > limits.expansion * code_stream_bytes:
        raise PixelLimitExceeded(f"{code_stream_bytes} bytes would decode to {size}")


def check_size(
    description: PixelDescription, *, rows: int, columns: int, samples: int, what: str
) -> None:
    """Compare what a code stream says with what the attributes say.

    Raises:
        CorruptFrame: they differ.
    """
    if (rows, columns) != (description.rows, description.columns):
        raise CorruptFrame(
            f"{what} has {rows} rows and {columns} columns, "
            f"the attributes say {description.rows} and {description.columns}"
        )
    if samples != description.samples_per_pixel:
        raise CorruptFrame(
            f"{what} has {samples} components, SamplesPerPixel is {description.samples_per_pixel}"
        )


def check_precision(description: PixelDescription, precision: int, what: str) -> None:
    """Compare a code stream's bits per sample with Bits Allocated.

    Raises:
        CorruptFrame: they do not fit.
    """
    if description.kind != "integer":
        raise CorruptFrame(f"{what} cannot hold floating point pixels")
    if not 1 <= precision <= description.bits_allocated:
        raise CorruptFrame(
            f"{what} has {precision} bits per sample, BitsAllocated is {description.bits_allocated}"
        )


def to_samples(array: Samples, description: PixelDescription, *, precision: int) -> Samples:
    """Numbers as a code stream or a native frame holds them, as samples.

    Args:
        array: Integers of `precision` bits; signed when the code stream says so.
        description: Of the image.
        precision: Bits per sample of the code stream; Bits Allocated of a native frame.

    Raises:
        CorruptFrame: the array has another shape.
    """
    if array.shape != description.shape:
        array = _reshaped(array, description)
    size = description.sample_bytes
    unsigned, signed = np.dtype(f"u{size}"), np.dtype(f"i{size}")
    stored = description.bits_stored
    shift = description.high_bit + 1 - stored
    if shift and precision > stored:
        array = array >> shift
        precision -= shift
    bits = min(precision, stored)
    if array.dtype.kind == "i" and description.is_signed:
        return array.astype(signed, copy=False)
    values = array.astype(unsigned, copy=False)
    if description.is_signed:
        spare = 8 * size - bits
        values = np.ascontiguousarray(values)
        return ((values << spare).view(signed) >> spare) if spare else values.view(signed)
    if precision > stored or array.dtype.kind == "i":
        mask = (1 << bits) - 1
        return values if bits == 8 * size else values & unsigned.type(mask)
    return values


def _reshaped(array: Samples, description: PixelDescription) -> Samples:
    if (
        array.size == np.prod(description.shape)
        and array.ndim in {2, 3}
        and (array.shape[:2] == description.shape[:2])
    ):
        return array.reshape(description.shape)
    raise CorruptFrame(
        f"the code stream decodes to {' x '.join(map(str, array.shape))}, "
        f"the attributes say {' x '.join(map(str, description.shape))}"
    )
