"""Headers of elements, items and fragments in a data set that is all in memory."""

from struct import Struct
from typing import Final

from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    NestingTooDeep,
    TooManyElements,
    TooManyFragments,
    TooManyItems,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.limits import UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.vr import LONG_VRS, VRS
from negatoscope.standard.transfer_syntaxes import TransferSyntax

ITEM_TAG: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
FORBIDDEN_GROUPS: Final = frozenset({0x0000, 0x0001, 0x0002, 0x0003, 0x0005, 0x0007})

_LITTLE: Final = (
    Struct("<HH2sH").unpack_from,
    Struct("<HHI").unpack_from,
    Struct("<I").unpack_from,
)
_BIG: Final = (Struct(">HH2sH").unpack_from, Struct(">HHI").unpack_from, Struct(">I").unpack_from)
#: VR of its two letters: True when the length has 32 bits.
_VRS: Final = {vr.encode(): (vr, vr in LONG_VRS) for vr in VRS}


class ElementReader:
    """Reads headers of one data set and counts what they cost.

    Args:
        data: The data set.
        syntax: Of its bytes; not deflated any more.
        limits: What it may cost.
    """

    def __init__(
        self, data: bytes | bytearray | memoryview, syntax: TransferSyntax, limits: ScanLimits
    ) -> None:
        self.data = data
        self.limits = limits
        self._element_count = 0
        self._item_count = 0
        self._unpack, self._unpack_item, self._unpack_long = (
            _LITTLE if syntax.is_little_endian else _BIG
        )

    def header(self, pos: int, end: int, *, implicit: bool) -> tuple[int, str, int, int]:
        """Tag, VR, offset of the value and its length of the element at `pos`.

        The VR is empty under implicit VR and of delimiters.
        """
        start = pos + 8
        if start > end:
            raise TruncatedDataSet("the data set ends inside an element", offset=pos)
        group, number, length = self._unpack_item(self.data, pos)
        vr = ""
        if group == 0xFFFE:
            if number != 0xE00D:
                raise BadElement("a delimiter out of place", offset=pos, tag=group << 16 | number)
            return ITEM_END, vr, start, 0
        if not implicit:
            group, number, letters, length = self._unpack(self.data, pos)
            known = _VRS.get(letters)
            if known is not None:
                vr, is_long = known
            elif letters.isalpha() and letters.isupper():
                # A VR of a later edition has a 32-bit length (PS3.5 §7.1.2), or is a mistake
                # with 16 bits, where what should be reserved is not zero.
                vr, is_long = "UN", not length
            else:
                raise BadElement(
                    "no value representation where one is due",
                    offset=pos,
                    tag=group << 16 | number,
                )
            if is_long:
                start += 4
                if start > end:
                    raise TruncatedDataSet("the data set ends inside an element", offset=pos)
                (length,) = self._unpack_long(self.data, pos + 8)
        tag = group << 16 | number
        self._element_count += 1
        if self._element_count > self.limits.elements:
            raise TooManyElements(f"more than {self.limits.elements} elements", offset=pos)
        if group in FORBIDDEN_GROUPS:
            raise BadElement("a data set holds no element of this group", offset=pos, tag=tag)
        return tag, vr, start, length

    def item_header(self, pos: int, end: int) -> tuple[int, int]:
        """Tag and length of the item or delimiter at `pos`."""
        if pos + 8 > end:
            raise TruncatedDataSet("a sequence ends inside an item", offset=pos)
        group, number, length = self._unpack_item(self.data, pos)
        return group << 16 | number, length

    def end_of_fragments(self, pos: int, end: int) -> int:
        """Offset after the encapsulated pixel data whose first item is at `pos`."""
        count = 0
        while pos + 8 <= end:
            tag, length = self.item_header(pos, end)
            if tag == SEQUENCE_END:
                return pos + 8
            if tag != ITEM_TAG or length == UNDEFINED_LENGTH:
                raise BadElement("no fragment where one is due", offset=pos)
            count += 1
            if count > self.limits.fragments:
                raise TooManyFragments(f"more than {self.limits.fragments} fragments", offset=pos)
            pos += 8 + length
        raise TruncatedDataSet("the fragments have no end", offset=pos)

    def enter(self, pos: int, depth: int) -> None:
        """A sequence opens inside `depth` others."""
        if depth >= self.limits.depth:
            raise NestingTooDeep(
                f"more than {self.limits.depth} sequences in one another", offset=pos
            )

    def count_item(self, pos: int) -> None:
        """An item opens."""
        self._item_count += 1
        if self._item_count > self.limits.items:
            raise TooManyItems(f"more than {self.limits.items} sequence items", offset=pos)
