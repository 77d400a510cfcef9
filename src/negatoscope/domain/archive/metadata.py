"""Metadata of a series (PS3.18 §10.4.1.1.2): built from headers, kept beside the objects, read back.

When a study settles, one member per series is appended to its segment: two gzip streams, one
after the other.

1. The DICOM JSON array (PS3.18 Annex F), one line per instance, in instance order. Its length is
   ``series.metadata_length``: one read, sent as it is to a client that accepts gzip. Bulk data
   stand as URIs, which must name the address under which the client reaches us: the one they were
   written with is the comment of the gzip header, and is replaced when the client's is another.
2. A JSON object: SOP Instance UID → where its frames lie in the Part 10 file. ``[offset, length,
   count]`` for native pixel data; ``[[offset, length], …]`` for encapsulated.

A series that changed since has NULL there and is answered from headers, image by image.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import structlog

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.frames import unpack_frame_index
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.record import FRAGMENTED
from negatoscope.domain.archive.retrieve import Retrieval, SeriesKey
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.infra.db import load_queries
from negatoscope.infra.storage import tar
from negatoscope.kit.ulid import new_ulid
from negatoscope.protocols.dicom.dataset import (
    DataSetError,
    InflateBomb,
    SparseReader,
    TruncatedDataSet,
    decode,
)
from negatoscope.protocols.dicom.dataset.limits import UNDEFINED_LENGTH
from negatoscope.standard.transfer_syntaxes import TransferSyntax, transfer_syntax

NO_BASE = "negatoscope-bulk-data:"
"""Stands for the address of the DICOMweb service while none is known."""

HEADER_MAX_BYTES = 64 << 20
"""Read at most of a header, or of an object without pixel data."""

BULK_THRESHOLD_BYTES = 1024
"""Binary values above this are given as a URI."""

WHOLE_HEADER_BYTES = 1 << 20
"""An object without pixel data up to this size is read in one piece."""

_SQL = load_queries("negatoscope.domain.archive.sql", "metadata.sql")
_GZIP = b"\x1f\x8b\x08\x10"  # RFC 1952: deflate, with a comment
_GZIP_HEADER_BYTES = 10
_PIECE_BYTES = 64 << 10
_TEXT_BYTES = 1 << 20
_log = structlog.get_logger(__name__)

AppendMember = Callable[[str, bytes, dict[str, Any]], tuple[int, int, int]]
"""Stores a member by name, content and comment; answers segment, offset of its content, length."""


class SeriesMetadata:
    """Reads and writes the metadata of series. One per process; safe for many threads.

    Args:
        retrieval: The archive's reading side.
        base: Address of the DICOMweb service, as most clients reach it, for what is written.
    """

    def __init__(self, retrieval: Retrieval, *, base: str = NO_BASE) -> None:
        self._retrieval = retrieval
        self._base = base

    def write(self, series_id: int, append_member: AppendMember) -> bool:
        """Build the metadata of a series and keep them.

        Args:
            series_id: Our key.
            append_member: Must have made the bytes durable when it returns.
        Returns: False when there is no such series, or it changed meanwhile: the next settling
            writes them, the member appended counts as dead bytes.
        """
        database = self._retrieval.database
        with database.connection() as connection:
            row = connection.execute(_SQL["series_version"], {"series": series_id}).fetchone()
        key = self._retrieval.series_by_id(series_id)
        if row is None or key is None:
            return False
        array = _GzipArray(self._base)
        frames: dict[str, Any] = {}
        for stored in self._retrieval.of_series([key], frame_index=True):
            array.add(self.of_instance(replace(stored, identity=None), base=self._base))
            if (where := _frame_locations(stored)) is not None:
                frames[stored.sop_instance_uid] = where
        metadata = array.finish()
        offsets = zlib.compressobj(6, wbits=31)
        table = offsets.compress(orjson.dumps(frames)) + offsets.flush()
        segment, offset, length = append_member(
            f"{new_ulid()}.json.gz",
            metadata + table,
            {
                "kind": "metadata",
                "study": key.study_instance_uid,
                "series": key.series_instance_uid,
                "length": len(metadata),
            },
        )
        with database.connection() as connection:
            written = connection.execute(
                _SQL["set_metadata"],
                {
                    "series": series_id,
                    "version": row[0],
                    "segment": segment,
                    "offset": offset,
                    "length": len(metadata),
                },
            ).rowcount
            if not written:
                connection.execute(
                    _SQL["add_dead_bytes"],
                    {"segment": segment, "bytes": tar.HEADER_BYTES + length + tar.padding(length)},
                )
        return bool(written)

    def gzipped(self, key: SeriesKey, *, base: str) -> bytes | None:
        """The whole answer for one series as one gzip stream, in one read.

        Args:
            key: From ``Retrieval.series``.
            base: Address of the DICOMweb service as this client reaches it.
        Returns: ``None`` when the series is not settled, was written for another address, or its
            patient is another by now: use ``pieces``.
        """
        if key.identity is not None:
            return None
        stream = self._stream(key)
        return stream if stream is not None and _base_of(stream) == base.encode() else None

    def pieces(self, keys: Sequence[SeriesKey], *, base: str) -> Iterator[bytes]:
        """One JSON array of all instances of some series, in pieces.

        Args:
            keys: From ``Retrieval.series``.
            base: Address of the DICOMweb service, without a final ``/``.
        """
        yield b"["
        separator = b"\n"
        for key in keys:
            stream = self._stream(key)
            for piece in self._given(key, stream, base):
                yield separator + piece
                separator = b",\n"
        yield b"\n]"

    def objects(self, keys: Sequence[SeriesKey], *, base: str) -> Iterator[dict[str, Any]]:
        """The instances of some series one by one, as ``pieces`` gives them together."""
        for key in keys:
            stream = self._stream(key)
            for piece in self._given(key, stream, base):
                yield from orjson.loads(b"[" + piece + b"]")

    def of_instance(self, stored: StoredInstance, *, base: str) -> bytes:
        """The JSON object of one instance.

        An instance whose header cannot be read any more is told by its UIDs alone.
        """
        try:
            with self._retrieval.open(stored) as member:
                attributes = read_metadata(member, base=base)
        except (RetrieveError, DataSetError) as error:
            _log.warning(
                "metadata.unreadable", sop_instance_uid=stored.sop_instance_uid, error=str(error)
            )
            attributes = _identity(stored)
        if stored.identity is not None:
            attributes = stored.identity.apply(attributes)
        return orjson.dumps(attributes)

    def frame_locations(self, key: SeriesKey) -> dict[str, Any] | None:
        """The second stream: where the frames of every instance lie; ``None`` when not settled."""
        if key.metadata is None:
            return None
        segment, offset, length = key.metadata
        at = offset + length
        inflate = zlib.decompressobj(wbits=31)
        data = bytearray()
        try:
            while not inflate.eof:
                piece = self._retrieval.read_segment(segment, at, _PIECE_BYTES)
                if not piece:
                    return None
                at += len(piece)
                data += inflate.decompress(piece)
        except (OSError, zlib.error):
            return None
        found: dict[str, Any] = orjson.loads(data)
        return found

    def _given(self, key: SeriesKey, stream: bytes | None, base: str) -> Iterator[bytes]:
        if stream is None:
            yield from self._built(key, base)
            return
        for piece in _lines(stream, base.encode()):
            if key.identity is None:
                yield piece
                continue
            written = orjson.loads(b"[" + piece + b"]")
            yield b",\n".join(orjson.dumps(key.identity.apply(one)) for one in written)

    def _built(self, key: SeriesKey, base: str) -> Iterator[bytes]:
        for stored in self._retrieval.of_series([key]):
            yield self.of_instance(stored, base=base)

    def _stream(self, key: SeriesKey) -> bytes | None:
        """The first stream, ``None`` when there is none or compaction has just moved it."""
        if key.metadata is None:
            return None
        try:
            stream = self._retrieval.read_segment(*key.metadata)
        except OSError as error:
            _log.warning("metadata.member_unreadable", series=key.id, error=error.strerror)
            return None
        whole = len(stream) == key.metadata[2] and stream.startswith(_GZIP)
        return stream if whole else None


def read_metadata(member: Member, *, base: str) -> dict[str, Any]:
    """The attributes of an open object as DICOM JSON; long values by their URI.

    What comes after the pixel data is there too: the object is read up to them and from their end
    on. Of an object without pixel data the long values are passed over likewise.

    Args:
        member: The object.
        base: Address of the DICOMweb service, for bulk data URIs.
    Raises:
        RetrieveError: it cannot be read.
        DataSetError: its header cannot be parsed.
    """
    stored = member.stored
    prefix = (
        f"{base}/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
        f"/instances/{stored.sop_instance_uid}/bulkdata/"
    )
    data, elided = _header_of(member)

    def read(*, stop_before_pixels: bool) -> dict[str, Any]:
        attributes: dict[str, Any] = decode(
            data,
            stored.transfer_syntax_uid,
            stop_before_pixels=stop_before_pixels,
            bulk_threshold=BULK_THRESHOLD_BYTES,
            bulk_uri=lambda path: prefix + path,
            elided=elided,
        )
        return attributes

    if not transfer_syntax(stored.transfer_syntax_uid).is_deflated:
        return read(stop_before_pixels=False)
    try:
        return read(stop_before_pixels=False)
    except (TruncatedDataSet, InflateBomb):  # longer than is inflated for its header
        return read(stop_before_pixels=True)


def _header_of(member: Member) -> tuple[bytes, frozenset[int]]:
    """The bytes to decode, and where in them a value is left out."""
    stored = member.stored
    start, size = stored.data_set_offset, stored.data_set_length
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    pixels = stored.pixel_offset
    if syntax.is_deflated:
        return member.read(start, min(size, HEADER_MAX_BYTES)), frozenset()
    reader = SparseReader(lambda at, length: member.read(start + at, length), size, syntax)
    if pixels is None or pixels - start > HEADER_MAX_BYTES:
        if pixels is None and size <= WHOLE_HEADER_BYTES:
            return member.read(start, size), frozenset()
        return reader.skeleton(most_bytes=HEADER_MAX_BYTES)
    head = member.read(start, pixels - start)
    try:
        after = _after_pixels(reader, head, stored, syntax)
        if after >= size:
            return head, frozenset((len(head),))
        tail, elided = reader.skeleton(after, most_bytes=HEADER_MAX_BYTES)
    except (DataSetError, RetrieveError) as error:
        _log.warning(
            "metadata.tail_unreadable", sop_instance_uid=stored.sop_instance_uid, error=str(error)
        )
        return head, frozenset((len(head),))
    moved = {len(head) + at for at in elided}
    return head + tail, frozenset((len(head), *moved))


def _after_pixels(
    reader: SparseReader, head: bytes, stored: StoredInstance, syntax: TransferSyntax
) -> int:
    """Offset in the data set of what follows the pixel data, whose header ends ``head``."""
    length = int.from_bytes(head[-4:], "little" if syntax.is_little_endian else "big")
    if length != UNDEFINED_LENGTH:
        return len(head) + length
    at = len(head)
    if stored.frame_index is not None:
        index = unpack_frame_index(stored.sop_instance_uid, stored.frame_index)
        if len(index) >= 2:
            at = max(at, index[-2] + (index[-1] & ~FRAGMENTED) - stored.data_set_offset)
    return reader.after_fragments(at)


class _GzipArray:
    """A JSON array written line by line into one gzip stream (RFC 1952)."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._deflate = zlib.compressobj(6, wbits=-15)
        self._out = bytearray()
        self._crc = 0
        self._length = 0
        self._separator = b"[\n"

    def add(self, line: bytes) -> None:
        """One more instance."""
        self._write(self._separator + line)
        self._separator = b",\n"

    def finish(self) -> bytes:
        """The whole stream."""
        self._write(b"[\n]" if self._length == 0 else b"\n]")
        header = _GZIP + struct.pack("<IBB", 0, 0, 255) + self._base.encode("latin-1") + b"\0"
        trailer = struct.pack("<II", self._crc, self._length & 0xFFFFFFFF)
        return b"".join((header, self._out, self._deflate.flush(), trailer))

    def _write(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._out += self._deflate.compress(data)


def _base_of(stream: bytes) -> bytes:
    """The address a stream was written with."""
    return stream[_GZIP_HEADER_BYTES : stream.index(b"\0", _GZIP_HEADER_BYTES)]


def _lines(stream: bytes, base: bytes) -> Iterator[bytes]:
    """The entries of a stored array in pieces of whole lines, commas between, none at the end."""
    written = _base_of(stream)

    def served(text: bytes) -> bytes:
        return text if written == base else text.replace(written, base)

    rest = b""
    skip = len(b"[\n")
    for piece in _inflated(stream):
        rest += piece
        skipped = min(skip, len(rest))
        rest, skip = rest[skipped:], skip - skipped
        text, separator, after = rest.rpartition(b",\n")
        if separator:
            rest = after
            yield served(text)
    last = rest.removesuffix(b"\n]").removesuffix(b"]")
    if last:
        yield served(last)


def _inflated(stream: bytes) -> Iterator[bytes]:
    """A gzip stream unpacked, in pieces of at most ``_TEXT_BYTES``."""
    inflate = zlib.decompressobj(wbits=31)
    view = memoryview(stream)
    for at in range(0, len(view), _PIECE_BYTES):
        data: bytes | memoryview = view[at : at + _PIECE_BYTES]
        while data:
            yield inflate.decompress(data, _TEXT_BYTES)
            data = inflate.unconsumed_tail
    yield inflate.flush()


def _frame_locations(stored: StoredInstance) -> list[Any] | None:
    if stored.pixel_offset is None or not stored.number_of_frames:
        return None
    if stored.frame_index is not None:
        index = unpack_frame_index(stored.sop_instance_uid, stored.frame_index)
        return [[index[at], index[at + 1] & ~FRAGMENTED] for at in range(0, len(index), 2)]
    if stored.frame_length is None:
        return None
    return [stored.pixel_offset, stored.frame_length, stored.number_of_frames]


def _identity(stored: StoredInstance) -> dict[str, Any]:
    """What the index knows, as DICOM JSON."""
    return {
        "00080016": {"vr": "UI", "Value": [stored.sop_class_uid]},
        "00080018": {"vr": "UI", "Value": [stored.sop_instance_uid]},
        "0020000D": {"vr": "UI", "Value": [stored.study_instance_uid]},
        "0020000E": {"vr": "UI", "Value": [stored.series_instance_uid]},
    } | (
        {}
        if stored.instance_number is None
        else {"00200013": {"vr": "IS", "Value": [stored.instance_number]}}
    )
