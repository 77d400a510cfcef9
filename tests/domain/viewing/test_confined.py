"""Every codec, every way to draw, in workers that the kernel confines."""

import numpy as np
import pytest

from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.infra.sandbox import sandbox
from negatoscope.infra.settings import CodecSettings
from negatoscope.protocols.dicom.pixel.codecs import CODECS, decode_frame, encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.standard import transfer_syntaxes as ts
from videos import COLUMNS, ROWS, number_in, numbered_video

GRAY = PixelDescription(rows=96, columns=80, bits_allocated=8, bits_stored=8, high_bit=7)
RGB = PixelDescription(
    rows=96, columns=80, samples_per_pixel=3, bits_allocated=8, bits_stored=8, high_bit=7,
    photometric_interpretation="RGB",
)  # fmt: skip
NATIVE = ts.EXPLICIT_VR_LITTLE_ENDIAN


@pytest.fixture(scope="module")
def pixels():
    sandbox._tell_unconfined.cache_clear()
    service = PixelService.open(CodecSettings(processes=1))
    yield service
    service.close()
    assert not sandbox._tell_unconfined.cache_info().currsize, "workers were not confined"


@pytest.mark.parametrize("description", [GRAY, RGB], ids=["gray", "rgb"])
@pytest.mark.parametrize("uid", [uid for uid, codec in CODECS.items() if codec.encode])
def test_encoded_and_decoded(pixels, uid, description):
    """The same as without confinement."""
    samples = np.random.default_rng(1).integers(0, 255, description.shape).astype("u1")
    native = encode_frame(samples, description, NATIVE)
    coded, _ = pixels.transcode(native, description, NATIVE, uid)
    frame = pixels.decode(coded, description, uid)
    expected = decode_frame(bytes(coded), description, uid)
    assert np.array_equal(frame.samples, expected.samples)


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "libx264"), ("mpeg", "mpeg2video"), ("mp4", "libx265")]
)
def test_videos(pixels, container, codec):
    """H.264, MPEG-2, HEVC."""
    description = PixelDescription(
        rows=ROWS, columns=COLUMNS, samples_per_pixel=3, bits_allocated=8, bits_stored=8, high_bit=7,
        photometric_interpretation="YBR_PARTIAL_420",
    )  # fmt: skip
    stream = numbered_video(container, codec, 60)
    frame = pixels.decode(stream, description, ts.MPEG4_HP41, number=41)
    assert number_in(frame.samples) == 41


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/gif", "image/jp2"])
def test_drawn(pixels, media_type):
    """With text, a profile and a window."""
    data = bytes(96 * 80)
    value, body = pixels.sandbox.run(
        "draw",
        {
            "description": {"rows": 96, "columns": 80, "bits_allocated": 8, "bits_stored": 8, "high_bit": 7},
            "transfer_syntax_uid": NATIVE,
            "number": 1,
            "data_set": {},
            "wish": {"window": None, "icc": "displayp3"},
            "state": None,
            "corners": [["Éloïse", "12"], ["CT"]],
            "media_type": media_type,
            "quality": None,
        },
        (data,),
    )  # fmt: skip
    assert value["notes"] == []
    assert len(body) > 100
