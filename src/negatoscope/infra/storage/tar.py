"""Members of a segment: POSIX pax headers (IEEE 1003.1-2001 §pax) written last, read back strictly.

Each member takes three 512-byte header blocks before its content::

    block 0   ustar header, typeflag 'x': an extended header follows
    block 1   pax records: ``comment=<JSON>`` and, for 8 GiB and more, ``size=<bytes>``
    block 2   ustar header, typeflag '0': name, size, time of the member
    content, padded with NUL to a multiple of 512

The blocks are left as zeros (a hole that reads as the end of the archive) until the content is complete; writing them is
what makes the member exist. ``comment`` is ignored by every tar; it carries what the index needs to be rebuilt.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

BLOCK = 512
HEADER_BYTES = 3 * BLOCK
END_OF_ARCHIVE = bytes(2 * BLOCK)
_USTAR_SIZE_LIMIT = 8 << 30
_NAME = re.compile(r"^[A-Za-z0-9._/-]{1,90}$")


class BadHeader(ValueError):
    """The block is not a header that this module wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberHeader:
    """One member as its headers tell it.

    Attributes:
        name: Member name, ours.
        size: Content length, bytes.
        mtime_s: Seconds since 1970.
        comment: What the index needs; JSON object.
    """

    name: str
    size: int
    mtime_s: int
    comment: dict[str, Any]


def padding(size: int) -> int:
    """Bytes of NUL after a content of ``size`` bytes."""
    return -size % BLOCK


_MODE_AND_OWNER = b"0000444\x000000000\x000000000\x00"
_MAGIC = b"ustar\x0000"
_REST = bytes(100) + _MAGIC + bytes(BLOCK - 265)
_CONSTANT_SUM = sum(_MODE_AND_OWNER) + sum(_MAGIC) + 8 * 0x20


def _ustar(name: bytes, size: int, mtime_s: int, typeflag: bytes) -> bytes:
    numbers = b"%011o\0%011o\0" % (size if size < _USTAR_SIZE_LIMIT else 0, mtime_s)
    checksum = _CONSTANT_SUM + sum(name) + sum(numbers) + typeflag[0]
    return b"%b%b%b%06o\0 %b%b" % (
        name.ljust(100, b"\0"), _MODE_AND_OWNER, numbers, checksum, typeflag, _REST,
    )  # fmt: skip


def _pax_record(keyword: bytes, value: bytes) -> bytes:
    body = b" " + keyword + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def encode_header(header: MemberHeader) -> bytes:
    """The three blocks of one member.

    Raises: ValueError: the name is not one of ours, or the comment is over one block.
    """
    if not _NAME.match(header.name):
        raise ValueError(f"not a member name: {header.name!r}")
    records = _pax_record(b"comment", orjson.dumps(header.comment))
    if header.size >= _USTAR_SIZE_LIMIT:
        records += _pax_record(b"size", str(header.size).encode())
    if len(records) > BLOCK:
        raise ValueError("comment of a member is longer than one block")
    name = header.name.encode("ascii")
    return (
        _ustar(b"pax/" + name, len(records), header.mtime_s, b"x")
        + records.ljust(BLOCK, b"\0")
        + _ustar(name, header.size, header.mtime_s, b"0")
    )


def _check_ustar(block: bytes, typeflag: bytes) -> None:
    if block[257:263] != b"ustar\0" or block[156:157] != typeflag:
        raise BadHeader("no ustar header")
    try:
        checksum = int(block[148:154], 8)
    except ValueError:
        raise BadHeader("checksum is not a number") from None
    if checksum != sum(block[:148]) + 8 * 0x20 + sum(block[156:]):
        raise BadHeader("checksum differs")


def decode_header(blocks: bytes) -> MemberHeader | None:
    """Read the three blocks of a member.

    Returns: None at the end of the archive (a block of zeros or fewer bytes than a header).
    Raises: BadHeader: anything else that ``encode_header`` does not write.
    """
    if len(blocks) < HEADER_BYTES or not any(blocks[:BLOCK]):
        return None
    pax, records, member = blocks[:BLOCK], blocks[BLOCK : 2 * BLOCK], blocks[2 * BLOCK :]
    _check_ustar(pax, b"x")
    _check_ustar(member, b"0")
    try:
        fields = _decode_pax(records[: int(pax[124:135], 8)])
        size = int(fields[b"size"]) if b"size" in fields else int(member[124:135], 8)
        comment = orjson.loads(fields[b"comment"])
        name = member[:100].rstrip(b"\0").decode("ascii")
        mtime_s = int(member[136:147], 8)
    except (ValueError, KeyError) as error:
        raise BadHeader(f"extended header: {error}") from None
    if not isinstance(comment, dict) or not _NAME.match(name):
        raise BadHeader("extended header: not ours")
    return MemberHeader(name=name, size=size, mtime_s=mtime_s, comment=comment)


def _decode_pax(records: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    position = 0
    while position < len(records):
        space = records.index(b" ", position)
        length = int(records[position:space])
        record = records[space + 1 : position + length]
        if length <= 0 or not record.endswith(b"\n"):
            raise ValueError("broken record")
        keyword, _, value = record[:-1].partition(b"=")
        fields[keyword] = value
        position += length
    return fields
