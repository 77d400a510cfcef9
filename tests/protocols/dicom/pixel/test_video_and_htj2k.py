"""Video pictures, and HTJ2K as other decoders see it."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.protocols.dicom.pixel.codecs import (
    count_pictures,
    decode_frame,
    decode_picture,
    decode_pictures,
    encode_frame,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, EndOfVideo, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS, PixelLimits
from negatoscope.standard import transfer_syntaxes as ts
from videos import number_in, numbered_video


@pytest.mark.parametrize("name", ["mpeg2_mpml", "h264_hp41", "hevc_main51"])
def test_pictures_of_a_video(shared_data, name):
    """Each by its number, in RGB; none beyond the last."""
    source = FileSource(shared_data / "video" / f"{name}.dcm")
    description = PixelDescription.of(source.attributes)
    stream = source.frame(1)
    first = decode_picture(stream, description, 1, limits=DEFAULT_LIMITS)
    later = decode_picture(stream, description, 40, limits=DEFAULT_LIMITS)
    assert first.photometric_interpretation == "RGB"
    assert first.samples.shape == later.samples.shape == description.shape
    assert first.samples.std() > 10
    assert not np.array_equal(first.samples, later.samples)
    with pytest.raises(EndOfVideo, match="ends before") as end:
        decode_picture(stream, description, 500, limits=DEFAULT_LIMITS)
    assert end.value.count == count_pictures(stream, limits=DEFAULT_LIMITS)
    with pytest.raises(PixelLimitExceeded):
        decode_picture(stream, description, 40, limits=PixelLimits(video_frames=30))
    with pytest.raises(PixelLimitExceeded):
        decode_picture(stream, description, 40, limits=PixelLimits(video_packets=30))


NUMBERED = PixelDescription(
    rows=64, columns=160, samples_per_pixel=3, bits_allocated=8, bits_stored=8, high_bit=7,
    photometric_interpretation="YBR_PARTIAL_420",
)  # fmt: skip


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"),
        ("mpegts", "libx264"),
        ("h264", "libx264"),
        ("mpeg", "mpeg2video"),
        ("mpegts", "mpeg2video"),
        ("mpeg2video", "mpeg2video"),
        ("mp4", "libx265"),
        ("hevc", "libx265"),
    ],
)
def test_the_picture_with_that_number(container, codec):
    """Around key pictures, before those that are decoded later than they are shown, at both ends."""
    stream = numbered_video(container, codec, 250)
    assert count_pictures(stream, limits=DEFAULT_LIMITS) == 250
    wanted = (1, 2, 29, 30, 31, 32, 33, 120, 121, 249, 250)
    for number in wanted:
        frame = decode_picture(stream, NUMBERED, number, limits=DEFAULT_LIMITS)
        assert number_in(frame.samples) == number
    several = decode_pictures(stream, NUMBERED, wanted, limits=DEFAULT_LIMITS)
    assert [number_in(frame.samples) for frame in several] == list(wanted)


def test_a_late_picture_costs_what_lies_after_its_key_picture():
    """Not what lies before it."""
    stream = numbered_video("mp4", "libx264", 250)
    frame = decode_picture(stream, NUMBERED, 250, limits=PixelLimits(video_frames=31))
    assert number_in(frame.samples) == 250
    with pytest.raises(PixelLimitExceeded):
        decode_picture(
            numbered_video("h264", "libx264", 250), NUMBERED, 250, limits=PixelLimits(video_frames=31)
        )  # fmt: skip


@pytest.mark.parametrize("container", ["mp4", "mpegts"])
def test_a_video_whose_bytes_were_damaged(container):
    """A picture, or a reason."""
    stream = bytearray(numbered_video(container, "libx264", 100))
    chance = np.random.default_rng(7)
    for _ in range(40):
        damaged = bytearray(stream)
        for at in chance.integers(0, len(stream), 30):
            damaged[at] ^= 0xFF
        for number in (1, 60):
            with suppress(CorruptFrame, PixelLimitExceeded):
                frame = decode_picture(damaged, NUMBERED, number, limits=DEFAULT_LIMITS)
                assert frame.samples.shape == NUMBERED.shape


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"",
        bytes(1000),
    ],
)
def test_what_is_no_video_is_not_opened(data):
    """Playlists name other files: they are no video here."""
    description = PixelDescription(
        rows=16, columns=16, samples_per_pixel=3, bits_allocated=8, bits_stored=8, high_bit=7,
        photometric_interpretation="YBR_PARTIAL_420",
    )  # fmt: skip
    with pytest.raises(CorruptFrame):
        decode_frame(data, description, ts.MPEG4_HP41)


@pytest.mark.parametrize("uid", [ts.HTJ2K_LOSSLESS, ts.HTJ2K_LOSSLESS_RPCL])
@pytest.mark.parametrize("signed", [0, 1])
def test_htj2k_as_openjpeg_reads_it(uid, signed):
    """RPCL with TLM markers, smallest resolution at most 64, equal in an independent decoder."""
    description = PixelDescription(rows=300, columns=500, pixel_representation=signed)
    samples = np.random.default_rng(2).normal(0 if signed else 2000, 300, (300, 500))
    samples = samples.astype("i2" if signed else "u2")
    coded = encode_frame(samples, description, uid)
    assert np.array_equal(imagecodecs.jpeg2k_decode(coded), samples)
    assert b"\xff\x55" in coded[:400]
    cod = coded.index(b"\xff\x52")
    assert coded[cod + 5] == 2
    assert 300 >> coded[cod + 9] <= 64


@pytest.mark.skipif(shutil.which("opj_decompress") is None, reason="OpenJPEG is not installed")
@pytest.mark.parametrize("bits", [8, 16])
def test_irreversible_htj2k_is_clipped_to_its_range(tmp_path: Path, bits: int) -> None:
    """Black beside white: what the wavelet brings beyond the range is its end, as OpenJPEG says."""
    top = (1 << bits) - 1
    samples = np.zeros((96, 96), "u1" if bits == 8 else "u2")
    samples[::7] = top
    samples[40:60, 20:70] = top
    coded = imagecodecs.htj2k_encode(samples, reversible=False, level=0.02)
    description = PixelDescription(
        rows=96,
        columns=96,
        bits_allocated=8 if bits == 8 else 16,
        bits_stored=bits,
        high_bit=bits - 1,
    )
    found = decode_frame(coded, description, ts.HTJ2K).samples
    given, out = tmp_path / "one.j2k", tmp_path / "one.pgm"
    given.write_bytes(coded)
    command = ["opj_decompress", "-i", str(given), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    expected = np.asarray(Image.open(out)).astype(int)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(found.astype(int) - samples).max() < top // 4
