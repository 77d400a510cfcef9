"""The list of studies, patients, instances, headers and preferences, as pages ask for them."""

import json
import time

import httpx
import pytest

from negatoscope.entrypoints.api.studies import Studies
from negatoscope.entrypoints.worker.outbox import OutboxConsumer
from negatoscope.infra.events import publish
from negatoscope.subscribers import notifications

STUDY = "1.2.826.0.1.3680043.10.1.1"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def reader(served, helpers):
    """A clinician's client for three studies of two patients with one number."""
    served.store(
        helpers.make_ct(1), helpers.make_ct(2), helpers.make_ct(1, series=2),
        helpers.make_ct(1, study="1.2.3", StudyDate="20200101", StudyDescription=SCRIPT),
        helpers.make_ct(1, study="1.2.4", name="LE GALL^Zoé", IssuerOfPatientID="OTHER",
                        AccessionNumber="B12", Modality="MR", StudyDescription="IRM du genou"),
    )  # fmt: skip
    return served.client("clinician")


def test_words_find_studies(reader):
    """Case and accents do not count, every word must occur, whatever the field."""

    def found(**asked):
        answer = reader.get("/api/v1/studies", params=asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["total"] == len(body["studies"])
        assert body["total_is"] == "exact"
        return [one["study_instance_uid"] for one in body["studies"]]

    assert found() == ["1.2.4", STUDY, "1.2.3"] or found() == [STUDY, "1.2.4", "1.2.3"]
    assert found(text="ELOISE thorac") == [STUDY]
    assert found(text="zoe gall b12 mr genou") == ["1.2.4"]
    assert found(text="zoe thorax") == []
    assert found(patient_id="P1", issuer_of_patient_id="OTHER") == ["1.2.4"]
    assert found(modality=["MR", "US"]) == ["1.2.4"]
    assert found(first="2020-01-01", last="2020-01-01") == ["1.2.3"]
    assert found(order="oldest")[0] == "1.2.3"
    Studies.model_validate_json(reader.get("/api/v1/studies").content)  # as the OpenAPI says
    first = reader.get("/api/v1/studies", params={"limit": 2, "order": "name"}).json()
    second = reader.get(
        "/api/v1/studies", params={"limit": 2, "order": "name", "cursor": first["next_cursor"]}
    ).json()
    assert len(first["studies"]) + len(second["studies"]) == 3
    assert (second["total"], second["next_cursor"]) == (None, None)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"cursor": "x"}, 400, "bad-query"),
        ({"order": "age"}, 422, "invalid-input"),
        ({"limit": 501}, 422, "invalid-input"),
        ({"text": "x" * 201}, 422, "invalid-input"),
        ({"unknown": "1"}, 422, "invalid-input"),
        ({"first": "2020-13-01"}, 422, "invalid-input"),
        ({"modality": ["x" * 17]}, 422, "invalid-input"),
    ],
)
def test_questions_that_are_none(reader, asked, status, code):
    """Are refused, and say why."""
    answer = reader.get("/api/v1/studies", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_no_database_takes_finds_nothing(reader):
    """U+0000, quotes, wildcards: in every field of text; the ends of the calendar."""
    fields = ("text", "patient_name", "patient_id", "issuer_of_patient_id", "accession_number")
    fields += ("study_description", "referring_physician_name", "institution_name", "station_name")
    for field in (*fields, "modality"):
        for text in ("a\0b", "'\"%_\\", "\ufffe"):
            answer = reader.get("/api/v1/studies", params={field: text})
            assert answer.status_code == 200, (field, text, answer.text)
            assert answer.json()["total"] == 0, (field, text)
    ends = {"first": "0001-01-01", "last": "9999-12-31"}
    assert reader.get("/api/v1/studies", params=ends).json()["total"] == 3


def test_a_patient_is_not_a_number(reader):
    """Two persons with the same number stay two, and the page says that there is another."""
    rows = reader.get("/api/v1/studies").json()["studies"]
    keys = {one["study_instance_uid"]: one["patient_key"] for one in rows}
    assert keys[STUDY] == keys["1.2.3"] != keys["1.2.4"]
    patient = reader.get(f"/api/v1/patients/{keys[STUDY]}").json()
    assert [one["study_instance_uid"] for one in patient["studies"]] == [STUDY, "1.2.3"]
    assert (patient["patient_name"], patient["same_identifier_count"]) == ("DUPONT^Éloïse", 1)
    other = reader.get(f"/api/v1/patients/{keys['1.2.4']}").json()
    assert (other["issuer_of_patient_id"], len(other["studies"])) == ("OTHER", 1)
    assert reader.get("/api/v1/patients/999").json()["code"] == "patient-not-found"
    assert reader.get("/api/v1/patients/P1").status_code == 422


def test_series_and_instances(reader):
    """In the order of their numbers, page by page, with something to show."""
    series = reader.get(f"/api/v1/studies/{STUDY}/series").json()
    assert [(one["series_number"], one["instance_count"]) for one in series] == [(1, 2), (2, 1)]
    path = f"/api/v1/studies/{STUDY}/series/{series[0]['series_instance_uid']}/instances"
    first = reader.get(path, params={"limit": 1}).json()
    second = reader.get(path, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    numbers = [one["instance_number"] for page in (first, second) for one in page["instances"]]
    assert numbers == [1, 2]
    assert first["instances"][0]["sop_class_name"] == "CT Image Storage"
    assert reader.get(f"/api/v1/studies/{STUDY}/series/1.9/instances").status_code == 404
    assert reader.get("/api/v1/studies/1.9/series").json()["code"] == "study-not-found"


def test_header(served, reader, helpers):
    """File meta, text in its character set, sequences, private elements by their makers' names."""
    one = helpers.make_ct(5, series=3, ImageComments=SCRIPT)
    block = one.private_block(0x0019, "GEMS_ACQU_01", create=True)
    block.add_new(0x02, "SL", 912)
    one.private_block(0x0021, "NOBODY KNOWS", create=True).add_new(0x01, "LO", "secret")
    one.ReferencedStudySequence = [helpers.make_ct(1)]
    one.ReferencedStudySequence[0].PixelData = b"\0" * 8
    served.store(one)
    header = reader.get(f"/api/v1/instances/{one.SOPInstanceUID}/header").json()
    lines = {e["tag"]: e for e in header["elements"] if e["depth"] == 0}
    assert lines["(0002,0010)"]["value"].startswith("1.2.840.10008.1.2.1 = Explicit VR")
    assert lines["(0010,0010)"]["value"] == "DUPONT^Éloïse"
    assert (lines["(0010,0010)"]["keyword"], lines["(0010,0010)"]["vr"]) == ("PatientName", "PN")
    assert lines["(0020,4000)"]["value"] == SCRIPT
    assert lines["(0019,1002)"]["creator"] == "GEMS_ACQU_01"
    assert lines["(0019,1002)"]["name"] == "Detector Channel"
    assert lines["(0021,1001)"]["name"] is None
    assert any(e["depth"] == 2 and e["tag"] == "(0010,0010)" for e in header["elements"])
    assert (header["problem"], header["is_cut"]) == (None, False)
    assert reader.get("/api/v1/instances/1.9/header").json()["code"] == "instance-not-found"
    assert served.client("secretary").get(
        f"/api/v1/instances/{one.SOPInstanceUID}/header"
    ).status_code == 403  # fmt: skip


def test_a_long_header_is_cut(served, reader, helpers, monkeypatch):
    """Bounded in lines, bytes and characters, and says so."""
    monkeypatch.setattr("negatoscope.domain.archive.elements.MAX_ELEMENTS", 12)
    path = f"/api/v1/instances/{STUDY}.1.1/header"
    header = reader.get(path).json()
    assert (len(header["elements"]), header["is_cut"]) == (12, True)
    monkeypatch.setattr("negatoscope.domain.archive.elements.MAX_ELEMENTS", 1000)
    monkeypatch.setattr("negatoscope.domain.archive.elements.MAX_BYTES", 400)
    header = reader.get(path).json()
    assert (header["is_cut"], header["problem"]) == (True, None)
    served.store(helpers.make_ct(9, series=4, ImageComments="é" * 5000))
    monkeypatch.setattr("negatoscope.domain.archive.elements.MAX_BYTES", 1 << 20)
    header = reader.get(f"/api/v1/instances/{STUDY}.4.9/header").json()
    (comments,) = [e for e in header["elements"] if e["tag"] == "(0020,4000)"]
    assert (len(comments["value"]), comments["is_cut"]) == (1000, True)


def test_preferences(served):
    """Kept for each person; bounded in size and number."""
    client, other = served.client("clinician"), served.client("radiologist")
    path = "/api/v1/me/preferences/studies.columns"
    assert client.get(path).status_code == 204
    for value in ({"order": ["name"], "é": [1, None]}, ["a"], "fr", 3, False):
        assert client.request("PUT", path, json=value).status_code == 204
        assert client.get(path).json() == value
    assert other.get(path).status_code == 204
    assert client.get("/api/v1/me/preferences").json() == {"studies.columns": False}
    assert client.request("PUT", path, json="x" * 70_000).json()["code"] == "body-too-large"
    assert client.request("PUT", path, json="\0").status_code == 413
    odd = {"Content-Type": "application/json"}
    for body in (b'"\\ud800"', b"123456789012345678901234567890", b"[" * 900, b"{", b"", b"null"):
        assert 400 <= client.request("PUT", path, content=body, headers=odd).status_code < 500, body
    assert client.request("PUT", path, content=b"NaN", headers=odd).status_code < 500
    assert client.request("PUT", path, json=False).status_code == 204
    assert client.request("PUT", f"{path}/..", json=1).status_code in {404, 405}
    assert client.request("PUT", "/api/v1/me/preferences/A%20B", json=1).status_code == 422
    assert client.request("DELETE", path).status_code == 204
    assert client.request("DELETE", path).status_code == 404
    for number in range(100):
        assert client.request("PUT", f"{path}{number}", json=1).status_code == 204
    assert client.request("PUT", path, json=1).json()["code"] == "conflict"
    assert client.request("PUT", f"{path}7", json=2).status_code == 204


def events_of(lines):
    """Server-sent events as (name, data)."""
    name = "message"
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def test_arrivals_are_told(served, running):
    """To whoever listens, once the change is committed; who was away is told to look again."""
    database = served.services.database
    consumer = OutboxConsumer(database, {"instances-stored": [notifications.on_instances_stored]})

    def arrives(study):
        with database.connection() as connection:
            publish(connection, "instances-stored", {"study_instance_uid": study, "count": 2})
        assert consumer.deliver_batch() == 1

    url = f"{running.url}/api/v1/events"
    assert httpx.get(url, headers=running.headers).status_code == 406
    headers = running.headers | {"Accept": "text/event-stream"}
    with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "retry: 3000"
        arrives(STUDY)
        name, data = next(events_of(lines))
    assert name == "arrivals"
    assert data == {"studies": [{"study_instance_uid": STUDY, "count": 2}]}
    for last, told in (("0", "arrivals"), ("x", "resync"), ("-1", "resync")):
        away = headers | {"Last-Event-ID": last}
        with httpx.stream("GET", url, headers=away, timeout=20) as answer:
            assert next(events_of(answer.iter_lines()))[0] == told
    assert httpx.get(url).status_code == 401


def test_streams_end_with_the_process(running):
    """An open page does not keep a server that was told to stop."""
    headers = running.headers | {"Accept": "text/event-stream"}
    with httpx.stream("GET", f"{running.url}/api/v1/events", headers=headers) as answer:
        next(answer.iter_lines())
        running.process.terminate()
        begun = time.monotonic()
        running.process.wait(20)
        assert time.monotonic() - begun < 10
