"""Bulk data of stored objects (PS3.18 §10.4.1.1.5): long values, found by path, read in pieces.

A value is a list of ranges of the Part 10 file, so that one of any length costs the memory of a
chunk. Words of big-endian objects are swapped on the way: bulk data are little endian (PS3.18
§8.7.3.1). Of a deflated object the data set is inflated in memory, within the decoder's limits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from negatoscope.domain.archive.reading import CHUNK_BYTES, Member
from negatoscope.protocols.dicom.dataset import DataSetError, Located, SparseReader, inflate
from negatoscope.protocols.dicom.dataset.vr import NUMBERS, WORD_BYTES
from negatoscope.standard.tags import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, PIXEL_DATA
from negatoscope.standard.transfer_syntaxes import transfer_syntax

PIXEL_PATHS = frozenset(
    f"{tag:08X}" for tag in (FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA, PIXEL_DATA)
)
"""Bulk data paths of an image's own pixel data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkData:
    """A value.

    Attributes:
        path: Such as ``7FE00010`` or ``54000100/1/54001010``.
        length: Bytes.
        ranges: Offset and length in the Part 10 file, one after the other; empty when ``data``.
        data: The value, of a deflated object.
        word_bytes: To be swapped in words of so many bytes; 1 when as stored.
        is_encapsulated: The ranges are fragments (PS3.5 §A.4), the offset table left out.
    """

    path: str
    length: int
    ranges: tuple[tuple[int, int], ...] = ()
    data: bytes | None = None
    word_bytes: int = 1
    is_encapsulated: bool = False

    def chunks(self, member: Member, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` to ``stop``, in pieces of about ``CHUNK_BYTES``.

        Raises:
            RetrieveError: the object cannot be read.
        """
        stop = self.length if stop is None else min(stop, self.length)
        if self.data is not None:
            yield self.data[start:stop]
        elif self.word_bytes > 1:
            yield from self._swapped(member, start, stop)
        else:
            yield from self._stored(member, start, stop)

    def _stored(self, member: Member, start: int, stop: int) -> Iterator[bytes]:
        passed = 0
        for offset, length in self.ranges:
            first, last = max(start - passed, 0), min(stop - passed, length)
            if first < last:
                yield from member.chunks(offset + first, offset + last)
            passed += length
            if passed >= stop:
                return

    def _swapped(self, member: Member, start: int, stop: int) -> Iterator[bytes]:
        word = self.word_bytes
        ((offset, length),) = self.ranges
        whole = length - length % word
        for at in range(start - start % word, stop, CHUNK_BYTES):
            end = min(at + CHUNK_BYTES, length)
            raw = bytearray(member.read(offset + at, end - at))
            swap = min(len(raw), max(whole - at, 0))
            original = bytes(raw[:swap])
            for n in range(word):
                raw[n:swap:word] = original[word - 1 - n :: word]
            yield bytes(raw[max(start - at, 0) : stop - at])


def find_bulk_data(member: Member, path: str) -> BulkData | None:
    """The value that a bulk data URI of the metadata names.

    Args:
        member: The object, open.
        path: Such as ``7FE00010`` or ``54000100/1/54001010``.
    Returns: ``None`` when there is no such value.
    Raises:
        RetrieveError: the object cannot be read.
    """
    stored = member.stored
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    start, size = stored.data_set_offset, stored.data_set_length
    try:
        if syntax.is_deflated:
            inflated = inflate(member.read(start, size))
            reader = SparseReader(
                lambda at, length: inflated[at : at + length], len(inflated), syntax
            )
            found = reader.find(path)
            value = inflated[found.offset : found.offset + found.length]
            return BulkData(path=path, length=len(value), data=value)
        reader = SparseReader(lambda at, length: member.read(start + at, length), size, syntax)
        found = reader.find(path)
        return _bulk_data(reader, found, path, start, is_little_endian=syntax.is_little_endian)
    except DataSetError:
        return None


def _bulk_data(
    reader: SparseReader, found: Located, path: str, start: int, *, is_little_endian: bool
) -> BulkData:
    if found.is_encapsulated:
        fragments = reader.fragments(found.offset, found.offset + found.length)[1:]
        return BulkData(
            path=path,
            length=sum(length for _, length in fragments),
            ranges=tuple((start + offset, length) for offset, length in fragments),
            is_encapsulated=True,
        )
    word = 1
    if not is_little_endian:
        word = WORD_BYTES.get(found.vr) or NUMBERS.get(found.vr, (1, ""))[0]
    return BulkData(
        path=path,
        length=found.length,
        ranges=((start + found.offset, found.length),),
        word_bytes=word,
    )


def bulk_data_uris(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Every BulkDataURI of an instance's metadata, at all depths, in order of tags."""
    for key in sorted(attributes):
        attribute = attributes[key]
        uri = attribute.get("BulkDataURI")
        if uri is not None:
            yield uri
        elif attribute.get("vr") == "SQ":
            for item in attribute.get("Value", ()):
                yield from bulk_data_uris(item)
