"""Frames of an object as byte ranges of its Part 10 file."""

import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from negatoscope.domain.archive.errors import FrameNotFound, FramesUnavailable, ObjectCorrupt
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.stored import StoredInstance

_INDEX_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRange:
    """One frame.

    Attributes:
        number: From 1.
        offset: Of its first byte, from the start of the Part 10 file.
        length: Bytes that hold it.
        bit_offset: Bits of the first byte that belong to the frame before. Frames of one bit per
            pixel follow each other without padding (PS3.5 §8.1.1), so that a frame may start and
            end inside a byte.
        bit_length: Bits of the frame when it does not start and end with a byte; else ``None``.
    """

    number: int
    offset: int
    length: int
    bit_offset: int = 0
    bit_length: int | None = None

    @property
    def is_byte_aligned(self) -> bool:
        """Whether the bytes of the range are the frame."""
        return self.bit_length is None


def frame_ranges(
    stored: StoredInstance, numbers: Sequence[int], index: "array[int] | None"
) -> list[FrameRange]:
    """Where frames lie.

    Args:
        stored: The object.
        numbers: Frame numbers, from 1.
        index: Offset and length by turns, one pair per frame, of an encapsulated object.
    Raises:
        FrameNotFound: a number outside 1 … number of frames.
        FramesUnavailable: no pixel data, or none that can be cut into frames.
        ObjectCorrupt: a frame passes the end of the object.
    """
    uid = stored.sop_instance_uid
    if stored.pixel_offset is None or not stored.number_of_frames:
        raise FramesUnavailable(uid, "no pixel data that can be cut into frames")
    for number in numbers:
        if not 1 <= number <= stored.number_of_frames:
            raise FrameNotFound(uid, number, stored.number_of_frames)
    if index is not None:
        if len(index) < 2 * stored.number_of_frames:
            raise FramesUnavailable(uid, "fewer fragments than frames")
        ranges = [
            FrameRange(number=n, offset=index[2 * n - 2], length=index[2 * n - 1]) for n in numbers
        ]
    elif stored.bits_allocated == 1 and stored.rows and stored.columns:
        bits = stored.rows * stored.columns
        ranges = [_packed(stored.pixel_offset, bits, number) for number in numbers]
    elif stored.frame_length:
        start, length = stored.pixel_offset, stored.frame_length
        ranges = [
            FrameRange(number=n, offset=start + (n - 1) * length, length=length) for n in numbers
        ]
    else:
        raise FramesUnavailable(uid, "the length of its frames is not known")
    for frame in ranges:
        if frame.offset + frame.length > stored.size:
            raise ObjectCorrupt(uid, f"frame {frame.number} passes the end of the object")
    return ranges


def _packed(pixel_offset: int, bits: int, number: int) -> FrameRange:
    first = (number - 1) * bits
    bit_offset = first % 8
    return FrameRange(
        number=number,
        offset=pixel_offset + first // 8,
        length=(bit_offset + bits + 7) // 8,
        bit_offset=bit_offset,
        bit_length=bits if bit_offset or bits % 8 else None,
    )


def read_frame(member: Member, frame: FrameRange) -> bytes:
    """The frame's bytes; a packed one that is not byte aligned is shifted to start with a byte.

    The first pixel is in the least significant bit of the first byte (PS3.5 §8.1.1), the last
    byte is padded with zeros.
    """
    data = member.read(frame.offset, frame.length)
    if frame.bit_length is None:
        return data
    value = int.from_bytes(data, "little") >> frame.bit_offset & ((1 << frame.bit_length) - 1)
    return value.to_bytes((frame.bit_length + 7) // 8, "little")


def unpack_frame_index(sop_instance_uid: str, packed: bytes) -> "array[int]":
    """The ``frame_index`` column: zlib of little-endian 64-bit pairs of offset and length.

    Raises:
        ObjectCorrupt: it does not inflate to whole pairs, or to too many.
    """
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(packed, _INDEX_MAX_BYTES)
    except zlib.error as error:
        raise ObjectCorrupt(sop_instance_uid, "its frame index does not inflate") from error
    if not inflate.eof or len(data) % 16:
        raise ObjectCorrupt(sop_instance_uid, "its frame index is not whole")
    index = array("Q")
    index.frombytes(data)
    if sys.byteorder == "big":
        index.byteswap()
    return index


def pack_frame_index(index: "array[int]") -> bytes:
    """The reverse of ``unpack_frame_index``."""
    copy = array("Q", index)
    if sys.byteorder == "big":
        copy.byteswap()
    return zlib.compress(copy.tobytes(), 6)
