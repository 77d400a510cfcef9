"""Where a value lies in a data set, by the path that a bulk data URI names it with."""

import re
from collections.abc import Sequence
from typing import Final

from negatoscope.protocols.dicom.dataset.errors import BadElement, TruncatedDataSet, ValueNotFound
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS, UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.reader import (
    ITEM_END,
    ITEM_TAG,
    SEQUENCE_END,
    ElementReader,
)
from negatoscope.standard.tags import PIXEL_DATA
from negatoscope.standard.transfer_syntaxes import transfer_syntax

_PATH: Final = re.compile(r"[0-9A-Fa-f]{8}(?:/[1-9][0-9]{0,6}/[0-9A-Fa-f]{8}){0,32}")


class _Locator(ElementReader):
    """Walks down one path, passing over everything else."""

    def find(
        self,
        pos: int,
        end: int,
        path: Sequence[int],
        *,
        implicit: bool,
        depth: int = 0,
        delimited: bool = False,
    ) -> tuple[int, int]:
        """Offset and length of the value that `path` names among the elements at `pos`."""
        while pos < end:
            tag, vr, start, length = self.header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                if delimited:
                    break
                pos = start
                continue
            inside = implicit or vr == "UN"
            if tag == path[0]:
                if len(path) > 1:
                    return self._find_in_item(
                        start, length, end, path, implicit=inside, depth=depth
                    )
                after = self._after(tag, vr, start, length, end=end, implicit=inside, depth=depth)
                if length == UNDEFINED_LENGTH:
                    after -= 8
                return start, after - start
            pos = self._after(tag, vr, start, length, end=end, implicit=inside, depth=depth)
        raise ValueNotFound("the data set has no such value")

    def _find_in_item(
        self, pos: int, length: int, end: int, path: Sequence[int], *, implicit: bool, depth: int
    ) -> tuple[int, int]:
        self.enter(pos, depth)
        stop = end if length == UNDEFINED_LENGTH else min(pos + length, end)
        number = 0
        while pos < stop:
            tag, item_length = self.item_header(pos, stop)
            if tag != ITEM_TAG:
                break
            number += 1
            self.count_item(pos)
            pos += 8
            open_ended = item_length == UNDEFINED_LENGTH
            item_end = stop if open_ended else pos + item_length
            if item_end > stop:
                raise BadElement("the item is longer than the sequence around it", offset=pos)
            if number == path[1]:
                return self.find(
                    pos,
                    item_end,
                    path[2:],
                    implicit=implicit,
                    depth=depth + 1,
                    delimited=open_ended,
                )
            pos = self._after_item(pos, stop, implicit, depth + 1) if open_ended else item_end
        raise ValueNotFound("the data set has no such item")

    def _after(
        self, tag: int, vr: str, pos: int, length: int, *, end: int, implicit: bool, depth: int
    ) -> int:
        """Offset after the value at `pos`."""
        if length != UNDEFINED_LENGTH:
            if pos + length > end:
                raise TruncatedDataSet(
                    f"the value has {end - pos} of {length} bytes", offset=pos, tag=tag
                )
            return pos + length
        if tag == PIXEL_DATA and vr not in {"", "UN", "SQ"}:
            return self.end_of_fragments(pos, end)
        if vr not in {"", "UN", "SQ"}:
            raise BadElement("undefined length of what is no sequence", offset=pos, tag=tag)
        self.enter(pos, depth)
        while pos < end:
            item_tag, item_length = self.item_header(pos, end)
            if item_tag == SEQUENCE_END:
                return pos + 8
            if item_tag != ITEM_TAG:
                raise BadElement("no item where one is due", offset=pos)
            self.count_item(pos)
            pos += 8
            if item_length == UNDEFINED_LENGTH:
                pos = self._after_item(pos, end, implicit, depth + 1)
            else:
                pos += item_length
        raise TruncatedDataSet("a sequence has no end", offset=pos)

    def _after_item(self, pos: int, end: int, implicit: bool, depth: int) -> int:
        """Offset after the delimiter of the item whose elements begin at `pos`."""
        while pos < end:
            tag, vr, start, length = self.header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                return start
            pos = self._after(
                tag, vr, start, length, end=end, implicit=implicit or vr == "UN", depth=depth
            )
        raise TruncatedDataSet("an item has no end", offset=pos)


def parse_path(path: str) -> tuple[int, ...] | None:
    """`54000100/1/54001010` as tag, item number from 1, tag; None when it is no path."""
    if _PATH.fullmatch(path) is None:
        return None
    return tuple(
        int(part) if number % 2 else int(part, 16) for number, part in enumerate(path.split("/"))
    )


def read_value(
    data: bytes | bytearray | memoryview,
    transfer_syntax_uid: str,
    path: str,
    *,
    limits: ScanLimits = DEFAULT_LIMITS,
) -> tuple[int, int]:
    """Offset and length of a value as sent.

    Of a sequence, and of encapsulated pixel data, they cover the items. A deflated data set is
    given inflated (`inflate`), and its offsets count in that.

    Args:
        data: The data set, at least up to the end of the value.
        transfer_syntax_uid: Of the bytes.
        path: As `decode` gives it to its `bulk_uri`.
        limits: What the search may cost.

    Raises:
        ValueNotFound: the path is none, or names nothing here.
        DataSetError: the data set cannot be read that far.
    """
    parts = parse_path(path)
    if parts is None:
        raise ValueNotFound("the path is not one of a value")
    syntax = transfer_syntax(transfer_syntax_uid)
    locator = _Locator(data, syntax, limits)
    return locator.find(0, len(data), parts, implicit=syntax.is_implicit_vr)
