"""Search on its wire: levels, emptiness, compression, audit. The mapping has its own tests."""

import gzip

import pytest

STUDY = "1.2.826.0.1.3680043.10.1.1"


@pytest.fixture
def stored(served, helpers):
    """Two series of one study, and a study of somebody else."""
    served.store(helpers.make_ct(1), helpers.make_ct(2), helpers.make_ct(1, series=2))
    served.store(helpers.make_ct(1, study="1.2.9", name="MARTIN^Paul", patient_id="P2"))


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("studies", 2),
        ("studies/", 2),
        ("studies?PatientName=dupont*", 1),
        ("studies?00100020=P2", 1),
        ("series", 3),
        (f"studies/{STUDY}/series", 2),
        ("instances?limit=3", 3),
        (f"studies/{STUDY}/instances", 3),
        (f"studies/{STUDY}/series/{STUDY}.1/instances?includefield=all", 2),
    ],
)
def test_every_level(served, stored, path, count):
    """Matches as DICOM JSON, with a Retrieve URL that works."""
    client = served.client()
    answer = client.get(f"/dicom-web/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/dicom+json")
    found = answer.json()
    assert len(found) == count
    assert client.get(found[0]["00081190"]["Value"][0]).status_code == 200


def test_nothing_found(served, stored):
    """204 without a body (PS3.18 §8.3.4.4.1)."""
    answer = served.client().get("/dicom-web/studies?PatientID=nobody")
    assert (answer.status_code, answer.content) == (204, b"")


def test_attributes_of_headers(served, stored):
    """What the index has no column for is read from the objects."""
    path = f"/dicom-web/studies/{STUDY}/instances?includefield=PixelRepresentation&limit=1"
    (found,) = served.client().get(path).json()
    assert found["00280103"]["Value"] == [0]


def test_long_answers_are_compressed(served, stored):
    """When the client accepts it."""
    path = "/dicom-web/instances?includefield=all"
    zipped = served.client().get(path, headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    plain = served.client().get(path, headers={"Accept-Encoding": "identity"})
    assert plain.json() == zipped.json()
    assert len(gzip.compress(plain.content)) < len(plain.content)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("studies?limit=-1", 400, "bad-query"),
        ("studies?StudyDate=yesterday", 400, "bad-query"),
        ("studies?NoSuchKeyword=1", 400, "bad-query"),
        ("studies/x/series", 400, "bad-uid"),
        ("studies?PatientName=%ff", 400, "bad-query"),
    ],
)
def test_bad_queries(served, path, status, code):
    """400 that says what is wrong."""
    answer = served.client().get(f"/dicom-web/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_searches_are_in_the_audit_trail(served, stored):
    """Who asked for lists, with no name that was asked for."""
    served.client("secretary").get("/dicom-web/studies?PatientName=DUPONT*")
    with served.services.database.connection() as connection:
        row = connection.execute(
            "SELECT action, outcome, detail FROM audit_event"
            " WHERE actor_name = 'test-secretary' ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row[:2] == ("query", "SUCCESS")
    assert "DUPONT" not in str(row)
