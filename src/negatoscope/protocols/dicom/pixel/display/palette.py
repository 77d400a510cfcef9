"""Palette Color look-up tables, segmented ones too (PS3.3 §C.7.6.3.1.5, §C.7.9)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import Array, DataSet, words
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut
from negatoscope.protocols.dicom.pixel.display.lookup import (
    MAX_ENTRIES,
    read_descriptor,
    read_entries,
)
from negatoscope.standard import tags

_CHANNELS: Final = (
    (
        tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags.SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags.GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags.SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags.BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags.SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
)
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
_MAX_SEGMENTS: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Red, green and blue for each pixel value.

    Attributes:
        first: The pixel value for which ``colors[0]`` stands.
        colors: ``uint8``, shape (entries, 3).
    """

    first: int
    colors: Array

    def apply(self, stored: Array) -> Array:
        """Colours, ``uint8``, shape ``stored.shape + (3,)``; values outside use the ends."""
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.colors) - 1)
        found: Array = self.colors[index]
        return found


def has_palette(data_set: DataSet) -> bool:
    """Whether a data set brings a palette."""
    return f"{tags.RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR:08X}" in data_set


def read_palette(data_set: DataSet, *, signed: bool) -> Palette:
    """The palette of an image, a palette instance or a presentation state.

    Args:
        data_set: Where it stands.
        signed: Whether pixel values are.
    Raises:
        InvalidLut: it cannot be used.
    """
    channels: list[Array] = []
    first = 0
    for at, (descriptor, data, segmented) in enumerate(_CHANNELS):
        count, start, bits = read_descriptor(data_set, descriptor, signed=signed)
        if at == 0:
            first = start
        if f"{data:08X}" in data_set:
            entries = read_entries(data_set, data, count=count, bits=bits)
        else:
            entries = expand_segments(words(data_set, segmented), count)
        channels.append(_eight_bits(entries, bits))
    length = min(len(channel) for channel in channels)
    return Palette(first=first, colors=np.stack([one[:length] for one in channels], axis=-1))


def _eight_bits(entries: Array, bits: int) -> Array:
    """Entries scaled to 8 bits.

    Sixteen-bit entries keep their high byte. Real objects say 16 bits and fill only the low byte;
    those are taken as 8-bit entries.
    """
    if bits > 8 and int(entries.max()) > 0xFF:
        return (entries >> (bits - 8)).astype(np.uint8)
    return entries.astype(np.uint8)


def expand_segments(segments: Array, count: int) -> Array:
    """The table that segments describe (PS3.3 §C.7.9.2).

    Args:
        segments: ``uint16`` words: opcode, length and so on.
        count: Entries wanted; the expansion ends there, however much the segments go on.
    Returns: ``uint16``, ``count`` entries.
    Raises:
        InvalidLut: an opcode or offset that is none, or too few data.
    """
    out: list[int] = []
    data: list[int] = segments.tolist()
    _expand(data, 0, len(data), min(count, MAX_ENTRIES), out, nested=False)
    if not out:
        raise InvalidLut("a segmented LUT has no segment")
    out.extend([out[-1]] * (count - len(out)))
    return np.asarray(out[:count], dtype=np.uint16)


def _expand(
    data: list[int], at: int, segment_count: int, wanted: int, out: list[int], *, nested: bool
) -> None:
    done = 0
    while at + 1 < len(data) and done < segment_count and len(out) < wanted:
        done += 1
        if done > _MAX_SEGMENTS:
            raise InvalidLut("a segmented LUT has too many segments")
        opcode, length = data[at], data[at + 1]
        if opcode == _DISCRETE:
            if at + 2 + length > len(data):
                raise InvalidLut("a discrete segment passes the end of its data")
            out.extend(data[at + 2 : at + 2 + min(length, wanted - len(out))])
            at += 2 + length
        elif opcode == _LINEAR:
            if not out or at + 2 >= len(data):
                raise InvalidLut("a linear segment has nothing to begin or to end with")
            begin, end = out[-1], data[at + 2]
            steps = range(1, min(length, wanted - len(out)) + 1)
            out.extend(begin + round((end - begin) * step / length) for step in steps)
            at += 3
        elif opcode == _INDIRECT and not nested:
            if at + 3 >= len(data):
                raise InvalidLut("an indirect segment passes the end of its data")
            # A byte offset; real data count words as well, which the range tells.
            offset = (data[at + 2] | data[at + 3] << 16) // 2
            if offset >= len(data) or data[offset] not in (_DISCRETE, _LINEAR):
                raise InvalidLut("an indirect segment names no segment")
            _expand(data, offset, length, wanted, out, nested=True)
            at += 4
        else:
            raise InvalidLut(f"a segment has opcode {opcode}")
