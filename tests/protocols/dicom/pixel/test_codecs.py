"""Frames there and back in every syntax that is written, of any depth and sign."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from negatoscope.protocols.dicom.pixel.codecs import (
    CODECS,
    can_encode,
    decode_frame,
    encode_frame,
    is_lossy,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import NotEncodable, PixelError
from negatoscope.protocols.dicom.pixel.transcode import described_as
from negatoscope.standard import transfer_syntaxes as ts

WRITTEN = sorted(uid for uid in CODECS if can_encode(uid))
LOSSLESS = [uid for uid in WRITTEN if not is_lossy(uid)]


@st.composite
def images(draw):
    """A description and samples that use its whole range."""
    samples = draw(st.sampled_from([1, 1, 3]))
    allocated = draw(st.sampled_from([8, 16] if samples == 3 else [1, 8, 16, 32]))
    stored = allocated if allocated == 1 else draw(st.integers(max(1, allocated // 4), allocated))
    signed = samples == 1 and allocated > 1 and stored > 1 and draw(st.booleans())
    description = PixelDescription(
        rows=draw(st.integers(1, 20)),
        columns=draw(st.integers(1, 20)),
        samples_per_pixel=samples,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1,
        pixel_representation=int(signed),
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
    )
    low, high = (
        (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    )
    seed = draw(st.integers(0, 1 << 30))
    values = np.random.default_rng(seed).integers(low, high, description.shape, endpoint=True)
    size = description.sample_bytes
    return description, values.astype(f"{'i' if signed else 'u'}{size}")


@pytest.mark.parametrize("uid", LOSSLESS)
@settings(max_examples=25, deadline=None)
@given(image=images())
def test_lossless_syntaxes_lose_nothing(uid, image):
    """What can be encoded comes back equal, in type, shape and value; the rest is refused."""
    description, samples = image
    try:
        coded = encode_frame(samples, description, uid)
    except NotEncodable:
        assert ts.transfer_syntax(uid).is_encapsulated
        assert description.bits_allocated in {1, 32} or description.bits_stored < 8
        return
    written = described_as(description, description.photometric_interpretation, uid)
    frame = decode_frame(coded, written, uid)
    assert frame.samples.dtype == samples.dtype
    assert np.array_equal(frame.samples, samples)
    assert frame.photometric_interpretation == description.photometric_interpretation


@pytest.mark.parametrize("stored", range(1, 17))
def test_jpeg_xl_takes_every_depth_in_words(stored):
    """The codec refuses eight bits in a container of sixteen: it is given bytes then."""
    uid = "1.2.840.10008.1.2.4.110"
    description = PixelDescription(
        rows=5, columns=7, bits_allocated=16, bits_stored=stored, high_bit=stored - 1
    )
    samples = np.random.default_rng(stored).integers(0, 1 << stored, (5, 7)).astype("u2")
    coded = encode_frame(samples.reshape(description.shape), description, uid)
    assert np.array_equal(decode_frame(coded, description, uid).samples.reshape(5, 7), samples)


@pytest.mark.parametrize("uid", WRITTEN)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_noise_is_refused(uid, data):
    """Any bytes are an error of ours, or of the native kind by their length."""
    description = PixelDescription(rows=16, columns=16)
    try:
        frame = decode_frame(data, description, uid)
    except PixelError as error:
        assert error.reason
    else:
        assert frame.samples.shape == (16, 16)


@pytest.mark.parametrize(
    "uid", [uid for uid in LOSSLESS if ts.transfer_syntax(uid).is_encapsulated]
)
def test_truncated_frames_are_refused(uid):
    """A code stream cut at any eighth is not painted over."""
    samples = np.random.default_rng(1).integers(0, 4096, (64, 64)).astype("u2")
    description = PixelDescription(rows=64, columns=64, bits_stored=12, high_bit=11)
    coded = encode_frame(samples, description, uid)
    for part in range(1, 8):
        with pytest.raises(PixelError):
            decode_frame(coded[: len(coded) * part // 8], description, uid)


@pytest.mark.parametrize(
    "uid", [uid for uid in LOSSLESS if ts.transfer_syntax(uid).is_encapsulated]
)
def test_trailing_bytes_change_nothing(uid):
    """Padding behind the code stream is left alone."""
    samples = np.arange(64 * 64, dtype="u2").reshape(64, 64)
    description = PixelDescription(rows=64, columns=64, bits_stored=12, high_bit=11)
    coded = encode_frame(samples, description, uid)
    tail = b"\x00" if "1.2.1.98" in uid else bytes(2)
    assert np.array_equal(decode_frame(coded + tail, description, uid).samples, samples)
