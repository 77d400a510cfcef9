"""A data set read where needed: headers of elements, never the long values between them.

A `SparseReader` asks its caller for bytes a window at a time. It finds the value that a bulk data
path names, and makes a *skeleton*: the data set with its long values left out, small enough to be
decoded in memory whatever the size of the object.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    TooManyFragments,
    TruncatedDataSet,
    ValueNotFound,
)
from negatoscope.protocols.dicom.dataset.limits import (
    DECODE_LIMITS,
    UNDEFINED_LENGTH,
    ScanLimits,
)
from negatoscope.protocols.dicom.dataset.reader import (
    ITEM_END,
    ITEM_TAG,
    SEQUENCE_END,
    ElementReader,
)
from negatoscope.protocols.dicom.dataset.vr import BULK_VRS
from negatoscope.standard.tags import (
    DOUBLE_FLOAT_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    PIXEL_DATA,
    vr_for,
)
from negatoscope.standard.transfer_syntaxes import TransferSyntax

#: Values longer than this are left out of a skeleton; what `decode` gives by URI is shorter.
ELIDED_FROM_BYTES: Final = 64 << 10
_PATH: Final = re.compile(r"[0-9A-Fa-f]{8}(?:/[1-9][0-9]{0,6}/[0-9A-Fa-f]{8}){0,32}")
_WINDOW_BYTES: Final = 64 << 10
_HEADER_BYTES: Final = 12
_PIXEL_TAGS: Final = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA})

Read = Callable[[int, int], bytes]
"""Offset and length to exactly those bytes, counted from the start of the data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where a value lies.

    Attributes:
        vr: As sent, or the dictionary's under implicit VR.
        offset: From the start of the data set.
        length: Bytes; of a sequence or of fragments with undefined length, without the delimiter.
        is_encapsulated: The value is a list of fragments (PS3.5 §A.4).
    """

    tag: int
    vr: str
    offset: int
    length: int
    is_encapsulated: bool = False


class SparseReader:
    """Walks a data set by its headers.

    Args:
        read: Gives its bytes.
        size: Of the data set.
        syntax: Of its bytes; not deflated.
        limits: What the walk may cost.
    """

    def __init__(
        self, read: Read, size: int, syntax: TransferSyntax, *, limits: ScanLimits = DECODE_LIMITS
    ) -> None:
        self._read = read
        self._size = size
        self._syntax = syntax
        self._limits = limits
        self._headers = ElementReader(b"", syntax, limits)
        self._base = 0

    def find(self, path: str) -> Located:
        """The value that a path such as `7FE00010` or `54000100/1/54001010` names.

        Raises:
            ValueNotFound: the path is none, or names nothing here.
            DataSetError: the data set cannot be read that far.
        """
        parts = parse_path(path)
        if parts is None:
            raise ValueNotFound("the path is not one of a value")
        return self._find(0, self._size, parts, implicit=self._syntax.is_implicit_vr, depth=0)

    def skeleton(self, start: int = 0, *, most_bytes: int) -> tuple[bytes, frozenset[int]]:
        """The data set from an element on, without its long values.

        Returns: the bytes, and where in them a value is left out: `decode` takes both.
        Raises:
            DataSetError: it cannot be read, or what remains passes `most_bytes`.
        """
        out = bytearray()
        elided: set[int] = set()
        pos, end = start, self._size
        while pos < end:
            if pos + 8 > end and not any(self._read(pos, end - pos)):
                break
            tag, vr, value, length = self._header(pos, end, implicit=self._syntax.is_implicit_vr)
            after = self._after(
                tag, vr, value, length, end=end, implicit=self._syntax.is_implicit_vr, depth=0
            )
            if self._is_elided(tag, vr, length, after - value):
                out += self._read(pos, value - pos)
                elided.add(len(out))
            else:
                if len(out) + after - pos > most_bytes:
                    raise TruncatedDataSet("the header is too long", offset=pos, tag=tag)
                out += self._read(pos, after - pos)
            pos = after
        return bytes(out), frozenset(elided)

    def fragments(self, pos: int, end: int) -> "list[tuple[int, int]]":
        """Offset and length of every item of encapsulated pixel data, its offset table first.

        Raises:
            DataSetError: items do not follow each other, or are too many.
        """
        found = []
        while pos + 8 <= end:
            tag, length = self._item(pos, end)
            if tag == SEQUENCE_END:
                break
            if tag != ITEM_TAG or pos + 8 + length > end:
                raise BadElement("no fragment where one is due", offset=pos)
            found.append((pos + 8, length))
            if len(found) > self._limits.fragments:
                raise TooManyFragments(f"more than {self._limits.fragments} fragments", offset=pos)
            pos += 8 + length
        return found

    def after_fragments(self, pos: int) -> int:
        """Offset after the encapsulated pixel data whose items go on at `pos`."""
        return self._end_of_fragments(pos, self._size)

    def _is_elided(self, tag: int, vr: str, length: int, stored: int) -> bool:
        if tag in _PIXEL_TAGS:
            return True
        if length == UNDEFINED_LENGTH or stored <= ELIDED_FROM_BYTES:
            return False
        return (vr or vr_for(tag)) in BULK_VRS

    def _find(
        self,
        pos: int,
        end: int,
        path: Sequence[int],
        *,
        implicit: bool,
        depth: int,
        delimited: bool = False,
    ) -> Located:
        while pos + 8 <= end:
            tag, vr, start, length = self._header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                if delimited:
                    break
                pos = start
                continue
            if tag == path[0] and len(path) > 1:
                inside = implicit or vr == "UN"
                return self._find_in_item(start, length, end, path, implicit=inside, depth=depth)
            after = self._after(tag, vr, start, length, end=end, implicit=implicit, depth=depth)
            if tag == path[0]:
                is_open = length == UNDEFINED_LENGTH
                is_sequence = (vr or vr_for(tag)) in ("SQ", "UN")
                return Located(
                    tag=tag,
                    vr=vr or vr_for(tag),
                    offset=start,
                    length=after - start - (8 if is_open else 0),
                    is_encapsulated=is_open and not is_sequence,
                )
            pos = after
        raise ValueNotFound("the data set has no such value")

    def _find_in_item(
        self,
        pos: int,
        length: int,
        end: int,
        path: Sequence[int],
        *,
        implicit: bool,
        depth: int,
    ) -> Located:
        self._headers.enter(pos, depth)
        stop = end if length == UNDEFINED_LENGTH else min(pos + length, end)
        number = 0
        while pos + 8 <= stop:
            tag, item_length = self._item(pos, stop)
            if tag != ITEM_TAG:
                break
            number += 1
            self._headers.count_item(pos)
            pos += 8
            open_ended = item_length == UNDEFINED_LENGTH
            item_end = stop if open_ended else pos + item_length
            if item_end > stop:
                raise BadElement("the item is longer than the sequence around it", offset=pos)
            if number == path[1]:
                return self._find(
                    pos,
                    item_end,
                    path[2:],
                    implicit=implicit,
                    depth=depth + 1,
                    delimited=open_ended,
                )
            pos = (
                self._after_item(pos, stop, implicit=implicit, depth=depth + 1)
                if open_ended
                else item_end
            )
        raise ValueNotFound("the data set has no such item")

    def _after(
        self, tag: int, vr: str, pos: int, length: int, *, end: int, implicit: bool, depth: int
    ) -> int:
        if length != UNDEFINED_LENGTH:
            if pos + length > end:
                raise TruncatedDataSet(
                    f"the value has {end - pos} of {length} bytes", offset=pos, tag=tag
                )
            return pos + length
        if tag == PIXEL_DATA and vr not in {"", "UN", "SQ"}:
            return self._end_of_fragments(pos, end)
        if vr not in {"", "UN", "SQ"}:
            raise BadElement("undefined length of what is no sequence", offset=pos, tag=tag)
        self._headers.enter(pos, depth)
        inside = implicit or vr == "UN"
        while pos < end:
            item_tag, item_length = self._item(pos, end)
            if item_tag == SEQUENCE_END:
                return pos + 8
            if item_tag != ITEM_TAG:
                raise BadElement("no item where one is due", offset=pos)
            self._headers.count_item(pos)
            pos += 8
            if item_length == UNDEFINED_LENGTH:
                pos = self._after_item(pos, end, implicit=inside, depth=depth + 1)
            else:
                pos += item_length
        raise TruncatedDataSet("a sequence has no end", offset=pos)

    def _after_item(self, pos: int, end: int, *, implicit: bool, depth: int) -> int:
        while pos < end:
            tag, vr, start, length = self._header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                return start
            pos = self._after(tag, vr, start, length, end=end, implicit=implicit, depth=depth)
        raise TruncatedDataSet("an item has no end", offset=pos)

    def _end_of_fragments(self, pos: int, end: int) -> int:
        count = 0
        while pos + 8 <= end:
            tag, length = self._item(pos, end)
            if tag == SEQUENCE_END:
                return pos + 8
            if tag != ITEM_TAG or length == UNDEFINED_LENGTH:
                raise BadElement("no fragment where one is due", offset=pos)
            count += 1
            if count > self._limits.fragments:
                raise TooManyFragments(f"more than {self._limits.fragments} fragments", offset=pos)
            pos += 8 + length
        raise TruncatedDataSet("the fragments have no end", offset=pos)

    def _header(self, pos: int, end: int, *, implicit: bool) -> tuple[int, str, int, int]:
        self._look(pos)
        base = self._base
        tag, vr, start, length = self._headers.header(pos - base, end - base, implicit=implicit)
        return tag, vr, start + base, length

    def _item(self, pos: int, end: int) -> tuple[int, int]:
        self._look(pos)
        return self._headers.item_header(pos - self._base, end - self._base)

    def _look(self, pos: int) -> None:
        """Have the window cover the header at `pos`."""
        headers = self._headers
        last = min(pos + _HEADER_BYTES, self._size)
        if pos < self._base or last > self._base + len(headers.data):
            headers.data = self._read(pos, min(_WINDOW_BYTES, self._size - pos))
            self._base = pos


def parse_path(path: str) -> tuple[int, ...] | None:
    """`54000100/1/54001010` as tag, item number from 1, tag; None when it is no path."""
    if _PATH.fullmatch(path) is None:
        return None
    return tuple(
        int(part) if number % 2 else int(part, 16) for number, part in enumerate(path.split("/"))
    )
