"""Requests of chance on every DICOMweb path: an answer below 500, whatever is asked.

A short, repeatable slice runs here; ``make fuzz`` sets ``NEGATOSCOPE_FUZZ_EXAMPLES`` for a long one.
"""

import os
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negatoscope.entrypoints.dicomweb.capabilities import RESOURCES
from negatoscope.entrypoints.dicomweb.wado_uri import PARAMETERS

STUDY = "1.2.826.0.1.3680043.10.1.1"
EXAMPLES = int(os.environ.get("NEGATOSCOPE_FUZZ_EXAMPLES", "200"))

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
UIDS = [STUDY, f"{STUDY}.1", f"{STUDY}.1.1", f"{STUDY}.1.2", f"{STUDY}.1.3"]
SEGMENTS = st.one_of(
    st.sampled_from([
        *UIDS, *UIDS, "1", "1,2", "2,1,1", "0", "99", "1-3", "7FE00010", "00283000/1/00283006", "60003000",
        "..", "%2e%2e", "%00", "a" * 300, "*", "studies", "",
    ]),
    TEXT.map(lambda text: text.replace("/", "").replace("?", "").replace("#", "")),
)  # fmt: skip
TYPES = [
    "*/*", "application/*", "application/dicom", "application/dicom+json", "application/dicom+xml",
    "application/json", "application/zip", "application/octet-stream", "image/jpeg", "image/jls",
    "image/png", "video/mp4", "text/html", "multipart/related", "multipart/*",
    'multipart/related; type="application/dicom"', 'multipart/related; type="application/dicom+xml"',
    "multipart/related; type=application/octet-stream", 'multipart/related; type="image/*"', "x", '"',
    'multipart/related; type="application/dicom+json"; boundary=b', "application/x-www-form-urlencoded",
]  # fmt: skip
PARAMETER = st.sampled_from([
    "; q=0", "; q=0.5", "; q=2", "; q=x", "; transfer-syntax=*", "; transfer-syntax=1.2.840.10008.1.2.1",
    "; transfer-syntax=1.2.840.10008.1.2.4.80", '; boundary="b"', "; charset=utf-8", "; a", ";", "",
])  # fmt: skip
ACCEPT = st.lists(st.builds(str.__add__, st.sampled_from(TYPES), PARAMETER), max_size=3).map(
    ", ".join
)
VALUE = st.one_of(
    st.sampled_from([
        "", "*", "?", "DUP*", '""', "true", "false", "1", "0", "-1", "99999999999999999999", "20261123",
        "20260101-", "-", "101500-", "\\", "'", "%", "_", "A77\\B", "A77,B", "all", "00080060", "PatientName",
        "0,0,1,1", "1e9", "nan", "1.2.3", "WADO", *UIDS, "application/dicom", "image/jpeg", "yes", "\x00", "é^*",
    ]),
    TEXT,
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from([
        *PARAMETERS, "limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching",
        "multiplevaluematching", "accept", "charset", "PatientName", "PatientID", "StudyDate", "StudyTime",
        "ModalitiesInStudy", "00100010", "0008103E", "00091001", "00400275.00400009",
        "RequestAttributesSequence", "NumberOfStudyRelatedInstances", "Rows", "InstanceNumber", "SOPClassUID",
        "RequestAttributesSequence.RequestedProcedureID", "TimezoneOffsetFromUTC", "Modality",
        "viewport", "window", "quality", "annotation", "iccprofile",
    ]),
    TEXT,
)  # fmt: skip
QUERY = st.lists(st.tuples(NAMES, VALUE), max_size=4)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "accept": ACCEPT,
        "accept-encoding": st.sampled_from(["gzip", "identity;q=0", "*", "br", "gzip;q=0", ",,"]),
        "accept-charset": st.sampled_from(["utf-8", "latin-1", "*;q=0", "x;;"]),
        "range": st.one_of(
            st.sampled_from(
                ["bytes=0-0", "bytes=-1", "bytes=5-", "bytes=9-1", "bytes=0-1,3-4", "x=1"]
            ),
            st.from_regex(r"bytes=[0-9,-]{0,30}", fullmatch=True),
        ),
        "if-none-match": st.sampled_from(["*", '"x"', 'W/"x"', ",", ""]),
        "if-range": st.sampled_from(['"x"', "Wed, 21 Oct 2015 07:28:00 GMT"]),
        "content-type": st.builds(str.__add__, st.sampled_from(TYPES), PARAMETER),
        "content-encoding": st.sampled_from(["identity", "gzip", "x"]),
        "host": st.sampled_from(["a.example", "[::1]:9", "<", ""]),
    },
)
METHODS = st.sampled_from(["GET"] * 6 + ["HEAD", "POST", "POST", "OPTIONS", "PUT", "DELETE"])
BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.sampled_from([
        b"[]", b"{}", b"null", b"[[]]", b'[{"00080018":{"vr":"UI","Value":[null]}}]', b"\xff" * 9,
        b'--b\r\nContent-Type: application/dicom+json\r\n\r\n[{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}]\r\n--b--',
        b"--b\r\n\r\n", b"--b--\r\n", bytes(128) + b"DICM" + bytes(40), b"<NativeDicomModel/>",
    ]),
)  # fmt: skip


def filled(template, segments):
    """A template with segments of chance."""
    given = iter(segments)
    path = re.sub(r"\{\w+\}", lambda _: next(given), template)
    return "/dicom-web/" + quote(path, safe="/%,*")


@st.composite
def paths(draw):
    """Every resource, its parts mostly those of stored objects, and paths that are none."""
    template = draw(st.sampled_from([one.template for one in RESOURCES] + ["/wado", "/wado"]))
    if template == "/wado":
        return template
    if draw(st.integers(0, 3)):
        known = [STUDY, f"{STUDY}.1", f"{STUDY}.1.{draw(st.integers(1, 4))}"]
        return filled(template, [*known, draw(SEGMENTS)])
    return filled(template, draw(st.lists(SEGMENTS, min_size=4, max_size=4)))


@pytest.fixture
def archive(served, helpers):
    """Four images: native, several frames, compressed, and one with a sequence of long values."""
    objects = [
        helpers.make_ct(1),
        helpers.make_ct(2, frames=3),
        helpers.make_ct(3, transfer_syntax="1.2.840.10008.1.2.4.80", frames=2),
        helpers.make_ct(4, transfer_syntax="1.2.840.10008.1.2.1.99"),
    ]
    assert served.store(*objects).status_code == 200
    return served


def test_no_request_fails_us(archive):
    """Whatever path, parameters, headers and body: 1xx to 4xx, and a body that fits the status."""
    client = archive.client("administrator")

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES <= 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(method=METHODS, path=paths(), query=QUERY, headers=HEADERS, body=BODIES)
    def ask(method, path, query, headers, body):
        answer = client.request(
            method,
            path,
            params=query,
            headers={name: value.encode("utf-8") for name, value in headers.items()},
            content=body if method == "POST" else None,
        )
        assert answer.status_code < 500, answer.text
        is_result = answer.status_code == 409  # a Store Instances Response Module
        if answer.status_code >= 400 and method != "HEAD" and not is_result:
            assert answer.json()["status"] == answer.status_code
        if answer.status_code in (204, 304) or method == "HEAD":
            assert not answer.content

    ask()
