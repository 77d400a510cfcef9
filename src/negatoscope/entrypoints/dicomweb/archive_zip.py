"""A ZIP archive of Part 10 files as a stream (APPNOTE.TXT 6.3): stored, never compressed.

Sizes are known before the first byte, checksums are not: each file is followed by a data
descriptor. Zip64 is used where a size, an offset or the count needs it. Length and bytes come from
the same layout, so that Content-Length can be announced. Of files that are made on the way, the
size is not known either: they are Zip64, and no length is announced.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from negatoscope.domain.archive.stored import StoredInstance

_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<IHHHHIIH")
_END64: Final = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64: Final = struct.Struct("<IIQI")
_DESCRIPTOR: Final = struct.Struct("<IIII")
_DESCRIPTOR64: Final = struct.Struct("<IIQQ")
_FLAGS: Final = 0x0808  # data descriptor, names in UTF-8
_DOS_DATE: Final = 0x21  # 1980-01-01: the archive of a study is the same tomorrow
_LIMIT: Final = 0xFFFFFFFF
_MAX_COUNT: Final = 0xFFFF
_UNSAFE: Final = re.compile(r"[^0-9.]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive.

    Attributes:
        name: With its folders.
        size: 0 as long as it is not known.
        is_made: On the way: its size is that of what came.
    """

    name: bytes
    size: int
    is_made: bool = False

    @property
    def is_long(self) -> bool:
        """Its size needs Zip64, or may need it."""
        return self.is_made or self.size >= _LIMIT

    @property
    def length(self) -> int:
        """Bytes of local header, file and data descriptor."""
        extra, descriptor = (20, _DESCRIPTOR64.size) if self.is_long else (0, _DESCRIPTOR.size)
        return _LOCAL.size + len(self.name) + extra + self.size + descriptor

    def local_header(self) -> bytes:
        """What stands before the file."""
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if self.is_long else b""
        size = _LIMIT if self.is_long else 0
        head = _LOCAL.pack(
            0x04034B50, 45 if self.is_long else 20, _FLAGS, 0, 0, _DOS_DATE, 0, size, size,
            len(self.name), len(extra),
        )  # fmt: skip
        return head + self.name + extra

    def descriptor(self, crc: int) -> bytes:
        """What stands after the file."""
        if self.is_long:
            return _DESCRIPTOR64.pack(0x08074B50, crc, self.size, self.size)
        return _DESCRIPTOR.pack(0x08074B50, crc, self.size, self.size)

    def central_header(self, crc: int, offset: int) -> bytes:
        """What the directory says of the file."""
        numbers = [self.size, self.size] if self.is_long else []
        if offset >= _LIMIT:
            numbers.append(offset)
        extra = (
            struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
        )
        size = _LIMIT if self.is_long else self.size
        head = _CENTRAL.pack(
            0x02014B50, 45, 45 if numbers else 20, _FLAGS, 0, 0, _DOS_DATE, crc, size, size,
            len(self.name), len(extra), 0, 0, 0, 0, min(offset, _LIMIT),
        )  # fmt: skip
        return head + self.name + extra


def entry_name(stored: StoredInstance) -> bytes:
    """``{study}/{series}/{instance}.dcm``: digits and dots, whatever an object calls itself."""
    uids = (stored.study_instance_uid, stored.series_instance_uid, stored.sop_instance_uid)
    parts = [_UNSAFE.sub("_", uid).strip(".") or "_" for uid in uids]
    return f"{parts[0]}/{parts[1]}/{parts[2]}.dcm".encode("ascii")


def archive_length(entries: Sequence[Entry]) -> int:
    """Bytes of the whole archive."""
    offset = directory = 0
    for entry in entries:
        directory += len(entry.central_header(0, offset))
        offset += entry.length
    return offset + directory + len(_end(len(entries), offset, directory))


def archive(entries: Sequence[Entry], content: Callable[[int], Iterator[bytes]]) -> Iterator[bytes]:
    """The bytes of the archive.

    Args:
        entries: In order.
        content: Opens the file of an entry by its number, from 0.
    """
    offset = 0
    directory: list[bytes] = []
    for number, entry in enumerate(entries):
        yield entry.local_header()
        crc = size = 0
        for chunk in content(number):
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            yield chunk
        if entry.is_made:
            entry = replace(entry, size=size)
        yield entry.descriptor(crc)
        directory.append(entry.central_header(crc, offset))
        offset += entry.length
    yield from directory
    yield _end(len(entries), offset, sum(map(len, directory)))


def _end(count: int, offset: int, length: int) -> bytes:
    """End of central directory, with its Zip64 companion where needed."""
    end = b""
    if count > _MAX_COUNT - 1 or offset >= _LIMIT or length >= _LIMIT:
        end = _END64.pack(0x06064B50, 44, 45, 45, 0, 0, count, count, length, offset)
        end += _LOCATOR64.pack(0x07064B50, 0, offset + length, 1)
    return end + _END.pack(
        0x06054B50, 0, 0, min(count, _MAX_COUNT), min(count, _MAX_COUNT), min(length, _LIMIT),
        min(offset, _LIMIT), 0,
    )  # fmt: skip
