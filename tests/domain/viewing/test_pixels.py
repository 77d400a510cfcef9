"""Pixels through the sandbox: the same samples as without, and errors that say why."""

import numpy as np
import pytest

from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.infra.settings import CodecSettings
from negatoscope.protocols.dicom.pixel.codecs import decode_frame, encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import (
    CorruptFrame,
    NotEncodable,
    UnsupportedTransferSyntax,
)
from negatoscope.standard import transfer_syntaxes as ts

CT = PixelDescription(rows=64, columns=48, bits_stored=12, high_bit=11, pixel_representation=1)
SAMPLES = (np.arange(64 * 48).reshape(64, 48) - 1500).astype("i2")


@pytest.fixture(scope="module")
def pixels():
    service = PixelService.open(CodecSettings(processes=1))
    yield service
    service.close()


def test_a_frame_comes_back_as_it_was(pixels):
    """Type, shape and values of a signed image of twelve bits."""
    coded = encode_frame(SAMPLES, CT, ts.JPEG_LS_LOSSLESS)
    frame = pixels.decode(coded, CT, ts.JPEG_LS_LOSSLESS)
    assert frame.samples.dtype == "i2"
    assert np.array_equal(frame.samples, SAMPLES)


def test_a_frame_is_transcoded(pixels):
    """JPEG 2000 to RLE without loss."""
    coded = encode_frame(SAMPLES, CT, ts.JPEG_2000_LOSSLESS)
    data, decoded_as = pixels.transcode(coded, CT, ts.JPEG_2000_LOSSLESS, ts.RLE_LOSSLESS)
    assert decoded_as == "MONOCHROME2"
    assert np.array_equal(decode_frame(data, CT, ts.RLE_LOSSLESS).samples, SAMPLES)


def test_errors_keep_their_kind(pixels):
    """Over the process border."""
    with pytest.raises(CorruptFrame, match="start-of-image"):
        pixels.decode(b"nonsense", CT, ts.JPEG_BASELINE_8BIT)
    with pytest.raises(UnsupportedTransferSyntax, match="JPIP"):
        pixels.decode(b"", CT, ts.JPIP_REFERENCED)
    native = encode_frame(SAMPLES, CT, ts.EXPLICIT_VR_LITTLE_ENDIAN)
    with pytest.raises(NotEncodable):
        pixels.transcode(native, CT, ts.EXPLICIT_VR_LITTLE_ENDIAN, ts.JPEG_BASELINE_8BIT)


def test_a_stopped_worker_is_a_corrupt_frame():
    """What crosses a limit costs its frame, with the reason."""
    service = PixelService.open(CodecSettings(processes=1, output_bytes=1 << 20))
    with pytest.raises(CorruptFrame, match="output"):
        large = PixelDescription(rows=1024, columns=1024)
        service.decode(bytes(2 << 20), large, ts.EXPLICIT_VR_LITTLE_ENDIAN)
    service.close()
