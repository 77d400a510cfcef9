"""Overlay planes: drawings of one bit per pixel over an image (PS3.3 §C.9.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    binary,
    integer,
    integers,
    text,
)
from negatoscope.standard import tags

_GROUPS: Final = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES = 0x0010, 0x0011, 0x0015
_TYPE, _ORIGIN, _FRAME_ORIGIN, _BITS, _POSITION, _DATA = (
    0x0040,
    0x0050,
    0x0051,
    0x0100,
    0x0102,
    0x3000,
)
_MAX_SIDE: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One plane for one frame.

    Attributes:
        group: 0x6000, 0x6002 … 0x601E.
        is_graphics: Overlay Type (60xx,0040) is G; otherwise R, a region of interest.
        mask: ``bool``, shape of the image: where it is set.
    """

    group: int
    is_graphics: bool
    mask: Array


def read_overlays(
    data_set: DataSet, *, frame: int, rows: int, columns: int, raw: Array | None
) -> Iterator[Overlay]:
    """The planes of a data set that apply to a frame; what cannot be used is passed over.

    Args:
        data_set: Of the image or of a presentation state.
        frame: Number, from 1.
        rows: Of the image.
        columns: Likewise.
        raw: Pixel cells as stored, all bits allocated, for planes embedded in those that are not
            the pixels' (retired in PS3.3 2004); ``None`` when they are not at hand.
    """
    for group in _GROUPS:
        found = _read(data_set, group, frame=frame, rows=rows, columns=columns, raw=raw)
        if found is not None and found.mask.any():
            yield found


def embedded_overlays(data_set: DataSet) -> dict[int, int]:
    """Groups of overlays that lie in unused bits of the pixel cells, and those bits."""
    found = {}
    for group in _GROUPS:
        base = group << 16
        position = integer(data_set, base | _POSITION)
        if (
            position is not None
            and integer(data_set, base | _ROWS) is not None
            and not _has_data(data_set, base)
            and _is_unused(data_set, position)
        ):
            found[group] = position
    return found


def _has_data(data_set: DataSet, base: int) -> bool:
    return f"{base | _DATA:08X}" in data_set


def _is_unused(data_set: DataSet, position: int) -> bool:
    """Whether a bit of a pixel cell is none of its pixel's (PS3.3-2003 §C.9.2)."""
    allocated = integer(data_set, tags.BITS_ALLOCATED) or 16
    stored = integer(data_set, tags.BITS_STORED) or allocated
    high = integer(data_set, tags.HIGH_BIT)
    high = stored - 1 if high is None else high
    return 0 <= position < allocated and not high - stored < position <= high


def _read(
    data_set: DataSet, group: int, *, frame: int, rows: int, columns: int, raw: Array | None
) -> Overlay | None:
    base = group << 16
    height, width = integer(data_set, base | _ROWS), integer(data_set, base | _COLUMNS)
    if height is None or width is None:
        return None
    if not (0 < height <= _MAX_SIDE and 0 < width <= _MAX_SIDE):
        return None
    is_graphics = text(data_set, base | _TYPE) != "R"
    packed = binary(data_set, base | _DATA)
    if not packed:
        position = embedded_overlays(data_set).get(group)
        if raw is None or position is None or raw.ndim != 2:
            return None
        mask: Array = (raw >> position & 1).astype(bool)
        return Overlay(group=group, is_graphics=is_graphics, mask=mask)
    count = max(1, integer(data_set, base | _FRAMES) or 1)
    index = frame - (integer(data_set, base | _FRAME_ORIGIN) or 1) if count > 1 else 0
    if not 0 <= index < count:
        return None
    plane = _plane(packed, index, height, width)
    if plane is None:
        return None
    origin = integers(data_set, base | _ORIGIN)
    top, left = (origin[0] - 1, origin[1] - 1) if len(origin) >= 2 else (0, 0)
    return Overlay(
        group=group, is_graphics=is_graphics, mask=_placed(plane, top, left, rows, columns)
    )


def _plane(packed: bytes, index: int, height: int, width: int) -> Array | None:
    """One frame of bits, the first pixel in the least significant bit (PS3.5 §8.1.2)."""
    first = index * height * width
    end = first + height * width
    if end > 8 * len(packed):
        return None
    part = np.frombuffer(packed, dtype=np.uint8)[first // 8 : (end + 7) // 8]
    bits = np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + height * width]
    found: Array = bits.reshape(height, width).astype(bool)
    return found


def _placed(plane: Array, top: int, left: int, rows: int, columns: int) -> Array:
    """The plane at its origin on the image; what passes the image is cut."""
    mask = np.zeros((rows, columns), dtype=bool)
    height, width = plane.shape
    first_row, last_row = max(top, 0), min(top + height, rows)
    first_column, last_column = max(left, 0), min(left + width, columns)
    if first_row < last_row and first_column < last_column:
        mask[first_row:last_row, first_column:last_column] = plane[
            first_row - top : last_row - top, first_column - left : last_column - left
        ]
    return mask


def outline(mask: Array) -> Array:
    """The inner border of a region: how a region of interest is shown."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    border: Array = mask & ~inner
    return border
