"""Store of metadata with bulk data, in JSON and XML: what comes back is what went in."""

import orjson
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO

from negatoscope.protocols.dicom.xml import dump_native_model

JPEG_LS = "1.2.840.10008.1.2.4.80"
STUDY = "1.2.826.0.1.3680043.10.1.1"
INSTANCE = f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.1"
JSON, XML = "application/dicom+json", "application/dicom+xml"


def metadata_of(one, uri="pixels"):
    """The DICOM JSON of an object, its pixel data under a URI."""
    found = one.to_json_dict(bulk_data_threshold=512, bulk_data_element_handler=lambda _: uri)
    return {key: value for key, value in found.items() if key != "7FE00010"} | {
        "7FE00010": {"vr": "OW", "BulkDataURI": uri}
    }


def body(kind, data_sets, *parts):
    """A multipart body: metadata, then bulk data as (headers, bytes)."""
    pieces = []
    if kind == JSON:
        pieces.append((f"Content-Type: {JSON}", orjson.dumps(data_sets)))
    else:
        pieces += [(f"Content-Type: {XML}", dump_native_model(one)) for one in data_sets]
    pieces += parts
    raw = b"".join(b"--b\r\n%b\r\n\r\n%b\r\n" % (head.encode(), data) for head, data in pieces)
    return {
        "content": raw + b"--b--\r\n",
        "headers": {"Content-Type": f'multipart/related; type="{kind}"; boundary=b'},
    }


def stored(served):
    """The object as it is now."""
    answer = served.client().get(INSTANCE, headers={"Accept": "application/dicom"})
    assert answer.status_code == 200
    return pydicom.dcmread(DicomBytesIO(answer.content))


@pytest.mark.parametrize("kind", [JSON, XML])
@pytest.mark.parametrize("size", [16, 1024])
def test_native_pixel_data(served, helpers, kind, size):
    """Octets become explicit VR little endian, a short value and a streamed one alike."""
    one = helpers.make_ct(1, size=size)
    octets = ("Content-Type: application/octet-stream\r\nContent-Location: pixels", one.PixelData)
    answer = served.client().post("/dicom-web/studies", **body(kind, [metadata_of(one)], octets))
    assert answer.status_code == 200, answer.text
    found = stored(served)
    assert found.PixelData == one.PixelData
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert found.PatientName == one.PatientName
    assert {e.tag for e in found} == {e.tag for e in one}


@pytest.mark.parametrize(
    ("media", "syntax"),
    [
        ("image/jls", JPEG_LS),
        ("image/jls; transfer-syntax=1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.81"),
        ("image/jp2", "1.2.840.10008.1.2.4.90"),
        (f"application/octet-stream; transfer-syntax={JPEG_LS}", JPEG_LS),
    ],
)
def test_compressed_frames(served, helpers, media, syntax):
    """The parts of one location are the frames in their order."""
    one = helpers.make_ct(1, frames=2)
    frames = [b"\xff\xd8one.", b"\xff\xd8tw"]
    parts = [(f"Content-Type: {media}\r\nContent-ID: <p>", frame) for frame in frames]
    answer = served.client().post(
        "/dicom-web/studies", **body(JSON, [metadata_of(one, "cid:p")], *parts)
    )
    assert answer.status_code == 200, answer.text
    found = stored(served)
    assert found.file_meta.TransferSyntaxUID == syntax
    fragments = list(pydicom.encaps.generate_frames(found.PixelData, number_of_frames=2))
    assert [one.rstrip(b"\0") for one in fragments] == frames


def test_what_we_give_can_be_stored_elsewhere(served, helpers):
    """Metadata and bulk data of ours, under another SOP Instance UID, are the same object."""
    one = helpers.make_ct(1, size=64)
    one.add_new(0x60003000, "OW", bytes(range(256)) * 8)
    assert served.store(one).status_code == 200
    client = served.client()
    (metadata,) = client.get(f"{INSTANCE}/metadata").json()
    metadata["00080018"]["Value"] = [f"{STUDY}.1.2"]
    parts = [
        (f"Content-Type: application/octet-stream\r\nContent-Location: {uri}",
         client.get(uri).content)
        for uri in (metadata[key]["BulkDataURI"] for key in ("60003000", "7FE00010"))
    ]  # fmt: skip
    assert client.post("/dicom-web/studies", **body(JSON, [metadata], *parts)).status_code == 200
    answer = client.get(f"{INSTANCE[:-1]}2", headers={"Accept": "application/dicom"})
    found = pydicom.dcmread(DicomBytesIO(answer.content))
    assert (found.PixelData, found[0x60003000].value) == (one.PixelData, one[0x60003000].value)


def test_each_data_set_has_its_result(served, helpers):
    """One with its part, one without, one that is none: 202, and which is which."""
    objects = [helpers.make_ct(n) for n in (1, 2)]
    data_sets = [metadata_of(objects[0], "a"), metadata_of(objects[1], "missing"), {}]
    part = ("Content-Type: application/octet-stream\r\nContent-Location: a", objects[0].PixelData)
    answer = served.client().post("/dicom-web/studies", **body(JSON, data_sets, part))
    assert answer.status_code == 202
    document = answer.json()
    assert [len(document[tag]["Value"]) for tag in ("00081199", "00081198", "0008119A")] == [
        1,
        1,
        1,
    ]
    failed = document["00081198"]["Value"][0]
    assert failed["00081155"]["Value"] == [f"{STUDY}.1.2"]
    assert failed["00081197"]["Value"] == [0xC000]


@pytest.mark.parametrize(
    ("kind", "raw", "status"),
    [
        (JSON, b"{", 409),
        (JSON, b'[{"0008001G": {"vr": "UI", "BulkDataURI": 7}}]', 409),
        (JSON, b'[{"00080018": {"vr": ["x"], "Value": [1]}}]', 409),
        (JSON, b'[{"7FE00010": {"vr": "OW", "BulkDataURI": []}}]', 409),
        (JSON, b'[{"00080018": 3}]', 409),
        (JSON, b"[]", 400),
        (XML, b"<x/>", 409),
        (XML, b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><NativeDicomModel/>', 409),
    ],
)
def test_metadata_that_are_none(served, kind, raw, status):
    """Refused with a response module; a body alone is taken like a part."""
    answer = served.client().post("/dicom-web/studies", content=raw, headers={"Content-Type": kind})
    assert answer.status_code == status
