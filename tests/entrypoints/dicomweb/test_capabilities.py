"""Capabilities: what OPTIONS says is what the service does."""

import json
import re

import pytest
from lxml import etree

from negatoscope.entrypoints.dicomweb.capabilities import RESOURCES, WADL

STUDY = "1.2.826.0.1.3680043.10.1.1"
FILLED = {"study": STUDY, "series": f"{STUDY}.1", "instance": f"{STUDY}.1.1", "frames": "1",
          "reference": "7FE00010", "workitem": "1.2.3", "aetitle": "VIEWER"}  # fmt: skip
WORKITEM = {
    "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
    "00741200": {"vr": "CS", "Value": ["LOW"]},
    "00741204": {"vr": "LO", "Value": ["Read"]},
    "00404005": {"vr": "DT", "Value": ["20261124"]},
    "00404041": {"vr": "CS", "Value": ["READY"]},
}
FRAMES = "studies/{study}/series/{series}/instances/{instance}/frames/{frames}"
NAMESPACE = "{http://wadl.dev.java.net/2009/02}"


def test_every_resource_answers_what_it_says(served, helpers):
    """OPTIONS allows the methods of the table, GET gives a media type of it, HEAD the same headers."""
    assert served.store(helpers.make_ct(1)).status_code == 200
    client = served.client()
    json_type = {"Content-Type": "application/dicom+json"}
    made = client.post(
        "/dicom-web/workitems?1.2.3", content=json.dumps(WORKITEM), headers=json_type
    )
    assert made.status_code == 201
    for resource in RESOURCES:
        path = "/dicom-web/" + re.sub(r"\{(\w+)\}", lambda m: FILLED[m[1]], resource.template)
        options = client.request("OPTIONS", path, headers={"Accept": "application/json"})
        assert options.status_code == 200, path
        names = {one.name for one in resource.methods}
        assert set(options.headers["allow"].split(", ")) == names | {"OPTIONS"} | (
            {"HEAD"} if "GET" in names else set()
        ), path
        assert options.json()["resources"][0]["path"] == f"/{resource.template}"
        assert client.request("PATCH", path).status_code == 405
        if "GET" not in names:
            continue
        (get,) = (one for one in resource.methods if one.name == "GET")
        for media_type in get.gives:
            accept = {"Accept": f"{media_type}; transfer-syntax=*"}
            if not media_type.partition("type=")[2].startswith('"application') and (
                not media_type.startswith("application/") or media_type == "application/pdf"
            ):
                continue  # depends on the object
            answer = client.get(path, headers=accept)
            assert answer.status_code == 200, (path, media_type)
            assert answer.headers["content-type"].split(";")[0] == media_type.split(";")[0]
        head = client.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path


def test_wadl_of_the_service(served):
    """The default; every resource with its parameters and representations."""
    answer = served.client().request("OPTIONS", "/dicom-web/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == WADL
    root = etree.fromstring(answer.content)
    (resources,) = root
    assert resources.get("base") == "http://archive.test/dicom-web/"
    assert {one.get("path") for one in resources} == {one.template for one in RESOURCES}
    frames = resources.find(f"{NAMESPACE}resource[@path='{FRAMES}']")
    assert [one.get("name") for one in frames.findall(f"{NAMESPACE}param")] == [
        "study", "series", "instance", "frames",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/dicom-web/studies", "image/png", 406),
        ("/dicom-web/studies", "*/*", 200),
        ("/dicom-web", WADL, 200),
        ("/dicom-web/nowhere", WADL, 404),
    ],
)
def test_other_requests(served, path, accept, status):
    """406 for other media types, 404 for no resource."""
    answer = served.client().request("OPTIONS", path, headers={"Accept": accept})
    assert answer.status_code == status
