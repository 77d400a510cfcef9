"""Frames: found by whatever tells where they are, refused to be guessed otherwise."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

import hostile
from negatoscope.protocols.dicom.dataset import DataSetScanner, FrameIndex, ScanResult
from negatoscope.protocols.dicom.part10 import read_file_meta
from negatoscope.standard import tags

E = hostile.element
J2K = "1.2.840.10008.1.2.4.90"


def scan(syntax: str, data: bytes) -> ScanResult:
    """Whole."""
    scanner = DataSetScanner(syntax)
    scanner.feed(data)
    return scanner.finish()


def image(*, frames: int, rows: int, columns: int, bits: int = 8, samples: int = 1) -> bytes:
    """Attributes of the image, before its pixel data."""
    return (
        E(tags.SAMPLES_PER_PIXEL, "US", struct.pack("<H", samples))
        + E(tags.NUMBER_OF_FRAMES, "IS", hostile.pad(str(frames)))
        + E(tags.ROWS, "US", struct.pack("<H", rows))
        + E(tags.COLUMNS, "US", struct.pack("<H", columns))
        + E(tags.BITS_ALLOCATED, "US", struct.pack("<H", bits))
    )


def frames_of(data: bytes, index: FrameIndex | None) -> list[bytes]:
    """Each frame's ranges joined."""
    assert index is not None
    return [b"".join(data[o : o + n] for o, n in ranges) for ranges in index]


def encapsulated(
    fragments: list[bytes], *, offsets: bytes = b"", frames: int, before: bytes = b""
) -> bytes:
    """A data set of fragments."""
    value = hostile.item(offsets) + b"".join(map(hostile.item, fragments)) + hostile.SEQUENCE_END
    return (
        image(frames=frames, rows=4, columns=4)
        + before
        + E(tags.PIXEL_DATA, "OB", value, length=hostile.UNDEFINED)
    )


def test_frames_of_the_corpus_equal_pydicoms(corpus, shared_data: Path):
    """Native and encapsulated, single and multi-frame, every syntax that is not video."""
    native = compressed = 0
    for name, syntax, data in corpus:
        if name.startswith(("dicomdir/", "video/")) or syntax == hostile.DEFLATED_LE:
            continue
        result = scan(syntax, data)
        if result.pixel_data is None or len(data) > 3_000_000:
            continue
        theirs = pydicom.dcmread(shared_data / name, force=True)
        count = result.int(tags.NUMBER_OF_FRAMES) or 1
        found = frames_of(data, result.frame_locations())
        assert len(found) == count, name
        if result.pixel_data.is_encapsulated:
            table = theirs.get("ExtendedOffsetTable")
            extended = (table, theirs.ExtendedOffsetTableLengths) if table else None
            expected = list(
                generate_frames(theirs.PixelData, number_of_frames=count, extended_offsets=extended)
            )
            assert found == expected, name
            compressed += 1
        elif not result.frame_locations().frame_bits:  # type: ignore[union-attr]
            values = theirs.get("PixelData") or theirs.get("FloatPixelData")
            values = values or theirs.get("DoubleFloatPixelData")
            joined = b"".join(found)
            assert joined == bytes(values)[: len(joined)], name
            assert len(values) - len(joined) <= (128 if "padded" in name else 1), name
            native += 1
    assert native > 150
    assert compressed > 80


def test_fragmented_frames_without_offset_table(shared_data: Path):
    """Fragments that begin a code stream begin a frame."""
    for path in sorted((shared_data / "ct-enhanced").glob("CT0012.fragmented_no_bot*")):
        raw = path.read_bytes()
        meta = read_file_meta(raw)
        data = raw[meta.data_set_offset :]
        result = scan(meta.transfer_syntax_uid, data)
        found = frames_of(data, result.frame_locations())
        assert len(found) == 2
        assert all(frame.startswith(b"\xff") for frame in found)


@pytest.mark.parametrize("bits", [1, 8, 16, 32])
def test_native_frames_follow_each_other(bits):
    """Frames of one bit per pixel do not begin at bytes (PS3.5 §8.2)."""
    total = (3 * 5 * 7 * bits + 7) // 8
    value = bytes(range(256))[: total % 256] + bytes(total - total % 256)
    data = image(frames=3, rows=5, columns=7, bits=bits) + E(
        tags.PIXEL_DATA, "OW", hostile.pad(value, b"\x00")
    )
    index = scan(hostile.EXPLICIT_LE, data).frame_locations()
    assert index is not None
    assert len(index) == 3
    if bits > 1:
        assert b"".join(frames_of(data, index)) == value
        assert index.bit_offset(2) == 0
        return
    plane = np.unpackbits(np.frombuffer(value, np.uint8), bitorder="little")
    for number, frame in enumerate(frames_of(data, index)):
        unpacked = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")
        start = index.bit_offset(number)
        assert (unpacked[start : start + 35] == plane[number * 35 : number * 35 + 35]).all()


def test_native_subsampled_colour():
    """YBR_FULL_422 has two bytes per pixel whatever Samples per Pixel says."""
    data = image(frames=2, rows=4, columns=4, samples=3) + E(tags.PIXEL_DATA, "OB", bytes(64))
    index = scan(hostile.EXPLICIT_LE, data).frame_locations()
    assert index is not None
    assert [index.frame(0)[0][1], index.frame(1)[0][1]] == [32, 32]
    with pytest.raises(IndexError):
        index.frame(2)


@pytest.mark.parametrize("tag", [0x7FE00008, 0x7FE00009])
def test_float_pixel_data(tag):
    """Float and double float pixel data are native."""
    bits = 32 if tag == 0x7FE00008 else 64
    data = image(frames=2, rows=2, columns=2, bits=bits) + E(
        tag, "OF" if bits == 32 else "OD", bytes(bits)
    )
    result = scan(hostile.EXPLICIT_LE, data)
    assert result.pixel_data is not None
    assert result.pixel_data.tag == tag
    assert len(result.frame_locations() or ()) == 2


FRAGMENTS = [b"\xff\x4f\xff\x51" + bytes([n] * (2 * n)) for n in range(1, 6)]
STARTS = [sum(len(f) + 8 for f in FRAGMENTS[:n]) for n in range(5)]


def test_extended_offset_table_goes_first():
    """Offsets and true lengths of each frame (PS3.3 §C.7.6.3.1.8)."""
    before = E(0x7FE00001, "OV", struct.pack("<5Q", *STARTS)) + E(
        0x7FE00002, "OV", struct.pack("<5Q", *[len(f) - 1 for f in FRAGMENTS])
    )
    data = encapsulated(FRAGMENTS, frames=5, before=before)
    assert frames_of(data, scan(J2K, data).frame_locations()) == [f[:-1] for f in FRAGMENTS]


def test_basic_offset_table_groups_fragments():
    """A frame runs to where the next begins."""
    offsets = struct.pack("<3I", STARTS[0], STARTS[2], STARTS[3])
    data = encapsulated(FRAGMENTS, frames=3, offsets=offsets)
    found = frames_of(data, scan(J2K, data).frame_locations())
    assert found == [FRAGMENTS[0] + FRAGMENTS[1], FRAGMENTS[2], FRAGMENTS[3] + FRAGMENTS[4]]


@pytest.mark.parametrize(
    "offsets",
    [struct.pack("<5I", *[4] * 5), struct.pack("<2I", 0, 0), b"\x00", struct.pack("<5I", *[0] * 5)],
)
def test_a_table_that_lies_is_not_followed(offsets):
    """Counts of fragments still tell when they equal those of frames."""
    data = encapsulated(FRAGMENTS, frames=5, offsets=hostile.pad(offsets, b"\x00"))
    assert frames_of(data, scan(J2K, data).frame_locations()) == FRAGMENTS


def test_one_frame_is_all_fragments_and_unclear_ones_are_not_guessed():
    """Four fragments of three frames without a mark: None."""
    data = encapsulated(FRAGMENTS, frames=1)
    assert frames_of(data, scan(J2K, data).frame_locations()) == [b"".join(FRAGMENTS)]
    marks = [FRAGMENTS[0], b"\x00\x01\x02\x03", FRAGMENTS[1], b"\x00\x01", FRAGMENTS[2]]
    data = encapsulated(marks, frames=3)
    assert frames_of(data, scan(J2K, data).frame_locations()) == [
        marks[0] + marks[1],
        marks[2] + marks[3],
        marks[4],
    ]
    data = encapsulated(marks, frames=2)
    assert scan(J2K, data).frame_locations() is None
    data = encapsulated(marks, frames=6)
    assert scan(J2K, data).frame_locations() is None


@pytest.mark.parametrize("frames", [2, 1 << 30, -3])
def test_frames_beyond_the_pixel_data_are_not_promised(frames):
    """65535 x 65535 x frames in a kilobyte has no index and costs nothing."""
    data = image(frames=frames, rows=65535, columns=65535, bits=16) + E(
        tags.PIXEL_DATA, "OW", bytes(1024)
    )
    assert scan(hostile.EXPLICIT_LE, data).frame_locations() is None


def test_compressed_pixels_without_encapsulation():
    """One frame is the whole value, with a warning; several cannot be told apart."""
    for frames, expected in ((1, [b"\xff\x4f\xff\x51"]), (2, None)):
        data = image(frames=frames, rows=1, columns=1) + E(
            tags.PIXEL_DATA, "OB", b"\xff\x4f\xff\x51"
        )
        result = scan(J2K, data)
        assert "compressed pixel data is not encapsulated" in result.warnings
        index = result.frame_locations()
        assert (None if index is None else frames_of(data, index)) == expected
