"""Store: what goes in, what is refused, what stays when the body breaks off."""

import asyncio

import pytest
from pydicom import Dataset

STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"


def instances(served):
    """SOP Instance UIDs in the archive."""
    with served.services.database.connection() as connection:
        rows = connection.execute("SELECT sop_instance_uid FROM instance ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def post(served, body, headers, path="/dicom-web/studies", role="radiologist"):
    """One request."""
    return served.client(role).post(path, content=body, headers=headers)


def test_instances_are_stored(served, helpers):
    """200, and an item with its Retrieve URL for each."""
    answer = served.store(helpers.make_ct(1), helpers.make_ct(2))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    said = Dataset.from_json(answer.text)
    assert [item.ReferencedSOPInstanceUID for item in said.ReferencedSOPSequence] == [
        f"{STUDY}.1.1",
        f"{STUDY}.1.2",
    ]
    assert said.RetrieveURL == f"http://archive.test{ROOT}"
    url = said.ReferencedSOPSequence[0].RetrieveURL
    assert served.client().get(url).status_code == 200


def test_a_file_alone_is_taken(served, helpers):
    """``application/dicom``, for curl."""
    file = helpers.part10(helpers.make_ct(1))
    answer = post(served, file, {"Content-Type": "application/dicom"}, ROOT)
    assert answer.status_code == 200
    assert instances(served) == [f"{STUDY}.1.1"]


def test_the_same_again_is_success(served, helpers):
    """No second copy, no warning."""
    served.store(helpers.make_ct(1))
    answer = served.store(helpers.make_ct(1))
    assert answer.status_code == 200
    assert "00081196" not in answer.json()["00081199"]["Value"][0]
    assert instances(served) == [f"{STUDY}.1.1"]


def test_other_content_is_kept_aside_with_a_warning(served, helpers):
    """202 with a Warning Reason; the first one stays."""
    first = helpers.make_ct(1)
    served.store(first)
    answer = served.store(helpers.make_ct(1, ImageComments="changed"))
    assert answer.status_code == 202
    assert answer.json()["00081199"]["Value"][0]["00081196"]["Value"] == [0xB000]
    path = f"{ROOT}/series/{STUDY}.1/instances/{STUDY}.1.1"
    kept = served.client().get(path, headers={"Accept": "application/dicom"})
    assert helpers.data_set_of(kept.content) == helpers.data_set_of(helpers.part10(first))


def test_another_study_than_the_resource_is_refused(served, helpers):
    """PS3.18 §10.5.1: ``/studies/{study}`` takes that study only."""
    body, header = helpers.related(helpers.part10(helpers.make_ct(1)))
    answer = post(served, body, header, "/dicom-web/studies/1.2.3")
    assert answer.status_code == 409
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081155"]["Value"] == [f"{STUDY}.1.1"]
    assert failed["00081197"]["Value"] == [0xA900]
    assert instances(served) == []


def test_good_and_bad_parts(served, helpers):
    """202; each part has its own result and the good one stays."""
    broken = helpers.part10(helpers.make_ct(2))[:-7]
    body, header = helpers.related(
        helpers.part10(helpers.make_ct(1)), broken, b"MZ this is no DICOM"
    )
    answer = post(served, body, header)
    assert answer.status_code == 202
    said = answer.json()
    assert len(said["00081199"]["Value"]) == 1
    assert said["00081198"]["Value"][0]["00081155"]["Value"] == [f"{STUDY}.1.2"]
    assert 0xC000 <= said["00081198"]["Value"][0]["00081197"]["Value"][0] <= 0xCFFF
    assert said["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC004]
    assert instances(served) == [f"{STUDY}.1.1"]


def test_parts_of_another_type_are_refused(served, helpers):
    """A part says it is text, or is encoded for mail."""
    file = helpers.part10(helpers.make_ct(1))
    for head in (
        b"Content-Type: text/plain\r\n",
        b"Content-Type: application/dicom\r\nContent-Transfer-Encoding: base64\r\n",
    ):
        body = b"--b\r\n" + head + b"\r\n" + file + b"\r\n--b--"
        header = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
        answer = post(served, body, header)
        assert answer.status_code == 409
        assert len(answer.json()["0008119A"]["Value"]) == 1
    assert instances(served) == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 415, "unsupported-media-type"),
        ({"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (
            {"Content-Type": 'multipart/related; type="image/jpeg"; boundary=b0'},
            415,
            "unsupported-media-type",
        ),
        ({"Content-Type": "nonsense"}, 400, "bad-request"),
        ({"Content-Type": "multipart/related"}, 400, "bad-multipart"),
        ({"Content-Type": 'multipart/related; boundary="a;\u00e9"'}, 400, "bad-multipart"),
        ({"Content-Type": "multipart/related; boundary=other"}, 400, "bad-multipart"),
        (
            {"Content-Type": "application/dicom", "Content-Encoding": "gzip"},
            415,
            "unsupported-content-encoding",
        ),
        (
            {"Content-Type": "application/dicom", "Accept": "image/jpeg"},
            406,
            "not-acceptable",
        ),
    ],
)
def test_bodies_that_are_not_taken(served, helpers, headers, status, code):
    """Each with a problem document."""
    body, _ = helpers.related(helpers.part10(helpers.make_ct(1)))
    answer = post(served, body, {k: v.encode("latin-1") for k, v in headers.items()})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert instances(served) == []


def test_a_body_that_ends_early_keeps_its_whole_parts(served, helpers):
    """400 that lists what was stored."""
    body, header = helpers.related(
        helpers.part10(helpers.make_ct(1)), helpers.part10(helpers.make_ct(2))
    )
    answer = post(served, body[:-40], header)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-multipart")
    kept = answer.json()["store_response"]["00081199"]["Value"]
    assert [item["00081155"]["Value"] for item in kept] == [[f"{STUDY}.1.1"]]
    assert instances(served) == [f"{STUDY}.1.1"]


def test_an_empty_multipart(served, helpers):
    """Nothing to store is an error of the client's."""
    body, header = helpers.related()
    assert post(served, body, header).json()["code"] == "bad-multipart"


def test_a_client_that_goes_away(served, helpers):
    """Whole parts stay, the one under way leaves nothing, the session is closed."""
    body, header = helpers.related(
        helpers.part10(helpers.make_ct(1)), helpers.part10(helpers.make_ct(2))
    )
    messages = [
        {"type": "http.request", "body": body[:-30], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/dicom-web/studies",
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 9),
        "headers": [
            (b"authorization", f"Bearer {served.token()}".encode()),
            (b"content-type", header["Content-Type"].encode()),
        ],
    }
    helpers.loop.run_until_complete(served.application(scope, receive, send))
    assert sent == []
    assert instances(served) == [f"{STUDY}.1.1"]
    assert served.store(helpers.make_ct(2)).status_code == 200


def test_many_small_parts(served):
    """Twenty thousand parts that are nothing: one result each, bounded memory."""
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\nx\r\n"
    header = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    answer = post(served, part * 20_000 + b"--b--\r\n", header)
    assert answer.status_code == 409
    assert len(answer.json()["0008119A"]["Value"]) == 20_000


def test_too_many_parts(served, monkeypatch):
    """413 when one request brings more parts than are looked at."""
    monkeypatch.setattr("negatoscope.entrypoints.dicomweb.stow_rs.MAX_PARTS", 3)
    part = b"--b\r\n\r\nx\r\n"
    header = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    answer = post(served, part * 4 + b"--b--\r\n", header)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_a_full_volume_is_503(served, helpers, monkeypatch):
    """With Retry-After; reading goes on; nothing is kept."""
    served.store(helpers.make_ct(1))
    volume_type = type(next(iter(served.services.archive.volumes.values())))
    monkeypatch.setattr(volume_type, "has_room", lambda _volume: False)
    body, header = helpers.related(
        helpers.part10(helpers.make_ct(2)), helpers.part10(helpers.make_ct(3))
    )
    answer = post(served, body, header)
    assert (answer.status_code, answer.json()["code"]) == (503, "out-of-resources")
    assert int(answer.headers["retry-after"]) > 0
    failed = answer.json()["store_response"]
    reasons = [
        item["00081197"]["Value"]
        for tag in ("00081198", "0008119A")
        for item in failed.get(tag, {}).get("Value", [])
    ]
    assert reasons == [[0xA700], [0xA700]]
    assert served.client().get(ROOT).status_code == 200
    ready = served.client(None).get("/readyz")
    assert (ready.status_code, ready.json()["causes"]) == (503, ["no volume takes new objects"])
    monkeypatch.undo()
    assert post(served, body, header).status_code == 200


def test_who_may_not_store(served, helpers):
    """A clinician reads; 403 and a row in the audit trail."""
    body, header = helpers.related(helpers.part10(helpers.make_ct(1)))
    answer = post(served, body, header, role="clinician")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    with served.services.database.connection() as connection:
        row = connection.execute(
            "SELECT actor_name, action, outcome FROM audit_event ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row == ("test-clinician", "store", "REFUSED")


def test_a_silent_client_is_given_up(served, helpers, monkeypatch):
    """408 when the body stops coming; what was whole is stored."""
    monkeypatch.setattr("negatoscope.entrypoints.web.asgi.BODY_IDLE_TIMEOUT_S", 0.1)
    body, header = helpers.related(
        helpers.part10(helpers.make_ct(1)), helpers.part10(helpers.make_ct(2))
    )

    async def slow():
        yield body[:-30]
        await asyncio.sleep(5)

    answer = served.client().post("/dicom-web/studies", content=slow(), headers=header)
    assert (answer.status_code, answer.json()["code"]) == (408, "request-timeout")
    assert instances(served) == [f"{STUDY}.1.1"]
