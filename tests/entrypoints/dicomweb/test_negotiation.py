"""Which representation of a resource is given."""

import pytest

from negatoscope.entrypoints.dicomweb.media_types import Offer, best_offer, parse_ranges
from negatoscope.protocols.dicom.xml import parse_native_model

STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
INSTANCE = f"{ROOT}/series/{STUDY}.1/instances/{STUDY}.1.1"
JSON, XML = "application/dicom+json", "application/dicom+xml"
PARTS = f'multipart/related; type="{XML}"'
OFFERS = (Offer(JSON), Offer(XML, is_multipart=True))


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        (None, OFFERS[0]),
        ("*/*", OFFERS[0]),
        (f"*/*;q=0.9, {PARTS}", OFFERS[1]),
        (f"{PARTS};q=0.2, {JSON};q=0.1", OFFERS[1]),
        (f"{JSON};q=0, */*", OFFERS[1]),
        (f"*/*, {JSON};q=0.3", OFFERS[1]),
        ("multipart/related", OFFERS[1]),
        ("multipart/*", OFFERS[1]),
        (f"multipart/related; type={XML}", OFFERS[1]),
        ('multipart/related; type="*/*"', OFFERS[1]),
        ("application/*", OFFERS[0]),
        ("APPLICATION/DICOM+JSON", OFFERS[0]),
        ("text/html", None),
        (f"{JSON};q=0", None),
    ],
)
def test_the_most_specific_range_decides(accept, found):
    """RFC 9110 §12.5.1: quality by the most specific range, then the client's order, then ours."""
    assert best_offer(parse_ranges(accept), OFFERS) == found


@pytest.mark.parametrize(
    ("path", "accept", "content_type"),
    [
        (f"{INSTANCE}/metadata", XML, XML),
        (f"{INSTANCE}/metadata", PARTS, "multipart/related"),
        (f"{ROOT}/metadata", PARTS, "multipart/related"),
        (f"{ROOT}/metadata", "application/json", "application/json"),
        ("/dicom-web/studies", PARTS, "multipart/related"),
        ("/dicom-web/studies", f"{XML}, {JSON};q=0.1", JSON),
    ],
)
def test_metadata_and_matches_in_either_model(served, helpers, path, accept, content_type):
    """JSON, or XML with a part for each data set; the same attributes in both."""
    assert served.store(helpers.make_ct(1), helpers.make_ct(2)).status_code == 200
    client = served.client()
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(content_type)
    expected = client.get(path).json()
    if content_type == XML:
        found = [parse_native_model(answer.content)]
    elif content_type.startswith("multipart"):
        parts = helpers.parts_of(answer)
        assert {head["content-type"] for head, _ in parts} == {XML}
        found = [parse_native_model(body) for _, body in parts]
    else:
        found = answer.json()
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert (
            one["00100010" if "00100010" in one else "00080018"]
            == (other["00100010" if "00100010" in one else "00080018"])
        )


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"headers": {"Accept-Charset": "utf-8"}}, 200),
        ({"headers": {"Accept-Charset": "iso-8859-1, *;q=0.1"}}, 200),
        ({"headers": {"Accept-Charset": "iso-8859-1"}}, 406),
        ({"params": {"charset": "UTF-8"}}, 200),
        ({"params": {"charset": "iso-8859-5"}}, 406),
        ({"headers": {"Accept": "image/jpeg"}}, 406),
        ({"headers": {"Accept": XML}}, 406),
    ],
)
def test_charset_and_what_cannot_be_given(served, helpers, options, status):
    """Text is UTF-8; many data sets are no single XML document."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    assert served.client().get(f"{ROOT}/metadata", **options).status_code == status


def test_metadata_of_an_instance_are_not_sent_again(served, helpers):
    """ETag and If-None-Match, per form."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    client = served.client()
    first = client.get(f"{INSTANCE}/metadata")
    etag = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"{INSTANCE}/metadata", headers=etag).status_code == 304
    other = client.get(f"{INSTANCE}/metadata", headers=etag | {"Accept": XML})
    assert other.status_code == 200
