"""Every refusal has the shape of RFC 9457 and a published code."""

import re
from pathlib import Path

import orjson
import pytest

from negatoscope.entrypoints.web.problems import MEDIA_TYPE, PROBLEM_TYPES, Problem

DOCUMENT = Path(__file__).parents[3] / "docs" / "http.md"


@pytest.mark.parametrize("code", sorted(PROBLEM_TYPES))
def test_shape(code):
    """Type, title, status and code; detail and extra members when there are some."""
    problem = Problem(code, detail="Why.", extra={"available": ["a"]})
    document = orjson.loads(problem.body())
    assert document == {
        "type": f"urn:negatoscope:problem:{code}",
        "title": PROBLEM_TYPES[code].title,
        "status": PROBLEM_TYPES[code].status,
        "code": code,
        "detail": "Why.",
        "available": ["a"],
    }
    assert (b"content-type", MEDIA_TYPE.encode()) in problem.headers()
    assert 400 <= problem.status <= 599


def test_codes_are_published():
    """The table of the documentation is the table of the code."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert rows == [(code, str(found.status)) for code, found in PROBLEM_TYPES.items()]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/dicom-web/studies/x", 400, "bad-uid"),
        ("GET", "/dicom-web/studies?limit=-1", 400, "bad-query"),
        ("GET", "/dicom-web/studies?x=" + "y" * 40_000, 414, "query-too-long"),
        ("GET", "/dicom-web/nowhere", 404, "not-found"),
        ("DELETE", "/dicom-web/studies", 405, "method-not-allowed"),
        ("GET", "/api/v1/nowhere", 404, "not-found"),
        ("DELETE", "/api/v1/me", 405, "method-not-allowed"),
        ("GET", "/api/v1/studies?limit=x", 422, "invalid-input"),
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/sign-in", 405, "method-not-allowed"),
        ("GET", "/assets/../app.py", 404, "not-found"),
    ],
)
def test_every_wire_answers_with_one(served, method, path, status, code):
    """DICOMweb, the JSON of our own, and the page for who does not read HTML."""
    answer = served.client().request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert "GET" in answer.headers["allow"]


def test_refusals_repeat_no_input(served):
    """What was sent, perhaps a patient's name, does not come back."""
    answer = served.client().get("/api/v1/studies?first=DUPONT")
    assert answer.status_code == 422
    assert "DUPONT" not in answer.text
