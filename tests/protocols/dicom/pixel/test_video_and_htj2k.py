"""Video pictures, and HTJ2K as other decoders see it."""

import imagecodecs
import numpy as np
import pytest

from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.protocols.dicom.pixel.codecs import decode_frame, decode_picture, encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS, PixelLimits
from negatoscope.standard import transfer_syntaxes as ts


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
    with pytest.raises(CorruptFrame, match="ends before"):
        decode_picture(stream, description, 500, limits=DEFAULT_LIMITS)
    with pytest.raises(PixelLimitExceeded):
        decode_picture(stream, description, 40, limits=PixelLimits(video_frames=39))


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
