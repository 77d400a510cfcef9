"""The header of a stored instance element by element, for people who look for a cause."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.protocols.dicom.dataset import DataSetError, inflate
from negatoscope.protocols.dicom.dataset.charset import TextDecoder
from negatoscope.protocols.dicom.dataset.limits import ScanLimits
from negatoscope.protocols.dicom.dataset.showing import (
    is_private_creator,
    printable,
    private_name,
    value_text,
)
from negatoscope.protocols.dicom.dataset.vr import LONG_VRS
from negatoscope.protocols.dicom.dataset.walk import Entry, Kind, walk
from negatoscope.standard.tags import format_tag, is_private, keyword_for, name_for
from negatoscope.standard.transfer_syntaxes import transfer_syntax

MAX_ELEMENTS: Final = 20_000
MAX_BYTES: Final = 16 << 20
"""Read of an object; of a larger one what stands before its pixels, at most as much."""
VALUE_CHARACTERS: Final = 1_000
MAX_FRAGMENTS: Final = 100
"""Told of encapsulated pixel data."""
_LIMITS: Final = ScanLimits(
    elements=200_000, items=50_000, inflated_bytes=64 << 20, inflate_free_bytes=32 << 20
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One line.

    Attributes:
        kind: ``element``, ``sequence``, ``item``, ``fragments`` or ``fragment``.
        depth: How far it stands in.
        tag: ``(0010,0010)``; empty for items and fragments.
        vr: Value representation.
        length: Of the value, bytes; None when undefined.
        keyword: Of PS3.6; of a private element None.
        name: For people; of a private element as its maker published it, when it is known.
        creator: Private Creator.
        number: Of an item or fragment, from 1; 0 otherwise.
        value: As text.
        is_cut: Whether the value is longer than ``VALUE_CHARACTERS``.
    """

    kind: str
    depth: int
    tag: str
    vr: str
    length: int | None
    keyword: str | None
    name: str | None
    creator: str | None
    number: int
    value: str
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """All lines that could be read.

    Attributes:
        is_cut: Whether there is more: too many elements, or pixels of an object too long to read.
        problem: Why it cannot be read further; None when it was read to its end.
    """

    stored: StoredInstance
    elements: tuple[Element, ...]
    is_cut: bool
    problem: str | None


def read_header(retrieval: Retrieval, stored: StoredInstance) -> Header:
    """The header of an instance.

    Raises:
        RetrieveError: the object cannot be read at all.
    """
    with retrieval.open(stored) as member:
        meta = member.read(132, max(stored.data_set_offset - 132, 0))
        data, is_cut = _data(member, stored)
    elements = [_element(entry, little_endian=True) for entry in _file_meta(meta)]
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    problem: str | None = None
    fragments = 0
    try:
        if syntax.is_deflated:
            data = inflate(data, limits=_LIMITS)
        for entry in walk(data, syntax, limits=_LIMITS):
            fragments = fragments + 1 if entry.kind is Kind.FRAGMENT else 0
            if fragments > MAX_FRAGMENTS:
                is_cut = True
                continue
            if len(elements) >= MAX_ELEMENTS:
                is_cut = True
                break
            elements.append(_element(entry, little_endian=syntax.is_little_endian))
    except DataSetError as error:
        if not is_cut:
            problem = error.reason
    return Header(stored=stored, elements=tuple(elements), is_cut=is_cut, problem=problem)


def _data(member: Member, stored: StoredInstance) -> tuple[bytes, bool]:
    """The data set, or as much of it as is read; whether that is not all."""
    whole = stored.data_set_length
    if whole <= MAX_BYTES:
        return member.read(stored.data_set_offset, whole), False
    end = stored.size if stored.pixel_offset is None else stored.pixel_offset
    length = min(end - stored.data_set_offset, MAX_BYTES)
    return member.read(stored.data_set_offset, length), True


def _file_meta(meta: bytes) -> Iterator[Entry]:
    """Group 0002: explicit VR little endian in every file (PS3.10 §7.1)."""
    view, pos, text = memoryview(meta), 0, TextDecoder()
    while pos + 8 <= len(meta):
        try:
            group, number, letters, length = struct.unpack_from("<HH2sH", meta, pos)
            vr, start = letters.decode("ascii", "replace"), pos + 8
            if vr in LONG_VRS:
                (length,) = struct.unpack_from("<I", meta, start)
                start += 4
        except struct.error:
            return
        if group != 0x0002:
            return
        yield Entry(
            kind=Kind.ELEMENT, depth=0, tag=group << 16 | number, vr=vr, length=length, offset=pos,
            text=text, value=view[start : start + length],
        )  # fmt: skip
        pos = start + length


def _element(entry: Entry, *, little_endian: bool) -> Element:
    text, is_cut = "", False
    if entry.kind in {Kind.ELEMENT, Kind.FRAGMENT}:
        most = VALUE_CHARACTERS if entry.vr else 60
        text, is_cut = value_text(entry, most, little_endian=little_endian)
    has_tag = entry.kind in {Kind.ELEMENT, Kind.SEQUENCE, Kind.FRAGMENTS}
    keyword = name = None
    if has_tag:
        keyword, name = _names(entry)
    nested = entry.kind in {Kind.ITEM, Kind.FRAGMENT}
    return Element(
        kind=entry.kind,
        depth=2 * entry.depth - (1 if nested else 0),
        tag=format_tag(entry.tag) if has_tag else "",
        vr=printable(entry.vr),
        length=entry.length,
        keyword=keyword,
        name=name,
        creator=None if entry.creator is None else printable(entry.creator),
        number=entry.number,
        value=text,
        is_cut=is_cut,
    )


def _names(entry: Entry) -> tuple[str | None, str | None]:
    if not entry.tag & 0xFFFF:
        return "GroupLength", "Group Length"
    if is_private_creator(entry.tag):
        return None, "Private Creator"
    if is_private(entry.tag):
        return None, None if not entry.creator else private_name(entry.tag, entry.creator)
    return keyword_for(entry.tag), name_for(entry.tag)
