"""Where pixel data and its frames lie in a data set."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from negatoscope.standard.tags import PIXEL_DATA

#: First four bytes of what may begin a frame: JPEG family, JPEG 2000 family, JPEG XL.
_JPEG_START = 0xFFD8
_JPEG_2000_START = 0xFF4F
_JPEG_XL_START = 0xFF0A
_BOX_START = 0x0000000C


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameIndex:
    """Byte ranges of every frame.

    Attributes:
        ranges: Offset and length of each range, in turn, in frame order; offsets from the start
            of the data set.
        first_ranges: For each frame the number of its first range, and one entry more; None when
            every frame is one range.
        frame_bits: Bits of a bit-packed native frame whose frames do not all begin at a byte
            (PS3.5 §8.2); None otherwise.
    """

    ranges: "array[int]"
    first_ranges: "array[int] | None" = None
    frame_bits: int | None = None

    def __len__(self) -> int:
        if self.first_ranges is not None:
            return len(self.first_ranges) - 1
        return len(self.ranges) // 2

    def frame(self, index: int) -> list[tuple[int, int]]:
        """Ranges `(offset, length)` of a frame, counted from 0."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        first, last = index, index + 1
        if self.first_ranges is not None:
            first, last = self.first_ranges[index], self.first_ranges[index + 1]
        ranges = self.ranges
        return [(ranges[2 * i], ranges[2 * i + 1]) for i in range(first, last)]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return (self.frame(index) for index in range(len(self)))

    def bit_offset(self, index: int) -> int:
        """Bit of the frame's first byte at which a bit-packed frame begins, 0 being the lowest."""
        return index * self.frame_bits % 8 if self.frame_bits is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelDataLayout:
    """Where the pixel data of a data set lies (PS3.5 §8, §A.4).

    Offsets count from the start of the data set, of a deflated one from its inflated start.

    Attributes:
        tag: (7FE0,0010), or (7FE0,0008), (7FE0,0009) of float and double float.
        vr: As sent; OW under implicit VR.
        value_offset: First pixel byte, or first item of an encapsulation.
        value_length: Bytes of a native value; None when encapsulated.
        is_compressed: The transfer syntax is a registered compression.
        fragments: Offset and length of each fragment's value, in turn.
        fragment_starts: First four bytes of each fragment as a big-endian number.
        basic_offset_table: Value of the first item, as sent.
        extended_offset_table: Value of (7FE0,0001), as sent.
        extended_offset_table_lengths: Value of (7FE0,0002), as sent.
    """

    tag: int
    vr: str
    value_offset: int
    value_length: int | None
    is_compressed: bool = False
    fragments: "array[int]" = field(default_factory=lambda: array("Q"))
    fragment_starts: "array[int]" = field(default_factory=lambda: array("I"))
    basic_offset_table: bytes = b""
    extended_offset_table: bytes = b""
    extended_offset_table_lengths: bytes = b""

    @property
    def is_encapsulated(self) -> bool:
        """Pixel data is a sequence of fragments."""
        return self.value_length is None

    def frame_locations(
        self,
        *,
        number_of_frames: int,
        rows: int | None,
        columns: int | None,
        samples_per_pixel: int | None,
        bits_allocated: int | None,
    ) -> FrameIndex | None:
        """Ranges of the frames; None when the data set does not tell.

        Native frames follow each other (PS3.5 §8.2), those of one bit per pixel without padding
        between them. Encapsulated ones are found by, in this order: extended offset table
        (PS3.3 §C.7.6.3.1.8), basic offset table (PS3.5 §A.4), one fragment per frame, all
        fragments being the one frame, and the fragments that begin a code stream.
        """
        if number_of_frames < 1:
            return None
        if self.value_length is not None:
            if self.is_compressed:
                # Not allowed, but met: the code stream of one frame without its encapsulation.
                whole = array("Q", (self.value_offset, self.value_length))
                return FrameIndex(ranges=whole) if number_of_frames == 1 else None
            if not (rows and columns and bits_allocated):
                return None
            return self._native(
                number_of_frames, rows * columns, samples_per_pixel or 1, bits_allocated
            )
        count = len(self.fragments) // 2
        if count < number_of_frames:
            return None
        return (
            self._by_extended_offsets(number_of_frames)
            or self._by_basic_offsets(number_of_frames)
            or self._by_counts(number_of_frames)
        )

    def _native(
        self, number_of_frames: int, pixels: int, samples: int, bits_allocated: int
    ) -> FrameIndex | None:
        length = self.value_length or 0
        bits = pixels * samples * bits_allocated
        if samples == 3 and bits_allocated == 8 and length < number_of_frames * bits // 8:
            bits = pixels * 16  # YBR_FULL_422: two bytes per pixel (PS3.3 §C.7.6.3.1.2)
        if (number_of_frames * bits + 7) // 8 > length:
            return None
        ranges = array("Q")
        for index in range(number_of_frames):
            start = index * bits
            first = start // 8
            ranges.append(self.value_offset + first)
            ranges.append((start + bits + 7) // 8 - first)
        return FrameIndex(ranges=ranges, frame_bits=bits if bits % 8 else None)

    def _item_numbers(self) -> dict[int, int]:
        """Number of the fragment whose item begins at an offset from the first fragment's item."""
        first = self.fragments[0]
        return {offset - first: i for i, offset in enumerate(self.fragments[::2])}

    def _by_extended_offsets(self, number_of_frames: int) -> FrameIndex | None:
        size = 8 * number_of_frames
        if len(self.extended_offset_table) != size or (
            len(self.extended_offset_table_lengths) != size
        ):
            return None
        numbers = self._item_numbers()
        ranges = array("Q")
        for offset, length in zip(
            _words(self.extended_offset_table, 8),
            _words(self.extended_offset_table_lengths, 8),
            strict=True,
        ):
            number = numbers.get(offset)
            if number is None or not 0 < length <= self.fragments[2 * number + 1]:
                return None
            ranges.append(self.fragments[2 * number])
            ranges.append(length)
        return FrameIndex(ranges=ranges)

    def _by_basic_offsets(self, number_of_frames: int) -> FrameIndex | None:
        if len(self.basic_offset_table) != 4 * number_of_frames:
            return None
        numbers = self._item_numbers()
        firsts = array("Q")
        for offset in _words(self.basic_offset_table, 4):
            number = numbers.get(offset)
            if number is None:
                return None
            firsts.append(number)
        firsts.append(len(self.fragments) // 2)
        if firsts[0] != 0 or any(a >= b for a, b in pairwise(firsts)):
            return None
        return self._grouped(firsts)

    def _by_counts(self, number_of_frames: int) -> FrameIndex | None:
        count = len(self.fragments) // 2
        if count == number_of_frames:
            return FrameIndex(ranges=self.fragments)
        if number_of_frames == 1:
            return self._grouped(array("Q", (0, count)))
        firsts = array("Q")
        for number, start in enumerate(self.fragment_starts):
            if start >> 16 in {_JPEG_START, _JPEG_2000_START, _JPEG_XL_START} or (
                start == _BOX_START
            ):
                firsts.append(number)
        if len(firsts) != number_of_frames or firsts[0] != 0:
            return None
        firsts.append(count)
        return self._grouped(firsts)

    def _grouped(self, firsts: "array[int]") -> FrameIndex:
        if len(firsts) - 1 == len(self.fragments) // 2:
            return FrameIndex(ranges=self.fragments)
        return FrameIndex(ranges=self.fragments, first_ranges=firsts)


def _words(raw: bytes, size: int) -> Sequence[int]:
    """Little-endian numbers; encapsulation is never big endian (PS3.5 §A.4)."""
    return [int.from_bytes(raw[i : i + size], "little") for i in range(0, len(raw), size)]


FLOAT_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009})
PIXEL_TAGS = FLOAT_PIXEL_TAGS | {PIXEL_DATA}
