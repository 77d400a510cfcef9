"""Retrieve in a transfer syntax that is not the stored one, read by a stranger (pydicom)."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

from negatoscope.protocols.dicom.pixel.codecs import decode_frame, encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.standard import transfer_syntaxes as ts

CT = PixelDescription(
    rows=32, columns=24, bits_stored=12, high_bit=11, pixel_representation=1, number_of_frames=3
)
FRAMES = (np.arange(3 * 32 * 24).reshape(3, 32, 24) - 1000).astype("i2")
OCTETS = 'multipart/related; type="application/octet-stream"'


@pytest.fixture
def stored(served, helpers):
    """A multi-frame object in JPEG 2000, and its address."""
    one = helpers.make_ct(1)
    one.Rows, one.Columns, one.NumberOfFrames = 32, 24, 3
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 1
    one.add_new(0x00091010, "UN", b"private ")
    frames = [encode_frame(frame, CT, ts.JPEG_2000_LOSSLESS) for frame in FRAMES]
    one.PixelData = encapsulate(frames)
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    one.file_meta.TransferSyntaxUID = ts.JPEG_2000_LOSSLESS
    assert served.store(one).status_code == 200
    address = (
        f"/dicom-web/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
        f"/instances/{one.SOPInstanceUID}"
    )
    return address, one


def test_frames_decoded(served, helpers, stored):
    """Octets without a transfer syntax are pixels in Explicit VR Little Endian."""
    answer = served.client().get(f"{stored[0]}/frames/1,3", headers={"Accept": OCTETS})
    parts = helpers.parts_of(answer)
    assert [body for _, body in parts] == [FRAMES[0].tobytes(), FRAMES[2].tobytes()]
    assert parts[0][0]["content-type"].endswith(ts.EXPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize(
    ("media_type", "uid"),
    [
        ("image/jls", ts.JPEG_LS_LOSSLESS),
        ("image/dicom-rle", ts.RLE_LOSSLESS),
        ("image/jpeg", ts.JPEG_LOSSLESS_SV1),
        ("image/jphc", ts.HTJ2K_LOSSLESS),
        ("image/jxl", ts.JPEG_XL_LOSSLESS),
    ],
)
def test_frames_encoded_anew(served, helpers, stored, media_type, uid):
    """A media type without a transfer syntax has the standard's default, without loss."""
    answer = served.client().get(
        f"{stored[0]}/frames/2", headers={"Accept": f'multipart/related; type="{media_type}"'}
    )
    assert answer.status_code == 200, answer.text
    ((_, body),) = helpers.parts_of(answer)
    assert np.array_equal(decode_frame(body, CT, uid).samples, FRAMES[1])


@pytest.mark.parametrize(
    ("accept", "uid"),
    [
        ("application/dicom", ts.EXPLICIT_VR_LITTLE_ENDIAN),
        (f"application/dicom; transfer-syntax={ts.IMPLICIT_VR_LITTLE_ENDIAN}", ts.IMPLICIT_VR_LITTLE_ENDIAN),
        (f"application/dicom; transfer-syntax={ts.JPEG_LS_LOSSLESS}", ts.JPEG_LS_LOSSLESS),
        (f"application/dicom; transfer-syntax={ts.RLE_LOSSLESS}", ts.RLE_LOSSLESS),
        (f"application/dicom; transfer-syntax={ts.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN}", ts.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
        ("application/dicom; transfer-syntax=*", ts.JPEG_2000_LOSSLESS),
    ],
)  # fmt: skip
def test_objects(served, stored, accept, uid):
    """Pixels equal, every other element as it was, the attributes of the new syntax."""
    address, one = stored
    answer = served.client().get(address, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={uid}"
    got = pydicom.dcmread(io.BytesIO(answer.content))
    assert got.file_meta.TransferSyntaxUID == uid
    assert np.array_equal(got.pixel_array, FRAMES)
    assert got.SOPInstanceUID == one.SOPInstanceUID
    assert got.PatientName == one.PatientName
    assert got[0x00091010].value == b"private "


def test_what_cannot_be_encoded_is_refused(served, stored):
    """Signed pixels have no baseline JPEG: 406 with the reason."""
    answer = served.client().get(
        stored[0], headers={"Accept": f"application/dicom; transfer-syntax={ts.JPEG_BASELINE_8BIT}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (406, "transfer-syntax-not-available")
    assert "unsigned" in answer.json()["detail"]
