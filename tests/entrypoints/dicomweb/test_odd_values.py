"""Values that are no dates, times, numbers or names (PS3.5 §6.2), through every door of DICOMweb."""

import pydicom
import pytest

STUDY = "1.2.826.0.1.3680043.10.1.1"
PATH = f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.1"
ODD = (
    ("StudyDate", "DA", "00000000"),
    ("StudyDate", "DA", "99999999"),
    ("StudyDate", "DA", "20260230"),
    ("StudyTime", "TM", "999999.999999"),
    ("StudyTime", "TM", "026000"),
    ("PatientBirthDate", "DA", "18000101"),
    ("PatientName", "PN", "A=B=C=D=E"),
    ("PatientName", "PN", "^=\\^=\\^"),
    ("PatientName", "PN", "A" * 70_000),
    ("StudyDescription", "LO", "x" * 65_536),
    ("AccessionNumber", "SH", "*?%_'\""),
    ("SeriesNumber", "IS", "99999999999999"),
    ("InstanceNumber", "IS", "-"),
    ("WindowCenter", "DS", "1e999"),
    ("RescaleSlope", "DS", "nan"),
    ("TimezoneOffsetFromUTC", "SH", "+9999"),
)


@pytest.mark.parametrize(("keyword", "vr", "value"), ODD)
def test_an_odd_value_is_kept_and_breaks_nothing(
    served, helpers, keyword: str, vr: str, value: str
) -> None:
    """Stored as sent; found, listed, described, drawn or refused with a reason, never an error."""
    one = helpers.make_ct(1)
    padded = value.encode("ascii") + b" " * (len(value) % 2)
    tag = pydicom.datadict.tag_for_keyword(keyword)
    if keyword in one:
        del one[keyword]
    one.add(pydicom.DataElement(tag, "OB", padded))
    raw = helpers.part10(one)
    head = tag.to_bytes(4, "big")
    little = bytes((head[1], head[0], head[3], head[2]))
    long_form = little + b"OB\0\0" + len(padded).to_bytes(4, "little")
    assert raw.count(long_form) == 1
    if len(padded) < 65_536:
        raw = raw.replace(long_form, little + vr.encode() + len(padded).to_bytes(2, "little"))
    else:  # what does not fit in its VR is UN (PS3.5 §6.2.2)
        raw = raw.replace(long_form, little + b"UN\0\0" + len(padded).to_bytes(4, "little"))
    client = served.client()
    body, headers = helpers.related(raw)
    assert client.post("/dicom-web/studies", content=body, headers=headers).status_code in (
        200,
        202,
    )
    for url in (
        "/dicom-web/studies?includefield=all",
        f"/dicom-web/studies?{keyword}=20260101",
        f"/dicom-web/studies/{STUDY}/series?includefield=all",
        f"/dicom-web/studies/{STUDY}/instances?includefield=all",
        f"{PATH}/metadata",
        f"{PATH}/rendered",
        f"{PATH}/rendered?annotation=patient,technique",
        f"{PATH}/thumbnail",
        f"/dicom-web/studies/{STUDY}/rendered",
    ):
        assert client.get(url).status_code < 500, url
    given = client.get(PATH, headers={"Accept": "application/dicom; transfer-syntax=*"})
    assert given.status_code == 200
    assert padded in given.content
