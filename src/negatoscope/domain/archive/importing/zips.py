"""Reading zip archives that may be hostile: bounded count, size and ratio, nothing extracted.

Members are streamed into the archive and their names are never made into paths, so a name with
``..`` can do no harm; it is refused all the same, because no honest medium has one.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZIP_MAGIC = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_MAX_COMMENT_BYTES = 65_535


class ZipRefused(Exception):
    """A zip archive, or one member, that is not read. The text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipLimits:
    """What a zip archive may ask of us.

    Attributes:
        max_members: of one archive.
        max_ratio: inflated to deflated bytes of one member, beyond ``ratio_floor_bytes``.
        max_member_bytes: of one inflated member.
    """

    max_members: int = 500_000
    max_ratio: int = 200
    ratio_floor_bytes: int = 1 << 20
    max_member_bytes: int = 16 << 30


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a zip archive."""
    return head.startswith(ZIP_MAGIC)


def open_zip(path: Path, limits: ZipLimits) -> zipfile.ZipFile:
    """Open a zip archive whose directory is of a size we are ready to hold.

    Raises: ZipRefused: damaged, or too many members.
    """
    with path.open("rb") as file:
        count, directory_bytes = _directory_size(file)
    if count > limits.max_members or directory_bytes > limits.max_members * 512:
        raise ZipRefused(f"the archive has {count} members, more than {limits.max_members}")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ZipRefused(f"the zip archive cannot be read: {error}") from error
    if len(archive.infolist()) > limits.max_members:
        archive.close()
        raise ZipRefused(f"the archive has more than {limits.max_members} members")
    return archive


def _directory_size(file: BinaryIO) -> tuple[int, int]:
    """Members and bytes of the central directory, as the end record claims (APPNOTE 4.3.16)."""
    size = file.seek(0, 2)
    tail_bytes = min(size, _END.size + _MAX_COMMENT_BYTES)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise ZipRefused("the zip archive has no directory: it is cut short")
    *_, count, directory_bytes, _offset, _comment = _END.unpack_from(tail, at)
    locator = at - _END_64_LOCATOR.size
    if (count == 0xFFFF or directory_bytes == 0xFFFFFFFF) and locator >= 0:
        magic, _disk, offset, _disks = _END_64_LOCATOR.unpack_from(tail, locator)
        if magic == b"PK\x06\x07":
            file.seek(offset)
            record = file.read(_END_64.size)
            if len(record) == _END_64.size and record.startswith(b"PK\x06\x06"):
                *_, count, directory_bytes, _start = _END_64.unpack(record)
    if directory_bytes > size:
        raise ZipRefused("the zip archive has a directory larger than itself")
    return int(count), int(directory_bytes)


def check_member(member: zipfile.ZipInfo, limits: ZipLimits) -> None:
    """Refuse a member by what the directory says of it.

    Raises: ZipRefused.
    """
    parts = member.filename.replace("\\", "/").split("/")
    if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in parts[0]:
        raise ZipRefused("the member's name leaves the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ZipRefused("the member is a symbolic link")
    if member.flag_bits & 0x1:
        raise ZipRefused("the member is encrypted")
    if member.file_size > limits.max_member_bytes:
        raise ZipRefused(f"the member is larger than {limits.max_member_bytes} bytes")
    if member.file_size > limits.ratio_floor_bytes and (
        member.file_size > max(1, member.compress_size) * limits.max_ratio
    ):
        raise ZipRefused(f"the member inflates more than {limits.max_ratio} times")


def member_chunks(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, chunk_bytes: int
) -> Iterator[bytes]:
    """The inflated bytes; at most as many as the directory claimed, in bounded pieces.

    Raises: ZipRefused: damaged, encrypted, or longer than it claimed.
    """
    left = member.file_size
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(min(chunk_bytes, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise ZipRefused("the member is longer than the archive's directory says")
                yield chunk
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise ZipRefused(f"the member cannot be read: {error}") from error
