"""Pixel data elements written (PS3.5 §8, §A.4): native, or frames as items behind an offset table."""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Final

from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import NotEncodable
from negatoscope.standard.transfer_syntaxes import TransferSyntax

_ITEM: Final = Struct("<HHI")
_MAX_LENGTH: Final = 0xFFFFFFFE
_TAGS: Final = {"integer": 0x0010, "float": 0x0008, "double": 0x0009}
_VRS: Final = {"float": b"OF", "double": b"OD"}


def native_head(description: PixelDescription, syntax: TransferSyntax) -> tuple[bytes, int]:
    """The header of native pixel data and the length of its value, padding included.

    Raises:
        NotEncodable: longer than an element may be.
    """
    length = (description.frame_bits * description.number_of_frames + 7) // 8
    length += length & 1
    if length > _MAX_LENGTH:
        raise NotEncodable(f"native pixel data of {length} bytes is longer than an element may be")
    order = "<" if syntax.is_little_endian else ">"
    number = _TAGS[description.kind]
    if syntax.is_implicit_vr:
        return Struct(order + "HHI").pack(0x7FE0, number, length), length
    is_words = description.bits_allocated > 8 or description.pixel_vr == "OW"
    vr = _VRS.get(description.kind, b"OW" if is_words else b"OB")
    return Struct(order + "HH2s2xI").pack(0x7FE0, number, vr, length), length


def native_value(frames: Iterable[bytes | memoryview], bits: int, length: int) -> Iterator[bytes]:
    """The value of native pixel data.

    Args:
        frames: In order; those of one bit per pixel begin with a byte each.
        bits: Of a frame; frames that end inside a byte are joined there (PS3.5 §8.1.1).
        length: Of the value.
    """
    done = 0
    rest = rest_bits = 0
    for frame in frames:
        if bits % 8 == 0:
            piece = bytes(frame)
        else:
            rest |= int.from_bytes(frame, "little") << rest_bits
            rest_bits += bits
            whole = rest_bits // 8
            piece = (rest & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
            rest >>= 8 * whole
            rest_bits -= 8 * whole
        done += len(piece)
        yield piece
    if rest_bits:
        done += 1
        yield bytes((rest,))
    if done < length:
        yield bytes(length - done)


def encapsulated_head(lengths: Sequence[int] | None) -> bytes:
    """The header of encapsulated pixel data and its Basic Offset Table.

    Args:
        lengths: Of the frames, when all are known; else the table stays empty, as the standard
            allows, and as it must where an offset would not fit in 32 bits.
    """
    head = Struct("<HH2s2xI").pack(0x7FE0, 0x0010, b"OB", 0xFFFFFFFF)
    offsets: list[int] = []
    at = 0
    for length in lengths or ():
        offsets.append(at)
        at += 8 + length + (length & 1)
    if offsets and offsets[-1] > 0xFFFFFFFF:
        offsets = []
    table = b"".join(offset.to_bytes(4, "little") for offset in offsets)
    return head + _ITEM.pack(0xFFFE, 0xE000, len(table)) + table


def item(frame: bytes | memoryview) -> bytes:
    """One frame as one fragment, padded to an even length."""
    length = len(frame)
    odd = length & 1
    return b"".join((_ITEM.pack(0xFFFE, 0xE000, length + odd), frame, b"\x00" * odd))


SEQUENCE_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)
