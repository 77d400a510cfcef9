"""Frames of an object as byte ranges of its Part 10 file."""

import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from negatoscope.domain.archive.errors import FrameNotFound, FramesUnavailable, ObjectCorrupt
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.record import FRAGMENTED
from negatoscope.domain.archive.stored import StoredInstance

_INDEX_MAX_BYTES = 64 << 20
_ITEM = struct.Struct("<HHI")
MAX_LISTED = 1 << 20
"""Frames that one call lists: attributes may say of a few bytes that they are billions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRange:
    """One frame.

    The bytes of the range are the frame when ``bit_length`` is ``None``; else ``read_frame`` puts
    it together.

    Attributes:
        number: From 1.
        offset: Of its first byte, from the start of the Part 10 file.
        length: Bytes that hold it.
        bit_offset: Bits of the first byte that belong to the frame before. Frames of one bit per
            pixel follow each other without padding (PS3.5 §8.1.1), so that a frame may start and
            end inside a byte.
        bit_length: Bits of the frame when it is not the whole range.
        fragments: Offset and length of each fragment of a frame that has several.
    """

    number: int
    offset: int
    length: int
    bit_offset: int = 0
    bit_length: int | None = None
    fragments: tuple[tuple[int, int], ...] = ()

    @property
    def is_contiguous(self) -> bool:
        """Whether the bytes of the range are the frame."""
        return self.bit_length is None

    @property
    def size(self) -> int:
        """Bytes of the frame put together."""
        return self.length if self.bit_length is None else (self.bit_length + 7) // 8


def frame_ranges(
    stored: StoredInstance,
    numbers: Sequence[int],
    index: "array[int] | None",
    *,
    fragments: Callable[[int, int], tuple[tuple[int, int], ...]],
) -> list[FrameRange]:
    """Where frames lie.

    Args:
        stored: The object.
        numbers: Frame numbers, from 1.
        index: Offset and length by turns, one pair per frame, of an encapsulated object.
        fragments: Finds the fragments in a range that holds several.
    Raises:
        FrameNotFound: a number outside 1 … number of frames.
        FramesUnavailable: no pixel data, or none that can be cut into frames.
        ObjectCorrupt: a frame passes the end of the object.
    """
    uid = stored.sop_instance_uid
    if stored.pixel_offset is None or not stored.number_of_frames:
        raise FramesUnavailable(uid, "no pixel data that can be cut into frames")
    if len(numbers) > MAX_LISTED:
        raise FramesUnavailable(uid, f"more than {MAX_LISTED} frames at once")
    for number in numbers:
        if not 1 <= number <= stored.number_of_frames:
            raise FrameNotFound(uid, number, stored.number_of_frames)
    if index is not None:
        if len(index) < 2 * stored.number_of_frames:
            raise FramesUnavailable(uid, "fewer fragments than frames")
        ranges = [
            _encapsulated(number, index[2 * number - 2], index[2 * number - 1], fragments)
            for number in numbers
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


def _encapsulated(
    number: int,
    offset: int,
    length: int,
    fragments: Callable[[int, int], tuple[tuple[int, int], ...]],
) -> FrameRange:
    if not length & FRAGMENTED:
        return FrameRange(number=number, offset=offset, length=length)
    length ^= FRAGMENTED
    found = fragments(offset, length)
    return FrameRange(
        number=number,
        offset=offset,
        length=length,
        bit_length=8 * sum(size for _, size in found),
        fragments=found,
    )


def find_fragments(member: Member, offset: int, length: int) -> tuple[tuple[int, int], ...]:
    """Offset and length of each fragment in a range of the frame index.

    Args:
        member: The object.
        offset: Of the first fragment's value; its item header lies before it.
        length: To the end of the last fragment.
    Raises:
        ObjectCorrupt: items do not follow each other there.
    """
    found = []
    at, end = offset - _ITEM.size, offset + length
    while at < end:
        group, element, size = _ITEM.unpack(member.read(at, _ITEM.size))
        at += _ITEM.size
        if (group, element) != (0xFFFE, 0xE000) or at + size > end:
            raise ObjectCorrupt(member.stored.sop_instance_uid, f"no fragment at byte {at}")
        found.append((at, size))
        at += size
    return tuple(found)


def video_stream(member: Member) -> FrameRange:
    """The one code stream of a video, whatever its Number of Frames (PS3.5 §8.2.5).

    Raises:
        FramesUnavailable: no encapsulated pixel data.
        ObjectCorrupt: items do not follow each other there.
    """
    stored = member.stored
    uid = stored.sop_instance_uid
    at = start = stored.pixel_offset if stored.pixel_offset is not None else stored.size
    while at + _ITEM.size <= stored.size:
        group, element, size = _ITEM.unpack(member.read(at, _ITEM.size))
        if (group, element) != (0xFFFE, 0xE000):
            break
        at += _ITEM.size + size
    if at == start:
        raise FramesUnavailable(uid, "no encapsulated pixel data")
    if at > stored.size:
        raise ObjectCorrupt(uid, "its video passes the end of the object")
    first = start + _ITEM.size
    found = find_fragments(member, first, at - first)[1:]
    if len(found) == 1:
        return FrameRange(number=1, offset=found[0][0], length=found[0][1])
    return FrameRange(
        number=1,
        offset=first,
        length=at - first,
        bit_length=8 * sum(size for _, size in found),
        fragments=found,
    )


def read_frame(member: Member, frame: FrameRange) -> bytes:
    """The frame's bytes: fragments joined, a packed frame shifted to start with a byte.

    Of a packed frame, the first pixel is in the least significant bit of the first byte (PS3.5 §8.1.1), the last
    byte is padded with zeros.
    """
    if frame.fragments:
        return b"".join(member.read(offset, length) for offset, length in frame.fragments)
    data = member.read(frame.offset, frame.length)
    if frame.bit_length is None:
        return data
    value = int.from_bytes(data, "little") >> frame.bit_offset & ((1 << frame.bit_length) - 1)
    return value.to_bytes((frame.bit_length + 7) // 8, "little")


def frame_chunks(
    member: Member, frame: FrameRange, start: int = 0, stop: int | None = None
) -> Iterator[bytes]:
    """The frame's bytes from ``start`` to ``stop``, in pieces of bounded size where it is contiguous."""
    end = frame.size if stop is None else stop
    if frame.is_contiguous:
        yield from member.chunks(frame.offset + start, frame.offset + end)
    elif frame.fragments:
        at = 0
        for offset, length in frame.fragments:
            first, last = max(start - at, 0), min(end - at, length)
            if first < last:
                yield from member.chunks(offset + first, offset + last)
            at += length
    else:
        yield read_frame(member, frame)[start:end]


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
