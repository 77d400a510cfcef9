"""QIDO-RS on its wire: private attributes, attributes in sequences, repeated parameters, pages."""

import pytest
from pydicom.dataset import Dataset

STUDY = "1.2.826.0.1.3680043.10.1.1"
INSTANCES = f"/dicom-web/studies/{STUDY}/instances"


@pytest.fixture
def stored(served, helpers):
    """Five images; one with a private attribute, and a request in its series."""
    objects = [helpers.make_ct(n) for n in range(1, 6)]
    block = objects[1].private_block(0x0009, "ACME 1.0", create=True)
    block.add_new(0x01, "LO", "PRIVATE VALUE")
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP1", "S1"
    for one in objects:
        one.RequestAttributesSequence = [request]
    assert served.store(*objects).status_code == 200
    return objects


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("00091001=PRIVATE%20VALUE", 1),
        ("00091001=PRIVATE*&00090010=ACME%201.0", 1),
        ("00091001=PRIVATE*&00090010=OTHER", 0),
        ("00091001=NO", 0),
    ],
)
def test_private_attributes(served, stored, query, count):
    """By tag; their creator is matched beside them (PS3.5 §7.8.1)."""
    answer = served.client().get(f"{INSTANCES}?{query}")
    assert answer.status_code == (200 if count else 204)
    assert "warning" not in answer.headers
    if count:
        (one,) = answer.json()
        assert one["00080018"]["Value"] == [f"{STUDY}.1.2"]
        assert one["00091001"]["Value"] == ["PRIVATE VALUE"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("00400275.00400009=S1", 1),
        ("RequestAttributesSequence.RequestedProcedureID=RP1&00400275.00400009=S1", 1),
        ("00400275.00400009=S2", 0),
        ("00400275.00400009=S*&includefield=00400275&includefield=Manufacturer,Laterality", 1),
    ],
)
def test_attributes_in_sequences(served, stored, query, count):
    """A path of tags or keywords; the item comes back with the series."""
    answer = served.client().get(f"/dicom-web/series?{query}")
    assert answer.status_code == (200 if count else 204)
    if count:
        (one,) = answer.json()
        assert one["00400275"]["Value"][0]["00400009"]["Value"] == ["S1"]


def test_pages_are_the_list_cut(served, stored):
    """limit and offset walk through the same order; what remains is told in a Warning."""
    client = served.client()
    whole = client.get(INSTANCES).json()
    pages = [client.get(f"{INSTANCES}?limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [one for page in pages for one in page.json()] == whole
    told = ["additional results" in page.headers.get("warning", "") for page in pages]
    assert told == [True, True, False]
    assert client.get(f"{INSTANCES}?limit=2&offset=6").status_code == 204


def test_empty_values_and_every_value(served, stored):
    """Empty Value Matching finds what is absent; multiple value matching asks for each."""
    client = served.client()
    empty = client.get('/dicom-web/studies?emptyvaluematching=true&StudyID=""')
    assert len(empty.json()) == 1
    assert client.get('/dicom-web/studies?AccessionNumber=""').status_code == 204
    every = "ModalitiesInStudy=CT&ModalitiesInStudy=MR&multiplevaluematching"
    assert client.get(f"/dicom-web/studies?{every}=false").status_code == 200
    assert client.get(f"/dicom-web/studies?{every}=true").status_code == 204
