"""Reads a data set as it arrives: keeps the few values that an index needs, skips the rest.

One scanner per incoming object. Fragments go in by `feed`, whatever their sizes; a value that is
not wanted is passed over by its length, so the remaining fragments of an image cost a subtraction
each. Every byte is accounted for: lengths are checked against what encloses them, and `finish`
refuses a data set that ends early, which a whole-file reader such as pydicom lets pass.

The element loops below are the hottest code of reception. They are written flat on purpose: state
lives in locals, and leaves for attributes only when a fragment is used up.
"""

from array import array
from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import Final, Literal

from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    NestingTooDeep,
    TooManyElements,
    TooManyFragments,
    TooManyItems,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.index_tags import INDEX_TAGS
from negatoscope.protocols.dicom.dataset.inflate import Inflater
from negatoscope.protocols.dicom.dataset.layout import PixelDataLayout
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS, UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.result import ScanResult
from negatoscope.protocols.dicom.dataset.vr import LONG, SEQUENCE, SHORT, UNKNOWN, header_kinds
from negatoscope.standard.tags import (
    EXTENDED_OFFSET_TABLE,
    EXTENDED_OFFSET_TABLE_LENGTHS,
    PIXEL_DATA,
    format_tag,
)
from negatoscope.standard.transfer_syntaxes import (
    ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
    transfer_syntax,
)

#: Copied at once out of a fragment that is not `bytes`, and added at once to pending bytes.
_CHUNK_BYTES: Final = 64 << 10
#: Longest basic offset table kept: a million frames.
_OFFSET_TABLE_BYTES: Final = 8 << 20
#: End of what ends by a delimiter; beyond any offset.
_FOREVER: Final = 1 << 62
#: First tags of group 0008 are above it; what is below needs a closer look.
_BELOW_DATA_SET: Final = 0x0007FFFF
#: Commands, file meta information and what PS3.5 §7.8.1 forbids; 0004 is the DICOMDIR's.
_FORBIDDEN_GROUPS: Final = frozenset({0x0000, 0x0001, 0x0002, 0x0003, 0x0005, 0x0007})
_GROUP_7FE0: Final = 0x7FE0
_GROUP_FFFE: Final = 0xFFFE
_PIXEL_GROUP_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})
_OFFSET_TABLES: Final = frozenset({EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS})

_LITTLE: Final = (Struct("<HHHH").unpack_from, Struct("<HHI").unpack_from, Struct("<I").unpack_from)
_BIG: Final = (Struct(">HHHH").unpack_from, Struct(">HHI").unpack_from, Struct(">I").unpack_from)
_KINDS_LITTLE: Final = header_kinds(little_endian=True)
_KINDS_BIG: Final = header_kinds(little_endian=False)


class _Mode(IntEnum):
    """What the next bytes are."""

    ELEMENTS = 0
    ITEMS = 1
    FRAGMENTS = 2


_ELEMENTS: Final = int(_Mode.ELEMENTS)
_ITEMS: Final = int(_Mode.ITEMS)
_FRAGMENTS: Final = int(_Mode.FRAGMENTS)


@lru_cache(maxsize=1)
def sequence_tags() -> frozenset[int]:
    """Attributes that the dictionary makes sequences, for implicit VR."""
    from negatoscope.standard._generated.tag_vrs import TAG_VRS

    return frozenset(tag for tag, vr in TAG_VRS.items() if vr == "SQ")


class DataSetScanner:
    """Incremental, bounded reader of one data set.

    Args:
        transfer_syntax_uid: Of the bytes to come; an unknown one reads as explicit VR little
            endian.
        wanted: Top-level attributes whose values are kept.
        limits: What the data set may cost.

    Raises (from `feed` and `finish`): a `DataSetError`; the scanner is of no use after it.
    """

    __slots__ = (
        "_base",
        "_capture",
        "_captured_tag",
        "_count",
        "_fed",
        "_fragment_starts",
        "_fragments",
        "_header_length",
        "_implicit",
        "_inflater",
        "_item_count",
        "_kinds",
        "_last",
        "_limit",
        "_limits",
        "_mode",
        "_need",
        "_odd",
        "_offset_table",
        "_order",
        "_pending",
        "_pixel",
        "_raw",
        "_resume",
        "_sequence_tags",
        "_skip",
        "_stack",
        "_syntax",
        "_unpack_element",
        "_unpack_item",
        "_unpack_long",
        "_wanted",
        "_warnings",
    )

    def __init__(
        self,
        transfer_syntax_uid: str,
        *,
        wanted: frozenset[int] = INDEX_TAGS,
        limits: ScanLimits = DEFAULT_LIMITS,
    ) -> None:
        syntax = transfer_syntax(transfer_syntax_uid)
        self._syntax = syntax
        self._limits = limits
        self._wanted = wanted | _OFFSET_TABLES if syntax.is_encapsulated else wanted
        self._order: Literal["little", "big"] = "little" if syntax.is_little_endian else "big"
        unpackers = _LITTLE if syntax.is_little_endian else _BIG
        self._unpack_element, self._unpack_item, self._unpack_long = unpackers
        self._kinds = _KINDS_LITTLE if syntax.is_little_endian else _KINDS_BIG
        self._implicit = syntax.is_implicit_vr
        self._sequence_tags = sequence_tags()
        self._inflater = Inflater(limits) if syntax.is_deflated else None
        self._fed = 0
        self._base = 0  # offset in the data set of pending[0], or of the next byte
        self._skip = 0  # bytes to pass over before the next header
        self._pending = bytearray()  # a header or a wanted value that is not all there
        self._need = 0  # bytes that pending must hold before another look
        self._resume = 0  # where in pending the next header is
        self._mode = _ELEMENTS
        self._limit = _FOREVER
        self._stack: list[tuple[int, int, bool]] = []  # mode, limit, implicit of what encloses
        self._count = 0
        self._item_count = 0
        self._last = _BELOW_DATA_SET
        self._odd = 0
        self._raw: dict[int, tuple[int, bytes]] = {}
        self._capture = -1  # offset of the first item of a wanted sequence that is open
        self._captured_tag = (0, 0)
        self._warnings: dict[str, None] = {}
        self._header_length = -1
        self._pixel: tuple[int, int, int, int | None] | None = None  # tag, VR, offset, length
        self._fragments = array("Q")
        self._fragment_starts = array("I")
        self._offset_table: bytes | None = None

    def has_passed(self, tag: int) -> bool:
        """Whether a top-level tag cannot come any more (when tags ascend)."""
        return self._last > tag

    def value_so_far(self, tag: int) -> bytes | None:
        """A wanted value as sent, before the data set is complete; None when it has not come."""
        found = self._raw.get(tag)
        return found[1] if found is not None else None

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the data set; they may be reused by the caller afterwards."""
        length = len(data)
        self._fed += length
        if self._inflater is not None:
            for piece in self._inflater.feed(data):
                self._pass_over(piece)
        else:
            self._pass_over(data)

    def _pass_over(self, data: bytes | memoryview) -> None:
        length = len(data)
        if length <= self._skip:
            self._skip -= length
            self._base += length
        else:
            self._take(data)

    def finish(self) -> ScanResult:
        """The data set is complete.

        Raises:
            TruncatedDataSet: it is not.
        """
        inflater = self._inflater
        if inflater is not None:
            if not inflater.is_complete:
                raise TruncatedDataSet("the deflate stream has no end", offset=inflater.inflated)
            if inflater.has_trailer:
                self._warn("bytes follow the end of the deflate stream")
        position = self._base + self._resume
        if self._skip:
            raise TruncatedDataSet(
                f"{self._skip} bytes are missing of the value after tag {format_tag(self._last)}",
                offset=position,
            )
        while self._stack and self._limit <= position:
            self._mode, self._limit, self._implicit = self._stack.pop()
        if self._pending and not self._stack and not any(self._pending):
            self._warn("zero bytes follow the last element")
        elif self._pending or self._stack:
            raise TruncatedDataSet(
                f"the data set ends inside or after tag {format_tag(self._last)}", offset=position
            )
        if self._capture >= 0:
            self._end_capture(b"", position, position)
        if self._odd & 1:
            self._warn("a value has an odd length")
        length = inflater.inflated if inflater is not None else self._fed
        pixel_data = self._layout()
        return ScanResult(
            transfer_syntax=self._syntax,
            raw=self._raw,
            length=self._fed,
            inflated_length=length,
            element_count=self._count,
            item_count=self._item_count,
            header_length=length if self._header_length < 0 else self._header_length,
            pixel_data=pixel_data,
            warnings=list(self._warnings),
        )

    def _layout(self) -> PixelDataLayout | None:
        if self._pixel is None:
            return None
        syntax = self._syntax
        is_compressed = (
            syntax.is_encapsulated
            and syntax.uid in TRANSFER_SYNTAXES
            and syntax.uid != ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN
        )
        tag, vr, offset, length = self._pixel
        if length is not None and tag == PIXEL_DATA and is_compressed:
            self._warn("compressed pixel data is not encapsulated")
        tables = [self._raw.pop(table, None) for table in sorted(_OFFSET_TABLES)]
        return PixelDataLayout(
            tag=tag,
            vr=vr.to_bytes(2, self._order).decode("ascii") if vr else "OW",
            value_offset=offset,
            value_length=length,
            is_compressed=is_compressed,
            fragments=self._fragments,
            fragment_starts=self._fragment_starts,
            basic_offset_table=self._offset_table or b"",
            extended_offset_table=tables[0][1] if tables[0] else b"",
            extended_offset_table_lengths=tables[1][1] if tables[1] else b"",
        )

    def _warn(self, text: str) -> None:
        if len(self._warnings) < 100:
            self._warnings[text] = None

    def _take(self, data: bytes | memoryview) -> None:
        if self._skip:
            data = memoryview(data)[self._skip :]
            self._base += self._skip
            self._skip = 0
        pending = self._pending
        while True:
            if pending:
                room = max(self._need - len(pending), _CHUNK_BYTES)
                view = memoryview(data)
                pending += view[:room]
                data = view[room:]
                if len(pending) < self._need:
                    return
                position = self._run(pending, self._resume)
                end = len(pending)
            else:
                if type(data) is bytes:
                    piece, data = data, b""
                else:
                    piece, data = bytes(data[:_CHUNK_BYTES]), data[_CHUNK_BYTES:]
                position = self._run(piece, 0)
                end = len(piece)
            keep = position
            if self._capture >= 0:
                keep = min(position, self._capture - self._base)
                if max(position, end) - keep > self._limits.sequence_bytes:
                    self._oversized(self._captured_tag[0])
                    self._capture = -1
                    keep = position
            if keep < end:
                if pending:
                    del pending[:keep]
                else:
                    pending += piece[keep:]
                self._base += keep
                self._resume = position - keep
                self._need -= keep
            else:
                pending.clear()
                self._resume = 0
                self._base += end
                skip = keep - end
                if skip:
                    length = len(data)
                    if length <= skip:
                        self._skip = skip - length
                        self._base += length
                        return
                    data = data[skip:]
                    self._base += skip
            if not data:
                return

    def _oversized(self, tag: int) -> None:
        self._warn(f"{format_tag(tag)} is longer than an index keeps")

    def _end_capture(self, buf: bytes | bytearray, start: int, end: int) -> None:
        """The wanted sequence that was open is closed: keep its items."""
        tag, vr = self._captured_tag
        self._capture = -1
        if end - start > self._limits.sequence_bytes:
            self._oversized(tag)
        else:
            self._raw[tag] = (vr, bytes(buf[start:end]))

    def _out_of_order(self, tag: int, last: int, offset: int) -> None:
        """A top-level tag that is not above its predecessor (PS3.5 §7.1)."""
        if tag >> 16 in _FORBIDDEN_GROUPS:
            raise BadElement("a data set holds no element of this group", offset=offset, tag=tag)
        if last != _BELOW_DATA_SET:
            self._warn("tags are not in ascending order")

    def _unknown_vr(self, vr: int, reserved: int, tag: int, offset: int) -> int:
        """Header kind of a VR that PS3.5 does not list.

        Two capital letters may be a VR of a later edition: its length has 32 bits (PS3.5 §7.1.2),
        unless what should be reserved says that it was written with 16. Anything else is no
        explicit VR at all.
        """
        letters = vr.to_bytes(2, self._order)
        if not (letters.isalpha() and letters.isupper()):
            raise BadElement("no value representation where one is due", offset=offset, tag=tag)
        self._warn(f"{format_tag(tag)} has an unknown value representation")
        return SHORT if reserved else LONG

    def _run(self, buf: bytes | bytearray, pos: int) -> int:
        """Read what can be read of `buf`, from `pos` on.

        Returns: where the next header, or the start of a wanted value's element, is; it may lie
        beyond the end, when a value is to be skipped. `_need` is what `buf` would have to hold
        for more to be read.
        """
        base = self._base
        end = len(buf)
        is_bytes = type(buf) is bytes
        wanted = self._wanted
        kinds = self._kinds
        unpack_element = self._unpack_element
        unpack_item = self._unpack_item
        unpack_long = self._unpack_long
        sequences = self._sequence_tags
        raw = self._raw
        stack = self._stack
        limits = self._limits
        max_count = limits.elements
        max_value = limits.value_bytes
        mode = self._mode
        limit = self._limit - base
        implicit = self._implicit
        count = self._count
        last = self._last
        odd = self._odd
        need = 0
        while True:
            if pos > end and self._capture >= 0:
                need = pos
                break
            while pos >= limit:
                mode, limit, implicit = stack.pop()
                limit -= base
                if not stack and self._capture >= 0:
                    self._end_capture(buf, self._capture - base, pos)
            if mode == _ELEMENTS:
                root = not stack
                while pos + 8 <= end:
                    if implicit:
                        group, element, n = unpack_item(buf, pos)
                        tag = group << 16 | element
                        vr = 0
                        kind = SHORT
                        start = pos + 8
                        if n == UNDEFINED_LENGTH or tag in sequences:
                            kind = SEQUENCE
                        elif group >= _GROUP_7FE0:
                            kind = LONG
                    else:
                        group, element, vr, n = unpack_element(buf, pos)
                        tag = group << 16 | element
                        kind = kinds.get(vr, 0)
                        start = pos + 8
                        if group == _GROUP_FFFE:
                            kind = 0
                        elif kind != SHORT:
                            if kind == 0:
                                kind = self._unknown_vr(vr, n, tag, base + pos)
                            if kind != SHORT:
                                start = pos + 12
                                if start > end:
                                    need = start
                                    break
                                (n,) = unpack_long(buf, pos + 8)
                    after = start + n
                    count += 1
                    if count > max_count:
                        raise TooManyElements(f"more than {max_count} elements", offset=base + pos)
                    if kind != SHORT:
                        break
                    odd |= n
                    if root:
                        if tag <= last:
                            self._out_of_order(tag, last, base + pos)
                        last = tag
                        if tag in wanted:
                            if after > end and n <= max_value:
                                count -= 1
                                last -= 1
                                need = after
                                break
                            if n > max_value:
                                self._oversized(tag)
                            elif is_bytes:
                                raw[tag] = (vr, buf[start:after])  # type: ignore[assignment]
                            else:
                                raw[tag] = (vr, bytes(buf[start:after]))
                    elif group in _FORBIDDEN_GROUPS:
                        raise BadElement(
                            "a data set holds no element of this group", offset=base + pos, tag=tag
                        )
                    pos = after
                    if after >= limit:
                        if after > limit:
                            raise BadElement(
                                "the value is longer than the item around it",
                                offset=base + pos,
                                tag=tag,
                            )
                        break
                else:
                    need = pos + 8
                    break
                if need:
                    break
                if pos == limit:
                    continue
                # A header that the loop above leaves: delimiter, sequence, long value, pixels.
                if group == _GROUP_FFFE:
                    count -= 1
                    if element != 0xE00D or not stack:
                        raise BadElement("a delimiter out of place", offset=base + pos, tag=tag)
                    if limit < _FOREVER >> 1:
                        if pos + 8 != limit:
                            raise BadElement("an item ends before its length", offset=base + pos)
                        self._warn("an item of known length ends by a delimiter")
                    pos += 8
                    mode, limit, implicit = stack.pop()
                    limit -= base
                    continue
                if root:
                    if tag <= last:
                        self._out_of_order(tag, last, base + pos)
                    last = tag
                    if group == _GROUP_7FE0 and self._header_length < 0:
                        self._header_length = base + pos
                    if tag in _PIXEL_GROUP_TAGS and self._pixel is None:
                        length = None if n == UNDEFINED_LENGTH else n
                        self._pixel = (tag, vr, base + start, length)
                elif group in _FORBIDDEN_GROUPS:
                    raise BadElement(
                        "a data set holds no element of this group", offset=base + pos, tag=tag
                    )
                if n == UNDEFINED_LENGTH:
                    if tag == PIXEL_DATA:
                        if implicit:
                            raise BadElement(
                                "implicit VR has no fragments", offset=base + pos, tag=tag
                            )
                        stack.append((mode, limit + base, implicit))
                        mode, limit, pos = _FRAGMENTS, _FOREVER, start
                        continue
                    if kind not in {SEQUENCE, UNKNOWN}:
                        raise BadElement(
                            "undefined length of what is no sequence", offset=base + pos, tag=tag
                        )
                elif after > limit:
                    raise BadElement(
                        "the value is longer than the item around it", offset=base + pos, tag=tag
                    )
                if kind == SEQUENCE or n == UNDEFINED_LENGTH:
                    if len(stack) >> 1 >= limits.depth:
                        raise NestingTooDeep(
                            f"more than {limits.depth} sequences in one another",
                            offset=base + pos,
                        )
                    if root and tag in wanted:
                        self._capture = base + start
                        self._captured_tag = (tag, vr)
                    stack.append((mode, limit + base, implicit))
                    mode = _ITEMS
                    limit = _FOREVER if n == UNDEFINED_LENGTH else after
                    implicit = implicit or kind == UNKNOWN
                    pos = start
                    continue
                odd |= n
                if root and tag in wanted:
                    most = _OFFSET_TABLE_BYTES if tag in _OFFSET_TABLES else max_value
                    if n > most:
                        self._oversized(tag)
                    elif after > end:
                        count -= 1
                        last -= 1
                        need = after
                        break
                    else:
                        raw[tag] = (vr, bytes(buf[start:after]))
                pos = after
            elif mode == _ITEMS:
                if pos + 8 > end:
                    need = pos + 8
                    break
                group, element, n = unpack_item(buf, pos)
                if group != _GROUP_FFFE or element not in {0xE000, 0xE0DD}:
                    raise BadElement("no item where one is due", offset=base + pos)
                if element == 0xE0DD:
                    if limit < _FOREVER >> 1:
                        if pos + 8 != limit:
                            raise BadElement("a sequence ends before its length", offset=base + pos)
                        self._warn("a sequence of known length ends by a delimiter")
                    mode, limit, implicit = stack.pop()
                    limit -= base
                    if not stack and self._capture >= 0:
                        self._end_capture(buf, self._capture - base, pos)
                    pos += 8
                    continue
                self._item_count += 1
                if self._item_count > limits.items:
                    raise TooManyItems(
                        f"more than {limits.items} sequence items", offset=base + pos
                    )
                pos += 8
                stack.append((mode, limit + base, implicit))
                mode = _ELEMENTS
                if n == UNDEFINED_LENGTH:
                    limit = _FOREVER
                else:
                    if pos + n > limit:
                        raise BadElement(
                            "the item is longer than the sequence around it", offset=base + pos
                        )
                    limit = pos + n
            else:
                # Fragments of encapsulated pixel data (PS3.5 §A.4); those of an icon are passed.
                at_root = len(stack) == 1
                fragments = self._fragments
                while pos + 8 <= end:
                    group, element, n = unpack_item(buf, pos)
                    if group != _GROUP_FFFE or element != 0xE000 or n == UNDEFINED_LENGTH:
                        break
                    if at_root:
                        if self._offset_table is None:
                            if n > _OFFSET_TABLE_BYTES:
                                self._warn("the basic offset table is longer than any use")
                                self._offset_table = b""
                            elif pos + 8 + n > end:
                                need = pos + 8 + n
                                break
                            else:
                                self._offset_table = bytes(buf[pos + 8 : pos + 8 + n])
                        else:
                            if len(fragments) >> 1 >= limits.fragments:
                                raise TooManyFragments(
                                    f"more than {limits.fragments} fragments", offset=base + pos
                                )
                            if n >= 4 and pos + 12 > end:
                                need = pos + 12
                                break
                            fragments.append(base + pos + 8)
                            fragments.append(n)
                            self._fragment_starts.append(
                                int.from_bytes(buf[pos + 8 : pos + 12], "big") if n >= 4 else 0
                            )
                    pos += 8 + n
                else:
                    need = pos + 8
                    break
                if need:
                    break
                if group != _GROUP_FFFE or element != 0xE0DD:
                    raise BadElement("no fragment where one is due", offset=base + pos)
                pos += 8
                mode, limit, implicit = stack.pop()
                limit -= base
        self._mode = mode
        self._limit = limit + base
        self._implicit = implicit
        self._count = count
        self._last = last
        self._odd = odd
        self._need = need
        return pos
