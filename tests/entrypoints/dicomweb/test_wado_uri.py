"""WADO-URI: the object of its three UIDs, and a reason for everything that cannot be had."""

from io import BytesIO

import pytest
from PIL import Image

STUDY = "1.2.826.0.1.3680043.10.1.1"
UIDS = {"studyUID": STUDY, "seriesUID": f"{STUDY}.1", "objectUID": f"{STUDY}.1.1"}
GOOD = {"requestType": "WADO", **UIDS}
DICOM = {"contentType": "application/dicom"}
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture
def one(served, helpers):
    """A stored CT image."""
    found = helpers.make_ct(1)
    assert served.store(found).status_code == 200
    return found


@pytest.mark.parametrize(
    "more",
    [
        DICOM,
        DICOM | {"transferSyntax": EXPLICIT},
        DICOM | {"unknown": "1"},
        DICOM | {"anonymize": ""},
    ],
)
def test_the_object(served, one, helpers, more):
    """As it is stored; HEAD tells its length; a parameter we do not know is ignored."""
    client = served.client()
    answer = client.get("/wado", params=GOOD | more)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/dicom")
    assert helpers.data_set_of(answer.content) == helpers.data_set_of(helpers.part10(one))
    head = client.request("HEAD", "/wado", params=GOOD | more)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({}, 400, "bad-query"),
        (UIDS, 400, "bad-query"),
        (GOOD | {"requestType": "wado"}, 400, "bad-query"),
        (GOOD | {"objectUID": ""}, 400, "bad-query"),
        (GOOD | {"objectUID": "../x"}, 400, "bad-uid"),
        (GOOD | {"objectUID": "1.2.3"}, 404, "instance-not-found"),
        (GOOD | {"seriesUID": "1.2.3"}, 404, "instance-not-found"),
        (GOOD | {"anonymize": "no"}, 400, "bad-query"),
        (GOOD | DICOM | {"anonymize": "yes", "rows": "10"}, 400, "bad-query"),
        (GOOD | {"anonymize": "yes", "contentType": "image/jpeg"}, 400, "bad-query"),
        (GOOD | DICOM | {"frameNumber": "1"}, 400, "bad-query"),
        (GOOD | DICOM | {"rows": "10"}, 400, "bad-query"),
        (GOOD | {"frameNumber": "0"}, 400, "bad-query"),
        (GOOD | {"rows": "99999999999"}, 400, "bad-query"),
        (GOOD | {"imageQuality": "101"}, 400, "bad-query"),
        (GOOD | {"windowCenter": "40"}, 400, "bad-query"),
        (GOOD | {"windowCenter": "x", "windowWidth": "1"}, 400, "bad-query"),
        (GOOD | {"region": "0,0,1"}, 400, "bad-query"),
        (GOOD | {"region": "0.5,0,0.5,1"}, 400, "bad-query"),
        (GOOD | {"presentationUID": "1.2"}, 400, "bad-query"),
        (GOOD | {"contentType": "image/jpeg", "transferSyntax": EXPLICIT}, 400, "bad-query"),
        (GOOD | {"contentType": "nonsense"}, 400, "bad-request"),
        (GOOD | {"contentType": "model/stl"}, 406, "not-acceptable"),
    ],
)
def test_what_cannot_be_had(served, one, parameters, status, code):
    """Each with a problem document."""
    answer = served.client().get("/wado", params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_every_parameter_once(served, one):
    """Twice is refused."""
    answer = served.client().get("/wado", params=[*GOOD.items(), ("studyUID", STUDY)])
    assert answer.status_code == 400


def test_who_may(served, one):
    """As for WADO-RS: 401 without, 403 for who may not retrieve; a trace in the audit trail."""
    assert served.client(None).get("/wado", params=GOOD).status_code == 401
    assert served.client().request("DELETE", "/wado").status_code == 405
    assert "GET" in served.client().request("OPTIONS", "/wado").headers["allow"]


@pytest.mark.parametrize(
    ("more", "media_type", "side"),
    [
        ({}, "image/jpeg", (16, 16)),
        ({"contentType": "image/png"}, "image/png", (16, 16)),
        ({"contentType": "image/png", "rows": "8"}, "image/png", (8, 8)),
        ({"contentType": "image/png", "region": "0,0,0.5,0.25"}, "image/png", (8, 4)),
        ({"contentType": "image/png", "frameNumber": "2", "columns": "32"}, "image/png", (32, 32)),
        (
            {"contentType": "image/jpeg", "windowCenter": "40", "windowWidth": "400",
             "imageQuality": "50", "annotation": "patient,technique", "frameNumber": "1"},
            "image/jpeg",
            (16, 16),
        ),
    ],
)  # fmt: skip
def test_what_people_look_at(served, helpers, more, media_type, side):
    """The rendered resource, in the size that rows, columns and region say."""
    assert served.store(helpers.make_ct(1, frames=2)).status_code == 200
    answer = served.client().get("/wado", params=GOOD | more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    with Image.open(BytesIO(answer.content)) as image:
        assert image.size == side


def test_a_frame_that_is_not_there(served, one):
    """404 of the frame."""
    answer = served.client().get("/wado", params=GOOD | {"frameNumber": "2"})
    assert (answer.status_code, answer.json()["code"]) == (404, "frame-not-found")
