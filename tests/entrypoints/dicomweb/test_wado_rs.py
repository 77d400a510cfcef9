"""Retrieve: study, series, instance and metadata as stored."""

import orjson
import pytest

IMPLICIT = "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
INSTANCE = f"{ROOT}/series/{STUDY}.1/instances/{STUDY}.1.1"
DICOM = 'multipart/related; type="application/dicom"'


@pytest.fixture
def three(served, helpers):
    """Two CT images of one series and one of another, whose syntax is implicit VR."""
    objects = [
        helpers.make_ct(1),
        helpers.make_ct(2),
        helpers.make_ct(1, series=2, transfer_syntax=IMPLICIT),
    ]
    assert served.store(*objects).status_code == 200
    return objects


@pytest.mark.parametrize(
    ("path", "numbers"),
    [(ROOT, (0, 1, 2)), (f"{ROOT}/series/{STUDY}.1", (0, 1)), (INSTANCE, (0,))],
)
def test_data_sets_come_back_as_they_went_in(served, three, path, numbers, helpers):
    """Every level gives its instances, byte for byte after the file meta information."""
    answer = served.client().get(path, headers={"Accept": f"{DICOM}; transfer-syntax=*"})
    assert answer.status_code == 200
    found = [helpers.data_set_of(body) for _, body in helpers.parts_of(answer)]
    assert found == [helpers.data_set_of(helpers.part10(three[number])) for number in numbers]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_an_instance_as_a_file(served, three, helpers):
    """``application/dicom`` gives the Part 10 file alone; its preamble is ours."""
    answer = served.client().get(INSTANCE, headers={"Accept": "application/dicom"})
    assert answer.headers["content-type"] == (
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    )
    assert answer.content[:132] == bytes(128) + b"DICM"
    assert helpers.data_set_of(answer.content) == helpers.data_set_of(helpers.part10(three[0]))
    assert answer.headers["content-location"] == INSTANCE


def test_the_accept_parameter_stands_for_the_header(served, three):
    """PS3.18 §8.3.3.1, for links."""
    answer = served.client().get(f"{INSTANCE}?accept=application/dicom")
    assert answer.headers["content-type"].startswith("application/dicom")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        (DICOM, 200),
        (f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.1", 200),
        (f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.94", 406),
        (f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.94, {DICOM}; q=0.1", 200),
        ("image/jpeg", 406),
        ("application/json", 406),
        ("nonsense", 400),
    ],
)
def test_negotiation_of_an_instance(served, three, accept, status):
    """The stored syntax, any, or none asked for; another one is 406 and says what there is."""
    answer = served.client().get(INSTANCE, headers={"Accept": accept})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["available"]


def test_a_study_of_two_syntaxes_comes_in_one(served, three):
    """What is stored otherwise is transcoded; nothing is left out."""
    client = served.client()
    one = f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.1"
    answer = client.get(ROOT, headers={"Accept": one})
    assert answer.status_code == 200
    assert answer.content.count(b"application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r") == 3
    both = f"{one}, {DICOM}; transfer-syntax={IMPLICIT}"
    assert client.get(ROOT, headers={"Accept": both}).status_code == 200


def test_a_study_is_no_single_file(served, three):
    """``application/dicom`` without multipart fits one instance only."""
    answer = served.client().get(ROOT, headers={"Accept": "application/dicom"})
    assert answer.status_code == 406


def test_known_instances_are_not_sent_again(served, three):
    """ETag and If-None-Match; HEAD has the headers of GET."""
    client = served.client()
    answer = client.get(INSTANCE)
    again = client.get(INSTANCE, headers={"If-None-Match": f'"x", {answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    head = client.request("HEAD", INSTANCE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


def test_a_download_can_be_resumed(served, three):
    """Ranges of an instance as stored, under its ETag; nothing of one that changed."""
    client = served.client()
    accept = {"Accept": "application/dicom; transfer-syntax=*"}
    whole = client.get(INSTANCE, headers=accept)
    assert whole.headers["accept-ranges"] == "bytes"
    rest = client.get(
        INSTANCE,
        headers=accept | {"Range": "bytes=100-", "If-Range": whole.headers["etag"]},
    )
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    other = client.get(INSTANCE, headers=accept | {"Range": "bytes=100-", "If-Range": '"x"'})
    assert (other.status_code, other.content) == (200, whole.content)
    outside = client.get(INSTANCE, headers=accept | {"Range": "bytes=99999-"})
    assert outside.status_code == 416


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/dicom-web/studies/1.2.3", "study-not-found"),
        (f"{ROOT}/series/1.2.3", "series-not-found"),
        (f"{ROOT}/series/{STUDY}.2/instances/{STUDY}.1.1", "instance-not-found"),
        (f"{ROOT}/series/{STUDY}.1/instances/1.2.3", "instance-not-found"),
        ("/dicom-web/studies/1.2.3/metadata", "study-not-found"),
        (f"{ROOT}/series/{STUDY}.2/instances/{STUDY}.1.1/metadata", "instance-not-found"),
        ("/dicom-web/nowhere", "not-found"),
    ],
)
def test_what_is_not_there(served, three, path, code):
    """404 with the level in its code; an instance under another series is not there."""
    answer = served.client().get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize("uid", ["x", "9" * 65, "..", "%00", "1.2.3%20"])
def test_hostile_uids(served, uid):
    """What cannot be a UID is refused before anything looks at it."""
    answer = served.client().get(f"/dicom-web/studies/{uid}/metadata")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_metadata_at_the_three_levels(served, three):
    """DICOM JSON of every instance, in order, without pixel data."""
    client = served.client()
    for path, count in ((ROOT, 3), (f"{ROOT}/series/{STUDY}.1", 2), (INSTANCE, 1)):
        answer = client.get(f"{path}/metadata")
        assert answer.headers["content-type"] == "application/dicom+json"
        found = orjson.loads(answer.content)
        assert len(found) == count
        assert found[0]["00080018"]["Value"] == [f"{STUDY}.1.1"]
        assert found[0]["00100010"]["Value"] == [{"Alphabetic": "DUPONT^Éloïse"}]
        assert "Value" not in found[0].get("7FE00010", {})


@pytest.mark.parametrize("path", [INSTANCE, f"{ROOT}/series/{STUDY}.1", ROOT])
def test_metadata_without_gzip(served, three, path):
    """Who does not accept gzip gets the same document as it is."""
    client = served.client()
    plain = client.get(f"{path}/metadata", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    zipped = client.get(f"{path}/metadata", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert orjson.loads(plain.content) == orjson.loads(zipped.content)


def test_settled_metadata_are_one_read(served, three, helpers):
    """The kept gzip stream is sent as it is, with an ETag that changes with the series."""
    from negatoscope.domain.archive.metadata import SeriesMetadata
    from negatoscope.domain.archive.retrieve import Selection

    retrieval = served.services.retrieval
    writer = SeriesMetadata(retrieval, base="http://archive.test/dicom-web")
    path = f"{ROOT}/series/{STUDY}.1/metadata"
    client = served.client()
    before = orjson.loads(client.get(path).content)
    (key,) = retrieval.series(Selection(series=(f"{STUDY}.1",)))
    assert writer.write(key.id, served.services.archive.append_member)
    answer = client.get(path)
    assert orjson.loads(answer.content) == before
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    served.store(helpers.make_ct(3))
    assert len(orjson.loads(client.get(path).content)) == 3


def test_metadata_media_types(served, three):
    """XML is not given; ``application/json`` is DICOM JSON too."""
    client = served.client()
    xml = client.get(f"{ROOT}/metadata", headers={"Accept": "application/dicom+xml"})
    assert (xml.status_code, xml.json()["code"]) == (406, "not-acceptable")
    json = client.get(f"{ROOT}/metadata", headers={"Accept": "application/json"})
    assert json.headers["content-type"] == "application/json"


def test_bulk_data_are_where_metadata_say(served, helpers):
    """A value above the threshold is a URI that gives its bytes."""
    table = bytes(range(256)) * 16
    one = helpers.make_ct(1)
    one.add_new(0x00091001, "OB", table)
    one.add_new(0x00090010, "LO", "NEGATOSCOPE TEST")
    assert served.store(one).status_code == 200
    client = served.client()
    (found,) = orjson.loads(client.get(f"{INSTANCE}/metadata").content)
    uri = found["00091001"]["BulkDataURI"]
    assert uri.startswith(f"http://archive.test{INSTANCE}/bulkdata/")
    answer = client.get(uri)
    assert (answer.content, answer.headers["content-type"]) == (table, "application/octet-stream")
    multi = client.get(uri, headers={"Accept": "multipart/related"})
    assert [body for _, body in helpers.parts_of(multi)] == [table]
    assert client.get(f"{INSTANCE}/bulkdata/00091002").json()["code"] == "bulkdata-not-found"
    assert client.get(f"{INSTANCE}/bulkdata/../../x").status_code == 400
    assert client.get(uri, headers={"Accept": "image/png"}).status_code == 406


def test_damaged_objects_are_not_given(served, three):
    """Bytes that are not those received are a problem, never wrong pixels."""
    stored = served.services.retrieval.find(f"{STUDY}.1.1")
    with stored.path.open("r+b") as segment:
        segment.seek(stored.offset + stored.pixel_offset + 3)
        segment.write(b"\x99")
    client = served.client()
    answer = client.get(INSTANCE)
    assert (answer.status_code, answer.json()["code"]) == (500, "object-unreadable")
    assert client.get(f"{ROOT}/series/{STUDY}.1").status_code == 500
    assert client.get(f"{ROOT}/series/{STUDY}.2").status_code == 200


def test_jpeg_ls_comes_as_stored(served, helpers):
    """Compressed pixel data are not touched."""
    one = helpers.make_ct(1, transfer_syntax=JPEG_LS, frames=2)
    served.store(one)
    answer = served.client().get(INSTANCE, headers={"Accept": "application/dicom"})
    assert answer.headers["content-type"].endswith(JPEG_LS)
    assert helpers.data_set_of(answer.content) == helpers.data_set_of(helpers.part10(one))
