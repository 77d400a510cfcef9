"""Bulk data and pixel data: every long value by its URI, in ranges, below every level."""

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

JPEG_LS = "1.2.840.10008.1.2.4.80"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
SERIES = f"{ROOT}/series/{STUDY}.1"
INSTANCE = f"{SERIES}/instances/{STUDY}.1.1"
OCTETS = 'multipart/related; type="application/octet-stream"'
LUT = bytes(range(256)) * 16


def rich(helpers, **more):
    """A CT with a long overlay, a long value in a sequence, and elements after its pixels."""
    one = helpers.make_ct(1, **more)
    one.add_new(0x60003000, "OW", bytes(range(256)) * 8)
    item = Dataset()
    item.LUTDescriptor, item.LUTExplanation = [2048, 0, 16], "of nothing"
    item.add_new(0x00283006, "OW", LUT)
    one.ModalityLUTSequence = [item]
    one.add_new(0x7FE10010, "LO", "AFTER PIXELS")
    one.add_new(0x7FE11001, "OB", bytes(3000))
    one.add_new(0xFFFCFFFC, "OB", bytes(5000))
    return one


def uris(metadata):
    """Every BulkDataURI with its attribute's path."""
    for key, attribute in metadata.items():
        if "BulkDataURI" in attribute:
            yield key, attribute["BulkDataURI"]
        for item in attribute.get("Value", ()) if attribute["vr"] == "SQ" else ():
            yield from uris(item)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", JPEG_LS, DEFLATED, BIG_ENDIAN]
)
def test_every_long_value_is_named_and_had(served, helpers, syntax):
    """At all depths, before and after the pixel data; words come little endian."""
    one = rich(helpers, transfer_syntax=syntax)
    if syntax == BIG_ENDIAN:
        stored = pydicom.dcmread(pydicom.filebase.DicomBytesIO(helpers.part10(one)))
        assert stored.original_encoding == (False, False)
    assert served.store(one).status_code == 200
    client = served.client()
    (metadata,) = client.get(f"{INSTANCE}/metadata").json()
    named = dict(uris(metadata))
    assert sorted(named) == ["00283006", "60003000", "7FE00010", "7FE11001"]
    assert metadata["7FE10010"]["Value"] == ["AFTER PIXELS"]
    assert named["00283006"].endswith("/bulkdata/00283000/1/00283006")
    wanted = {"00283006": LUT, "60003000": bytes(range(256)) * 8, "7FE11001": bytes(3000)}
    if syntax != JPEG_LS:
        wanted["7FE00010"] = one.PixelData
    for key, value in wanted.items():
        answer = client.get(named[key], headers={"Accept": "application/octet-stream"})
        assert answer.status_code == 200, key
        got = answer.content
        if syntax == BIG_ENDIAN and key != "7FE11001":  # the test object was written unswapped
            got = b"".join(got[at : at + 2][::-1] for at in range(0, len(got), 2))
        assert got == value, key


def test_pixel_data_of_a_compressed_object_are_its_frames(served, helpers):
    """A part per frame, each of the media type of the transfer syntax."""
    assert served.store(helpers.make_ct(1, transfer_syntax=JPEG_LS, frames=3)).status_code == 200
    client = served.client()
    answer = client.get(f"{INSTANCE}/bulkdata/7FE00010")
    assert answer.status_code == 200
    parts = helpers.parts_of(answer)
    assert [body[:2] + body[2:3] for _, body in parts] == [
        b"\xff\xd8" + bytes([n]) for n in (0, 1, 2)
    ]
    assert {head["content-type"] for head, _ in parts} == {f"image/jls; transfer-syntax={JPEG_LS}"}
    octets = client.get(f"{INSTANCE}/bulkdata/7FE00010", headers={"Accept": OCTETS})
    assert octets.json()["code"] == "pixels-unreadable"
    octets = client.get(
        f"{INSTANCE}/bulkdata/7FE00010", headers={"Accept": f"{OCTETS}; transfer-syntax=*"}
    )
    assert len(helpers.parts_of(octets)) == 3


def test_a_nested_compressed_icon_is_its_code_stream(served, helpers):
    """Fragments of an icon are joined, the offset table left out."""
    one = helpers.make_ct(1, transfer_syntax=JPEG_LS)
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.PixelData = encapsulate([b"\xff\xd8icon"])
    icon["PixelData"].VR = "OB"
    icon["PixelData"].is_undefined_length = True
    one.IconImageSequence = [icon]
    assert served.store(one).status_code == 200
    answer = served.client().get(f"{INSTANCE}/bulkdata/00880200/1/7FE00010")
    assert answer.content == b"\xff\xd8icon"


@pytest.mark.parametrize(
    ("header", "status", "wanted"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=2000-", 206, slice(2000, 2048)),
        ("bytes=-5", 206, slice(2043, 2048)),
        ("bytes=2000-99999", 206, slice(2000, 2048)),
        ("bytes=5-4", 200, slice(None)),
        ("bytes=", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=0-9,5-20", 200, slice(None)),
        ("bytes=" + ",".join(["1-1"] * 40), 200, slice(None)),
    ],
)
def test_ranges(served, helpers, header, status, wanted):
    """One range is 206; what cannot be read or overlaps gives the whole (RFC 9110 §14.2)."""
    assert served.store(rich(helpers)).status_code == 200
    answer = served.client().get(f"{INSTANCE}/bulkdata/60003000", headers={"Range": header})
    assert answer.status_code == status
    assert answer.content == (bytes(range(256)) * 8)[wanted]
    assert answer.headers["accept-ranges"] == "bytes"
    if status == 206:
        start, stop, _ = wanted.indices(2048)
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/2048"


def test_ranges_outside_several_and_conditional(served, helpers):
    """416 names the length; several ranges are multipart/byteranges; If-Range asks first."""
    assert served.store(rich(helpers)).status_code == 200
    client, path = served.client(), f"{INSTANCE}/bulkdata/60003000"
    outside = client.get(path, headers={"Range": "bytes=2048-"})
    assert (outside.status_code, outside.json()["code"]) == (416, "range-not-satisfiable")
    assert outside.headers["content-range"] == "bytes */2048"
    several = client.get(path, headers={"Range": "bytes=0-1, -2"})
    assert several.status_code == 206
    assert several.headers["content-type"].startswith("multipart/byteranges; boundary=")
    parts = helpers.parts_of(several)
    assert [(head["content-range"], body) for head, body in parts] == [
        ("bytes 0-1/2048", b"\x00\x01"),
        ("bytes 2046-2047/2048", b"\xfe\xff"),
    ]
    etag = client.get(path).headers["etag"]
    for condition, status in ((etag, 206), ('"other"', 200)):
        answer = client.get(path, headers={"Range": "bytes=0-1", "If-Range": condition})
        assert answer.status_code == status
    head = client.request("HEAD", path, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"]) == (200, "2048")


@pytest.mark.parametrize("path", [ROOT, SERIES, INSTANCE])
def test_everything_below_a_level(served, helpers, path):
    """Every value is a part that names itself as the metadata do; pixel data alone likewise."""
    assert served.store(rich(helpers), helpers.make_ct(2, frames=2)).status_code == 200
    client = served.client()
    metadata = client.get(f"{path}/metadata").json()
    named = [uri for one in metadata for _, uri in uris(one)]
    answer = client.get(f"{path}/bulkdata", headers={"Accept": OCTETS})
    parts = helpers.parts_of(answer)
    assert [head["content-location"] for head, _ in parts] == sorted(
        named, key=lambda uri: (uri.split("/instances/")[1].split("/")[0], uri)
    )
    assert {head["content-location"]: body for head, body in parts}[
        f"http://archive.test{INSTANCE}/bulkdata/60003000"
    ] == bytes(range(256)) * 8
    pixels = helpers.parts_of(client.get(f"{path}/pixeldata"))
    assert [body[:1] for _, body in pixels] == [b"\1", b"\2"][: len(metadata)]
    assert client.get(f"{path}/bulkdata", headers={"Accept": "application/json"}).status_code == 406


def test_pixel_data_of_a_study_of_compressed_objects(served, helpers):
    """Frames in the media type of their syntax; octets only to who names a transfer syntax."""
    objects = [helpers.make_ct(n, transfer_syntax=JPEG_LS, frames=2) for n in (1, 2)]
    assert served.store(*objects).status_code == 200
    client = served.client()
    answer = client.get(f"{ROOT}/pixeldata")
    assert 'type="image/jls"' in answer.headers["content-type"]
    assert [head["content-location"] for head, _ in helpers.parts_of(answer)] == [
        f"{SERIES}/instances/{STUDY}.1.{n}/frames/{frame}" for n in (1, 2) for frame in (1, 2)
    ]
    assert client.get(f"{ROOT}/pixeldata", headers={"Accept": OCTETS}).status_code == 406


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{INSTANCE}/bulkdata/00100010/1", 404, "bulkdata-not-found"),
        (f"{INSTANCE}/bulkdata/60023000", 404, "bulkdata-not-found"),
        (f"{INSTANCE}/bulkdata/..%2f..%2fetc", 404, "bulkdata-not-found"),
        (f"{INSTANCE}9/bulkdata/60003000", 404, "instance-not-found"),
        ("/dicom-web/studies/1.2/bulkdata", 404, "study-not-found"),
        (f"/dicom-web/studies/1.2/series/{STUDY}.1/pixeldata", 404, "series-not-found"),
        ("/dicom-web/studies/x/bulkdata", 400, "bad-uid"),
    ],
)
def test_what_is_not_there(served, helpers, path, status, code):
    """404 of the right level."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    answer = served.client().get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
