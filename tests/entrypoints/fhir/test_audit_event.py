"""AuditEvent over FHIR R4: search, paging, read, refusals; by one policy."""

from datetime import UTC, datetime, timedelta

import pytest

from negatoscope.domain.identity import Actor
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit.chain import Sealer

ALICE = Actor(kind="user", name="alice", roles=frozenset({"radiologist"}))
CT1 = Actor.application_entity("CT1", frozenset({"store"}))
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BEFORE = "date=lt2026-06-01"


@pytest.fixture
def fhir(served):
    """Somebody who may read, with some events."""
    with served.services.database.connection() as connection:
        for minute, actor, action, more in (
            (
                0,
                ALICE,
                "view",
                {
                    "study_instance_uid": "1.2.1",
                    "patient_id": "P1",
                    "issuer_of_patient_id": "1.2.250.1",
                },
            ),
            (
                1,
                CT1,
                "store",
                {"study_instance_uid": "1.2.2", "patient_id": "P2", "peer": "10.0.0.7"},
            ),
            (2, ALICE, "sign in", {"outcome": "REFUSED", "reason": "bad password"}),
            (3, ALICE, "query", {"detail": {"keys": ["00100020"]}}),
            (1500, ALICE, "break glass", {"patient_id": "P1", "reason": "déchocage"}),
        ):
            audit.record_in(
                connection,
                actor=actor,
                action=action,
                occurred_at=AT + timedelta(minutes=minute),
                **more,
            )
    Sealer(served.services.database).seal()
    return served.client("administrator")


def found(client, query):
    answer = client.get(f"/fhir/AuditEvent?{query}&{BEFORE}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    return answer.json().get("entry", [])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 5), ("patient=P1", 2), ("patient=Patient/P1", 2), ("patient:identifier=urn:oid:1.2.250.1%7CP1", 1),
        ("patient.identifier=P2", 1), ("agent=ALICE", 4), ("agent:identifier=x%7CCT1", 1), ("agent-name=CT1", 1),
        ("entity:identifier=urn:dicom:uid%7Curn:oid:1.2.1", 1), ("type=110114", 1),
        ("type=http://dicom.nema.org/resources/ontology/DCM%7C110112", 1), ("type=110113,110104", 2), ("type=999", 0),
        ("outcome=8", 1), ("outcome=0,8", 5), ("action=C", 1), ("address=10.0.0.7", 1), ("_id=0", 0),
        ("date=2026-03-01", 4), ("date=2026-03", 5), ("date=gt2026-03-01", 1), ("date=ge2026-03-01T09:02:00Z", 3),
        ("date=le2026-03-01T10:01:00%2B01:00", 2), ("date=2026-03-01T09:01", 1), ("date=ge2026-03-01&date=le2026-03-01", 4),
    ],
)  # fmt: skip
def test_each_parameter(fhir, query, count):
    """Alone and combined."""
    assert len(found(fhir, query)) == count


def test_the_resource_says_what_the_record_says(fhir):
    """Who, what, when, outcome; an emergency access with its purpose."""
    (glass,) = [one["resource"] for one in found(fhir, "date=ge2026-03-02")]
    assert glass["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"
    assert glass["purposeOfEvent"][0]["text"] == "déchocage"
    (stored,) = [one["resource"] for one in found(fhir, "agent=CT1")]
    assert (stored["type"]["code"], stored["action"], stored["outcome"]) == ("110104", "C", "0")
    assert stored["recorded"] == "2026-03-01T09:01:00.000Z"
    assert stored["agent"][0]["network"] == {"address": "10.0.0.7", "type": "2"}
    assert [agent["requestor"] for agent in stored["agent"]] == [True, False]
    assert stored["entity"][1]["what"]["identifier"]["value"] == "urn:oid:1.2.2"
    (query,) = [one["resource"] for one in found(fhir, "type=110112")]
    last = query["entity"][-1]
    assert ("name" in last, "query" in last) == (False, True)  # aud-1
    (refused,) = [one["resource"] for one in found(fhir, "outcome=8")]
    assert refused["outcomeDesc"] == "bad password"
    read = fhir.get(f"/fhir/AuditEvent/{stored['id']}")
    assert read.json() == stored
    assert fhir.get("/fhir/AuditEvent/999999").json()["resourceType"] == "OperationOutcome"


def test_pages_are_linked(fhir):
    """Each event once, by the links alone."""
    seen = []
    path = f"/fhir/AuditEvent?_count=2&{BEFORE}"
    while path:
        bundle = fhir.get(path).json()
        seen += [one["resource"]["id"] for one in bundle["entry"]]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        path = links["next"].split("/fhir/", 1)[1] if "next" in links else None
        path = path and f"/fhir/{path}"
    assert len(seen) == len(set(seen)) == 5
    assert fhir.get("/fhir/AuditEvent?_count=0").json()["entry"] == []


def test_search_by_post(served, fhir):
    """As a form; the parameters do not stand in an address."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = fhir.request(
        "POST", "/fhir/AuditEvent/_search", content=b"patient=P1&date=lt2026-06-01", headers=headers
    )
    assert len(answer.json()["entry"]) == 2
    assert fhir.request("POST", "/fhir/AuditEvent/_search", content=b"{}").status_code == 415
    (row,) = [
        e
        for e in audit.search(served.services.database)
        if e.action == "read audit" and e.patient_id == "P1"
    ]
    assert (row.door, row.actor_name) == ("fhir", "test-administrator")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fhir/AuditEvent?date=yesterday", 400, "invalid"), ("/fhir/AuditEvent?date=2026-02-31", 400, "invalid"),
        ("/fhir/AuditEvent?date=0000", 400, "invalid"), ("/fhir/AuditEvent?_count=many", 400, "invalid"),
        ("/fhir/AuditEvent?_cursor=x", 400, "invalid"), ("/fhir/AuditEvent?_sort=date", 400, "invalid"),
        ("/fhir/AuditEvent?_format=xml", 406, "not-supported"), ("/fhir/AuditEvent/x%2F..", 404, "not-found"),
        ("/fhir/Medication", 404, "not-found"), ("/fhir/", 404, "not-found"),
        ("/fhir/AuditEvent?patient=%00&agent=%27%22", 200, None), ("/fhir/AuditEvent?nonsense=1", 200, None),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(fhir, path, status, code):
    """An OperationOutcome with a code, or an answer; never a crash."""
    answer = fhir.get(path)
    assert answer.status_code == status, answer.text
    if code:
        assert answer.json()["issue"][0]["code"] == code


def test_unknown_parameters_are_refused_when_asked_to(fhir):
    """``Prefer: handling=strict``."""
    answer = fhir.get("/fhir/AuditEvent?nonsense=1", headers={"Prefer": "handling=strict"})
    assert answer.status_code == 400


def test_who_may(served, fhir):
    """Nobody without credential, no role but those that read the trail; refusals are recorded; metadata is open."""
    assert served.client(None).get("/fhir/AuditEvent").status_code == 401
    for role in ("radiologist", "clinician", "patient"):
        answer = served.client(role).get("/fhir/AuditEvent")
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
        (row,) = audit.search(served.services.database, actor_name=f"test-{role}")
        assert (row.outcome, row.door) == ("REFUSED", "fhir")
    statement = served.client(None).get("/fhir/metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    assert {one["name"] for one in statement["rest"][0]["resource"][-1]["searchParam"]} >= {
        "date",
        "patient",
        "agent",
    }
    assert fhir.request("DELETE", "/fhir/AuditEvent").status_code == 405
