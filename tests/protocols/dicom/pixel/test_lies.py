"""Headers that lie and bombs: refused with a reason before a library sees them."""

import struct
import time
from dataclasses import replace

import numpy as np
import pytest

from negatoscope.protocols.dicom.pixel.codecs import decode_frame, encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import (
    CorruptFrame,
    InvalidDescription,
    PixelError,
    PixelLimitExceeded,
)
from negatoscope.standard import transfer_syntaxes as ts

GREY = PixelDescription(rows=32, columns=32, bits_stored=12, high_bit=11)
SAMPLES = np.arange(1024, dtype="u2").reshape(32, 32)
CODED = {
    uid: encode_frame(SAMPLES, GREY, uid)
    for uid in (
        ts.RLE_LOSSLESS,
        ts.JPEG_LOSSLESS_SV1,
        ts.JPEG_LS_LOSSLESS,
        ts.JPEG_2000_LOSSLESS,
        ts.HTJ2K_LOSSLESS_RPCL,
        ts.JPEG_XL_LOSSLESS,
    )
}


@pytest.mark.parametrize("uid", CODED)
@pytest.mark.parametrize(
    "change",
    [
        {"rows": 33},
        {"columns": 31},
        {"rows": 64, "columns": 16},
        {"samples_per_pixel": 3, "photometric_interpretation": "RGB"},
        {"bits_allocated": 8, "bits_stored": 8, "high_bit": 7},
    ],
)
def test_attributes_that_differ_from_the_code_stream(uid, change):
    """Rows, columns, components, depth."""
    if uid == ts.RLE_LOSSLESS and change == {"rows": 64, "columns": 16}:
        pytest.skip("the same number of pixels: RLE does not tell")
    with pytest.raises(CorruptFrame):
        decode_frame(CODED[uid], replace(GREY, **change), uid)


@pytest.mark.parametrize("uid", CODED)
def test_absurd_sizes_cost_nothing(uid):
    """65535 x 65535 is refused in a moment."""
    started = time.monotonic()
    with pytest.raises(PixelLimitExceeded):
        decode_frame(CODED[uid], replace(GREY, rows=65535, columns=65535), uid)
    assert time.monotonic() - started < 0.1


@pytest.mark.parametrize(
    "change",
    [
        {"bits_stored": 0},
        {"bits_allocated": 0},
        {"rows": 0},
        {"columns": 70000},
        {"high_bit": 3},
        {"bits_stored": 17},
        {"samples_per_pixel": 2},
        {"samples_per_pixel": 3},
        {"photometric_interpretation": "RGB"},
        {"photometric_interpretation": "NONSENSE"},
        {"number_of_frames": 0},
    ],
)
def test_descriptions_of_no_image(change):
    """Zero bits, more stored than allocated, a photometric interpretation that lies."""
    with pytest.raises(InvalidDescription):
        decode_frame(bytes(2048), replace(GREY, **change), ts.EXPLICIT_VR_LITTLE_ENDIAN)


def test_a_jpeg_of_many_scans():
    """80,000 scans are legal and take hours; they are counted first."""
    coded = encode_frame(
        (SAMPLES >> 4).astype("u1"),
        PixelDescription(rows=32, columns=32, bits_allocated=8, bits_stored=8, high_bit=7),
        ts.JPEG_BASELINE_8BIT,
    )
    at = coded.index(b"\xff\xda")
    bomb = coded[:at] + coded[at:-2] * 500 + b"\xff\xd9"
    description = PixelDescription(rows=32, columns=32, bits_allocated=8, bits_stored=8, high_bit=7)
    with pytest.raises(PixelLimitExceeded, match="scans"):
        decode_frame(bomb, description, ts.JPEG_BASELINE_8BIT)


def test_jpeg_2000_tiles():
    """A tile per pixel, and tiles that are not there."""
    coded = bytearray(CODED[ts.JPEG_2000_LOSSLESS])
    at = coded.index(b"\xff\x51") + 22
    struct.pack_into(">II", coded, at, 1, 1)
    with pytest.raises(PixelError):
        decode_frame(bytes(coded), GREY, ts.JPEG_2000_LOSSLESS)
    struct.pack_into(">II", coded, at, 16, 16)
    with pytest.raises(CorruptFrame, match="1 of 4 JPEG 2000 tiles"):
        decode_frame(bytes(coded), GREY, ts.JPEG_2000_LOSSLESS)


@pytest.mark.parametrize("count", [0, 1, 3, 15, 16, 0xFFFFFFFF])
def test_rle_with_a_wrong_segment_count(count):
    """Two segments are due."""
    bad = struct.pack("<I", count) + CODED[ts.RLE_LOSSLESS][4:]
    with pytest.raises(CorruptFrame, match="segments"):
        decode_frame(bad, GREY, ts.RLE_LOSSLESS)


@pytest.mark.parametrize("offset", [0, 60, 64, 1 << 31])
def test_rle_with_wrong_offsets(offset):
    """Offsets ascend inside the frame."""
    coded = bytearray(CODED[ts.RLE_LOSSLESS])
    struct.pack_into("<I", coded, 8, offset)
    with pytest.raises(CorruptFrame, match="offsets"):
        decode_frame(bytes(coded), GREY, ts.RLE_LOSSLESS)


def test_a_deflated_bomb_stops_at_the_frame():
    """No more is inflated than a frame has."""
    import zlib

    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = deflater.compress(bytes(100 << 20)) + deflater.flush()
    started = time.monotonic()
    with pytest.raises(CorruptFrame):
        decode_frame(bomb, GREY, ts.DEFLATED_IMAGE_FRAME_COMPRESSION)
    assert time.monotonic() - started < 0.2
