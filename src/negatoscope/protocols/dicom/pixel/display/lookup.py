"""Look-up tables: descriptor, data, application (PS3.3 §C.11.1.1).

A descriptor says how many entries there are, which input the first one is for, and how many bits
an entry has. Inputs below the first use the first entry, inputs above the last use the last.
Descriptors lie: fewer data than entries, zero that means 65,536, a first input read with the
wrong sign, 8-bit entries in 16-bit words. What is tolerated is said here; nothing is ever
indexed outside the table.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    binary,
    integers,
    words,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut

MAX_ENTRIES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupTable:
    """A table.

    Attributes:
        first: The input for which ``entries[0]`` stands.
        bits: Of an entry; its largest value is ``2**bits - 1``.
        entries: ``uint16``, one dimension, at least one.
    """

    first: int
    bits: int
    entries: Array

    @property
    def top(self) -> int:
        """The largest output that the descriptor allows."""
        return (1 << self.bits) - 1

    def apply(self, inputs: Array) -> Array:
        """Outputs (``uint16``, same shape) of inputs of any numeric type."""
        index = np.clip(np.rint(inputs) - self.first, 0, len(self.entries) - 1)
        found: Array = self.entries[index.astype(np.int64)]
        return found


def read_descriptor(data_set: DataSet, tag: int, *, signed: bool) -> tuple[int, int, int]:
    """Number of entries, first input, bits of an entry.

    Args:
        data_set: Where the descriptor stands.
        tag: Of the descriptor.
        signed: Whether inputs are signed, so that a first input above 32,767 is a negative one.
    Raises:
        InvalidLut: not three numbers, or bits outside 1 … 16.
    """
    descriptor = integers(data_set, tag)
    if len(descriptor) < 3:
        raise InvalidLut("a LUT descriptor does not have three values")
    count, first, bits = descriptor[:3]
    count = (count & 0xFFFF) or MAX_ENTRIES
    first &= 0xFFFF
    if signed and first > 0x7FFF:
        first -= 0x10000
    if not 1 <= bits <= 16:
        raise InvalidLut(f"a LUT descriptor says {bits} bits")
    return count, first, bits


def read_entries(data_set: DataSet, tag: int, *, count: int, bits: int) -> Array:
    """The entries as ``uint16``.

    Data of 8-bit entries may be packed two to a word (PS3.3 §C.7.6.3.1.6), or stand one to a
    word; the length tells. Fewer data than entries are repeated by the last one.

    Raises:
        InvalidLut: no data.
    """
    raw = binary(data_set, tag)
    if raw and bits <= 8 and len(raw) < 2 * count and len(raw) >= count:
        found: Array = np.frombuffer(raw, dtype=np.uint8).astype(np.uint16)
    else:
        found = words(data_set, tag)
        if bits <= 8 and 0 < len(found) < count <= 2 * len(found):
            found = found.astype("<u2").view(np.uint8).astype(np.uint16)
    if not len(found):
        raise InvalidLut("a LUT has no data")
    found = found[:count]
    if len(found) < count:
        found = np.concatenate([found, np.full(count - len(found), found[-1], np.uint16)])
    return found


def read_table(data_set: DataSet, *, descriptor: int, data: int, signed: bool) -> LookupTable:
    """A grayscale table (PS3.3 §C.11.1).

    Raises:
        InvalidLut: it cannot be used.
    """
    count, first, bits = read_descriptor(data_set, descriptor, signed=signed)
    entries = read_entries(data_set, data, count=count, bits=bits)
    peak = int(entries.max())
    if peak >> bits:  # more bits in use than said: the data are believed
        bits = max(peak.bit_length(), 1)
    return LookupTable(first=first, bits=bits, entries=entries)
