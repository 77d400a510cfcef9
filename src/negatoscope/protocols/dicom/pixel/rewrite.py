"""The elements of a data set in another transfer syntax: every value as it was, pixel data left out.

Between two syntaxes that write elements alike (all explicit VR little endian ones) elements are
copied byte by byte, private ones and undefined lengths included. Otherwise headers are written
anew and words swapped; what implicit VR does not tell comes from the dictionary.

An icon that is compressed (Icon Image Sequence, Type 3) has no place in a syntax without
encapsulation, and is left out there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from negatoscope.protocols.dicom.dataset import DataSetError, encode
from negatoscope.protocols.dicom.dataset.errors import BadElement, TruncatedDataSet
from negatoscope.protocols.dicom.dataset.limits import DECODE_LIMITS, UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.reader import (
    ITEM_END,
    ITEM_TAG,
    SEQUENCE_END,
    ElementReader,
)
from negatoscope.protocols.dicom.dataset.values import swapped
from negatoscope.protocols.dicom.dataset.vr import LONG_VRS, NUMBERS, WORD_BYTES
from negatoscope.standard.tags import PIXEL_DATA, PIXEL_REPRESENTATION, dictionary_vr, vr_for
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    TransferSyntax,
    transfer_syntax,
)

Changes = Mapping[str, Mapping[str, Any] | None]

_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_MAX_SHORT_LENGTH: Final = 0xFFFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """The elements before the pixel data, and where that was.

    Attributes:
        data: In the syntax wanted.
        pixel_tag: Of the pixel data; None when the elements end without any.
        pixel_vr: As sent; empty under implicit VR.
        value_offset: Of the pixel value in the source.
        value_length: Likewise; 0xFFFFFFFF of encapsulated pixel data.
    """

    data: bytes
    pixel_tag: int | None = None
    pixel_vr: str = ""
    value_offset: int = 0
    value_length: int = 0


class _Rewriter(ElementReader):
    """One pass over one data set."""

    def __init__(
        self,
        data: bytes | memoryview,
        source: TransferSyntax,
        target: TransferSyntax,
        limits: ScanLimits,
    ) -> None:
        super().__init__(data, source, limits)
        self._swap = source.is_little_endian != target.is_little_endian
        self._implicit = target.is_implicit_vr
        self._is_copy = not self._swap and source.is_implicit_vr == target.is_implicit_vr
        order = "<" if target.is_little_endian else ">"
        self._short = Struct(order + "HH2sH").pack
        self._long = Struct(order + "HH2s2xI").pack
        self._plain = Struct(order + "HHI").pack
        self._signed = False
        self._is_encapsulated = target.is_encapsulated
        self._has_icon = False

    def elements(
        self, pos: int, end: int, *, implicit: bool, depth: int = 0, delimited: bool = False
    ) -> tuple[list[tuple[int, bytes]], int]:
        """Tag and new bytes of each element up to `end`, an item delimiter or the pixel data."""
        out: list[tuple[int, bytes]] = []
        while pos < end:
            if pos + 8 > end and not depth and not any(self.data[pos:end]):
                return out, end
            tag, vr, start, length = self.header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                if not delimited:
                    raise BadElement("a delimiter out of place", offset=pos)
                return out, start
            if not depth and tag in _PIXEL_TAGS:
                return out, pos
            if tag == PIXEL_REPRESENTATION and length == 2:
                self._signed = any(self.data[start : start + 2])
            if not depth:
                self._has_icon = False
            piece, after = self._element(
                tag, vr, start, length, end=end, implicit=implicit, depth=depth
            )
            if self._is_copy:
                piece = bytes(self.data[pos:after])
            if self._has_icon and not depth:
                pos = after
                continue
            if tag & 0xFFFF or self._is_copy:
                out.append((tag, piece))
            pos = after
        if delimited:
            raise TruncatedDataSet("an item has no end", offset=pos)
        return out, pos

    def _element(
        self, tag: int, vr: str, start: int, length: int, *, end: int, implicit: bool, depth: int
    ) -> tuple[bytes, int]:
        if not vr:
            vr = vr_for(tag)
            if self._signed and (dictionary_vr(tag) or "").startswith("US or SS"):
                vr = "SS"
            if length == UNDEFINED_LENGTH and vr != "SQ":
                vr = "SQ" if implicit else "UN"
        if vr == "UN" and self._swap and length != UNDEFINED_LENGTH:
            # What the dictionary knows need not stay unknown, whose values are little endian.
            known = dictionary_vr(tag)
            if known is not None and known != "UN":
                vr = vr_for(tag)
                implicit = implicit or vr == "SQ"
        if length == UNDEFINED_LENGTH and tag == PIXEL_DATA and vr in {"OB", "OW"}:
            after = self.end_of_fragments(start, end)
            self._has_icon = not self._is_encapsulated
            value = bytes(self.data[start:after])
        elif length == UNDEFINED_LENGTH or vr == "SQ":
            if vr not in {"SQ", "UN"}:
                raise BadElement("undefined length of what is no sequence", offset=start, tag=tag)
            value, after = self._sequence(
                start, length, end, implicit=implicit or vr == "UN", depth=depth, raw=vr == "UN"
            )
        else:
            after = start + length
            if after > end:
                raise TruncatedDataSet(
                    f"the value has {end - start} of {length} bytes", offset=start, tag=tag
                )
            value = bytes(self.data[start:after])
            if self._swap and vr == "AT":
                value = swapped(value, "US")
            elif self._swap and (vr in WORD_BYTES or vr in NUMBERS):
                value = swapped(value, vr)
        return self._head(tag, vr, value, length) + value, after

    def _head(self, tag: int, vr: str, value: bytes, length: int) -> bytes:
        written = length if length == UNDEFINED_LENGTH else len(value)
        group, number = tag >> 16, tag & 0xFFFF
        if self._implicit:
            return self._plain(group, number, written)
        if vr in LONG_VRS:
            return self._long(group, number, vr.encode(), written)
        if written > _MAX_SHORT_LENGTH:
            # PS3.5 §6.2.2: what a 16-bit length cannot say goes as UN, tables of words as OW.
            wide = "OW" if "OW" in (dictionary_vr(tag) or "") else "UN"
            return self._long(group, number, wide.encode(), written)
        return self._short(group, number, vr.encode(), written)

    def _sequence(
        self, pos: int, length: int, end: int, *, implicit: bool, depth: int, raw: bool
    ) -> tuple[bytes, int]:
        """The value of a sequence, its delimiter included, and the offset after it.

        What was sent as UN is implicit VR little endian inside (PS3.5 §6.2.2) and stays so.
        """
        self.enter(pos, depth)
        begin = pos
        open_ended = length == UNDEFINED_LENGTH
        stop = end if open_ended else pos + length
        if stop > end:
            raise TruncatedDataSet("a sequence is longer than what holds it", offset=pos)
        pieces: list[bytes] = []
        while pos < stop:
            tag, item_length = self.item_header(pos, stop)
            if tag == SEQUENCE_END and open_ended:
                pieces.append(self._plain(0xFFFE, 0xE0DD, 0))
                return (bytes(self.data[begin : pos + 8]) if raw else b"".join(pieces)), pos + 8
            if tag != ITEM_TAG:
                raise BadElement("no item where one is due", offset=pos)
            self.count_item(pos)
            item_open = item_length == UNDEFINED_LENGTH
            item_end = stop if item_open else pos + 8 + item_length
            if item_end > stop:
                raise BadElement("the item is longer than the sequence around it", offset=pos)
            inside, pos = self.elements(
                pos + 8, item_end, implicit=implicit, depth=depth + 1, delimited=item_open
            )
            value = b"".join(piece for _tag, piece in inside)
            head = UNDEFINED_LENGTH if item_open else len(value)
            pieces.append(self._plain(0xFFFE, 0xE000, head) + value)
            if item_open:
                pieces.append(self._plain(0xFFFE, 0xE00D, 0))
        if open_ended:
            raise TruncatedDataSet("a sequence has no end", offset=pos)
        return (bytes(self.data[begin:pos]) if raw else b"".join(pieces)), pos


def rewrite(
    data: bytes | memoryview,
    from_uid: str,
    to_uid: str,
    *,
    changes: Changes,
    overlay: bytes = b"",
    limits: ScanLimits = DECODE_LIMITS,
) -> Rewritten:
    """The elements before the pixel data in another transfer syntax.

    Args:
        data: The data set, inflated, at least up to the header of its pixel data.
        from_uid: Of its bytes.
        to_uid: Wanted; of a deflated one the result is not deflated yet.
        changes: Attributes to write instead, DICOM JSON by tag, text in ASCII; None leaves one out.
        overlay: Elements to write instead, as a data set in the syntax wanted, not deflated.
        limits: What the data set may cost.

    Raises:
        DataSetError: it cannot be read.
    """
    source, target = transfer_syntax(from_uid), transfer_syntax(to_uid)
    rewriter = _Rewriter(data, source, target, limits)
    implicit = source.is_implicit_vr
    elements, pos = rewriter.elements(0, len(data), implicit=implicit)
    merged = dict(elements)
    plain = to_uid if not target.is_deflated else EXPLICIT_VR_LITTLE_ENDIAN
    for key, attribute in changes.items():
        tag = int(key, 16)
        if attribute is None:
            merged.pop(tag, None)
        else:
            merged[tag] = encode({key: attribute}, plain)
    if overlay:
        over = _Rewriter(overlay, target, target, limits)
        merged |= dict(over.elements(0, len(overlay), implicit=target.is_implicit_vr)[0])
    body = b"".join(merged[tag] for tag in sorted(merged))
    if pos >= len(data):
        return Rewritten(data=body)
    tag, vr, start, length = rewriter.header(pos, len(data), implicit=implicit)
    return Rewritten(data=body, pixel_tag=tag, pixel_vr=vr, value_offset=start, value_length=length)


__all__ = ["Changes", "DataSetError", "Rewritten", "rewrite"]
