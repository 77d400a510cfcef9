"""A data set element by element, as it is written: lengths, delimiters and fragments included.

For people who look at a file, and for tools that must not lose how it was written. Nothing is
kept but one frame for each sequence that is open, at most `ScanLimits.depth` of them; values are
views.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from negatoscope.protocols.dicom.dataset.charset import TextDecoder, parse_terms
from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    TooManyFragments,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS, UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.reader import (
    ITEM_END,
    ITEM_TAG,
    SEQUENCE_END,
    ElementReader,
)
from negatoscope.standard.tags import (
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    dictionary_vr,
    is_private,
    vr_for,
)
from negatoscope.standard.transfer_syntaxes import TransferSyntax


class Kind(StrEnum):
    """What is met."""

    ELEMENT = "element"
    SEQUENCE = "sequence"
    ITEM = "item"
    FRAGMENTS = "fragments"
    """Encapsulated pixel data begins."""
    FRAGMENT = "fragment"
    """The first is the Basic Offset Table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One element, item or fragment.

    Attributes:
        kind: Which.
        depth: Sequences around it.
        tag: Of the element; (FFFE,E000) of items and fragments.
        vr: As written, or of the dictionary where none is written; empty for items.
        length: Of the value in bytes; None when undefined.
        offset: Of the header in the (inflated) data set.
        number: Of an item or fragment, from 1.
        value: Of an element or fragment.
        text: Decodes the text of this data set or item.
        creator: Private Creator of a private element, None when there is none.
    """

    kind: Kind
    depth: int
    tag: int
    vr: str
    length: int | None
    offset: int
    text: TextDecoder
    number: int = 0
    value: memoryview = field(default_factory=lambda: memoryview(b""))
    creator: str | None = None


@dataclass(slots=True)
class _Level:
    """A data set or item that is open (`in_item`), or a sequence between two items."""

    end: int
    is_delimited: bool
    in_item: bool
    implicit: bool
    text: TextDecoder
    signed: bool
    creators: dict[int, str]
    count: int = 0


def walk(
    data: bytes | memoryview, syntax: TransferSyntax, *, limits: ScanLimits = DEFAULT_LIMITS
) -> Iterator[Entry]:
    """Every element of a data set in its order.

    Args:
        data: The data set, inflated.
        syntax: Of its bytes.
        limits: What it may cost.

    Raises:
        DataSetError: it cannot be read further; what was given until then stands.
    """
    view = memoryview(data)
    reader = ElementReader(view, syntax, limits)
    levels = [_Level(len(view), False, True, syntax.is_implicit_vr, TextDecoder(), False, {})]
    pos = 0
    while levels:
        level = levels[-1]
        depth = len(levels) // 2
        if pos >= level.end:
            if level.is_delimited:
                raise TruncatedDataSet("a sequence or an item has no end", offset=pos)
            levels.pop()
            continue
        if not level.in_item:
            tag, length = reader.item_header(pos, level.end)
            if tag == SEQUENCE_END:
                pos += 8
                levels.pop()
                continue
            if tag != ITEM_TAG:
                raise BadElement("no item where one is due", offset=pos)
            reader.count_item(pos)
            level.count += 1
            delimited = length == UNDEFINED_LENGTH
            end = level.end if delimited else pos + 8 + length
            if end > level.end:
                raise BadElement("the item is longer than the sequence around it", offset=pos)
            yield Entry(
                kind=Kind.ITEM, depth=depth, tag=tag, vr="", offset=pos, number=level.count,
                length=None if delimited else length, text=level.text,
            )  # fmt: skip
            levels.append(
                _Level(end, delimited, True, level.implicit, level.text, level.signed, {})
            )
            pos += 8
            continue
        if depth == 0 and pos + 8 > level.end and not any(view[pos:]):
            return
        tag, vr, start, length = reader.header(pos, level.end, implicit=level.implicit)
        if tag == ITEM_END:
            if not level.is_delimited:
                raise BadElement("a delimiter out of place", offset=pos, tag=tag)
            levels.pop()
            pos = start
            continue
        if not vr:
            vr = _implicit_vr(tag, signed=level.signed)
        opens = vr == "SQ" or length == UNDEFINED_LENGTH
        if opens and tag == PIXEL_DATA and not level.implicit:
            yield Entry(
                kind=Kind.FRAGMENTS, depth=depth, tag=tag, vr=vr, length=None, offset=pos,
                text=level.text,
            )  # fmt: skip
            for entry in _fragments(reader, view, start, level, depth):
                yield entry
                pos = entry.offset + 8 + (entry.length or 0)
            pos = max(pos, start) + 8
            continue
        if opens:
            if vr not in {"SQ", "UN"}:
                raise BadElement("undefined length of what is no sequence", offset=pos, tag=tag)
            reader.enter(pos, depth)
            delimited = length == UNDEFINED_LENGTH
            end = level.end if delimited else start + length
            if end > level.end:
                raise TruncatedDataSet("a sequence is longer than what holds it", offset=pos)
            yield Entry(
                kind=Kind.SEQUENCE, depth=depth, tag=tag, vr=vr, offset=pos,
                length=None if delimited else length, text=level.text,
                creator=_creator(tag, level),
            )  # fmt: skip
            implicit = level.implicit or vr == "UN"
            levels.append(_Level(end, delimited, False, implicit, level.text, level.signed, {}))
            pos = start
            continue
        after = start + length
        if after > level.end:
            raise TruncatedDataSet(
                f"the value has {level.end - start} of {length} bytes", offset=pos, tag=tag
            )
        value = view[start:after]
        if tag == SPECIFIC_CHARACTER_SET:
            level.text = TextDecoder(parse_terms(bytes(value[:1024])))
        elif tag == PIXEL_REPRESENTATION:
            level.signed = bytes(value) in {b"\x01\x00", b"\x00\x01"}
        elif is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF:
            name = level.text.decode(bytes(value[:128])).strip("\0 ")
            level.creators[tag >> 16 << 8 | tag & 0xFF] = name
        yield Entry(
            kind=Kind.ELEMENT, depth=depth, tag=tag, vr=vr, length=length, offset=pos,
            text=level.text, value=value, creator=_creator(tag, level),
        )  # fmt: skip
        pos = after


def _creator(tag: int, level: _Level) -> str | None:
    """PS3.5 §7.8.1: (gggg,00bb) owns (gggg,bb00) to (gggg,bbFF)."""
    if not is_private(tag) or tag & 0xFFFF < 0x1000:
        return None
    return level.creators.get(tag >> 16 << 8 | (tag & 0xFFFF) >> 8)


def _implicit_vr(tag: int, *, signed: bool) -> str:
    if signed and (dictionary_vr(tag) or "").startswith("US or SS"):
        return "SS"
    return vr_for(tag)


def _fragments(
    reader: ElementReader, view: memoryview, pos: int, level: _Level, depth: int
) -> Iterator[Entry]:
    number = 0
    while True:
        tag, length = reader.item_header(pos, level.end)
        if tag == SEQUENCE_END:
            return
        if tag != ITEM_TAG or length == UNDEFINED_LENGTH:
            raise BadElement("no fragment where one is due", offset=pos)
        if pos + 8 + length > level.end:
            raise TruncatedDataSet("the data set ends inside a fragment", offset=pos)
        number += 1
        if number > reader.limits.fragments:
            raise TooManyFragments(f"more than {reader.limits.fragments} fragments", offset=pos)
        yield Entry(
            kind=Kind.FRAGMENT, depth=depth + 1, tag=tag, vr="", length=length, offset=pos,
            number=number, value=view[pos + 8 : pos + 8 + length], text=level.text,
        )  # fmt: skip
        pos += 8 + length
