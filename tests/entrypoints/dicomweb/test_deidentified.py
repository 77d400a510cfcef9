"""``anonymize=yes`` over HTTP, read by pydicom."""

import io

import numpy as np
import pydicom
import pytest

from negatoscope.standard import transfer_syntaxes as ts

UIDS = {"requestType": "WADO", "contentType": "application/dicom", "anonymize": "yes"}


def ask(served, one, **more):
    """The answer for one object."""
    parameters = UIDS | {
        "studyUID": one.StudyInstanceUID,
        "seriesUID": one.SeriesInstanceUID,
        "objectUID": one.SOPInstanceUID,
    }
    return served.client().get("/wado", params=parameters | more)


@pytest.mark.parametrize("syntax", [None, ts.RLE_LOSSLESS, ts.IMPLICIT_VR_LITTLE_ENDIAN])
@pytest.mark.parametrize(
    "stored_as", [ts.EXPLICIT_VR_LITTLE_ENDIAN, ts.IMPLICIT_VR_LITTLE_ENDIAN, ts.RLE_LOSSLESS]
)
def test_pixels_are_the_same_and_nobody_is_named(served, helpers, syntax, stored_as) -> None:
    """In each transfer syntax; the object has a UID of its own, in its file meta information too."""
    one = helpers.make_ct(1, frames=2)
    one.add_new(0x00091010, "LO", "private")
    one.file_meta.TransferSyntaxUID = stored_as
    pixels = one.pixel_array.copy() if stored_as != ts.RLE_LOSSLESS else None
    if stored_as == ts.RLE_LOSSLESS:
        one.file_meta.TransferSyntaxUID = ts.EXPLICIT_VR_LITTLE_ENDIAN
        pixels = one.pixel_array.copy()
        one.compress(ts.RLE_LOSSLESS, generate_instance_uid=False)
    assert served.store(one).status_code == 200
    answer = ask(served, one, **({} if syntax is None else {"transferSyntax": syntax}))
    assert answer.status_code == 200, answer.text
    for secret in (
        "DUPONT",
        "Éloïse",
        "19610503",
        "A77",
        one.StudyInstanceUID,
        "thoracique",
        "private",
    ):
        assert secret.encode() not in answer.content
    given = pydicom.dcmread(io.BytesIO(answer.content))
    assert given.PatientIdentityRemoved == "YES"
    assert given.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert given.SOPInstanceUID == given.file_meta.MediaStorageSOPInstanceUID != one.SOPInstanceUID
    assert given.StudyInstanceUID.startswith("2.25.")
    assert np.array_equal(given.pixel_array, pixels)
    if syntax is not None:
        assert given.file_meta.TransferSyntaxUID == syntax
    again = pydicom.dcmread(io.BytesIO(ask(served, one).content))
    assert again.StudyInstanceUID == given.StudyInstanceUID


def test_refused(served, helpers) -> None:
    """What its pixels tell; what one may not read at all."""
    one = helpers.make_ct(1, BurnedInAnnotation="YES")
    served.store(one)
    answer = ask(served, one)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
    assert "Burned In" in answer.json()["detail"]
    assert served.client("secretary").get("/wado", params=UIDS | {
        "studyUID": one.StudyInstanceUID, "seriesUID": one.SeriesInstanceUID, "objectUID": one.SOPInstanceUID,
    }).status_code == 403  # fmt: skip
