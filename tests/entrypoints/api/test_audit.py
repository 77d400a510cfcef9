"""The trail over HTTP: found by every fact, paged, exported, told to patients, and itself recorded."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from negatoscope.domain.identity import Actor
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit.chain import Sealer

EVENTS = "/api/v1/audit/events"
ALICE = Actor(kind="user", name="Alice", roles=frozenset({"radiologist"}))
CT1 = Actor.application_entity("CT1", frozenset({"retrieve"}))


@pytest.fixture
def api(served):
    """Somebody who may read the trail."""
    return served.client("administrator")


@pytest.fixture
def trail(served):
    """Events of two people and a device about two patients, half of them sealed."""
    database = served.services.database
    at = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def write(minute, actor, action, **more):
        with database.connection() as connection:
            audit.record_in(
                connection,
                actor=actor,
                action=action,
                occurred_at=at + timedelta(minutes=minute),
                **more,
            )

    write(
        0,
        ALICE,
        "view",
        study_instance_uid="1.2.1",
        patient_id="P1",
        issuer_of_patient_id="CHU",
        peer="10.0.0.1",
    )
    write(1, ALICE, "view", study_instance_uid="1.2.2", patient_id="P2", peer="10.0.0.1")
    write(
        2,
        CT1,
        "retrieve",
        study_instance_uid="1.2.1",
        patient_id="P1",
        issuer_of_patient_id="CHU",
        destination="WS7",
    )
    Sealer(database).seal()
    write(3, ALICE, "sign in", outcome="REFUSED", reason="bad password")
    write(
        4,
        ALICE,
        "break glass",
        patient_id="P1",
        issuer_of_patient_id="CHU",
        reason="polytraumatisé, déchocage",
    )
    write(
        1500,
        ALICE,
        "query",
        patient_id="P1",
        issuer_of_patient_id="OTHER",
        detail={"keys": ["00100020"]},
    )
    return served


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("patient_id=P1", 4),
        ("patient_id=P1&issuer_of_patient_id=CHU", 3),
        ("patient_id=P2&issuer_of_patient_id=", 1),
        ("actor=alice", 5),
        ("actor_kind=ae", 1),
        ("event_class=view&event_class=sign%20in", 3),
        ("outcome=REFUSED", 1),
        ("study_instance_uid=1.2.1", 2),
        ("after=2026-03-01T09:01:00Z&before=2026-03-01T10:02:00%2B01:00", 1),
        ("after=2026-03-02T00:00:00", 1),
        ("text=polytrauma", 1),
        ("text=POLYTRAUMATIS%C3%89 d%C3%A9choc", 1),
        ("text=ws7 ct", 1),
        ("text=10.0.0.1", 2),
        ("text=00100020", 1),
        ("text=%27%20%7C%20%5C%20%26%20!%3A*", 6),
        ("text=nothing", 0),
        ("peer=10.0.0.1&event_class=view&patient_id=P2", 1),
    ],
)  # fmt: skip
def test_every_fact_finds_its_events(trail, api, query, count):
    """Sealed or not, alone or together."""
    found = api.get(
        f"{EVENTS}?{query}&before=2026-06-01T00:00:00Z"
        if "before" not in query
        else f"{EVENTS}?{query}"
    )
    assert found.status_code == 200, found.text
    assert len(found.json()["events"]) == count


def test_pages_follow_each_other(trail, api):
    """Every event once, newest first, across both tables."""
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(
            f"{EVENTS}?limit=2&before=2026-06-01T00:00:00Z"
            + (f"&cursor={cursor}" if cursor else "")
        ).json()
        seen += [event["occurred_at"] for event in page["events"]]
        cursor = page["next_cursor"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 6


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x", "cursor=AAAA", "limit=0", "limit=9999", "after=yesterday", "outcome=MAYBE", "event_class=x",
        "study_instance_uid=../1", "unknown=1", "patient_id=" + "x" * 300,
    ],
)  # fmt: skip
def test_questions_that_cannot_be(api, query):
    """A problem document that says where."""
    answer = api.get(f"{EVENTS}?{query}")
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"bad-query", "invalid-input"}


def test_odd_text_finds_nothing_and_breaks_nothing(api):
    """NUL, quotes, control characters, half a character."""
    for text in ("%00", "%27%3B--", "%ED%A0%80", "%0A", "%F0%9F%92%A9" * 20):
        assert api.get(f"{EVENTS}?text={text}&patient_id={text}").status_code in {200, 400, 422}


@pytest.mark.parametrize(
    "role", ["radiologist", "technologist", "secretary", "clinician", "patient", "partner"]
)
def test_others_may_not_read_it(served, role):
    """403 at each door, and the attempt is in the trail."""
    client = served.client(role)
    for path in (EVENTS, "/api/v1/audit/export", "/api/v1/audit/days", "/api/v1/audit/patient?patient_id=P1",
                 "/api/v1/audit/patient/export?patient_id=P1", "/api/v1/audit/state"):  # fmt: skip
        assert client.get(path).json()["code"] == "forbidden", path
    assert client.post("/api/v1/audit/verifications").json()["code"] == "forbidden"
    rows = audit.search(served.services.database, actor_name=f"test-{role}")
    assert {(row.action, row.outcome, row.event_class) for row in rows} == {
        ("read audit", "REFUSED", "audit")
    } | ({("read audit", "REFUSED", "audit")})


def test_exports_are_whole_safe_and_recorded(trail, api):
    """CSV and JSON lines; no cell is a formula; who exported what is in the trail."""
    with trail.services.database.connection() as connection:
        audit.record_in(
            connection, actor=Actor.anonymous('=cmd|"x"!A1'), action="associate", outcome="REFUSED"
        )
    answer = api.get("/api/v1/audit/export?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert "attachment" in answer.headers["content-disposition"]
    assert '\'=cmd|"x"!A1' in [row["actor_name"] for row in rows]
    assert {row["patient_id"] for row in rows} >= {"P1", "P2", ""}
    lines = api.get("/api/v1/audit/export?format=json&patient_id=P1").text.splitlines()
    assert [json.loads(line)["patient_id"] for line in lines].count("P1") >= 4
    exports = [e for e in audit.search(trail.services.database) if e.action == "audit export"]
    assert [(e.event_class, e.patient_id, e.detail) for e in exports] == [
        ("audit", "P1", {"format": "json", "patient_id": "P1"}),
        ("audit", None, {}),
    ]


def test_counts_per_day(trail, api):
    """By day, class and outcome."""
    days = api.get("/api/v1/audit/days?before=2026-06-01T00:00:00Z").json()["days"]
    assert {
        "day": "2026-03-01",
        "event_class": "view",
        "outcome": "SUCCESS",
        "event_count": 2,
    } in days
    assert {
        "day": "2026-03-02",
        "event_class": "query",
        "outcome": "SUCCESS",
        "event_count": 1,
    } in days


def test_who_saw_this_patient(trail, api, helpers):
    """One line for each actor, kind, study and day; the study that is here is described."""
    trail.store(helpers.make_ct(1, study="1.2.1", patient_id="P1", name="DUPONT^Éloïse"))
    report = api.get("/api/v1/audit/patient?patient_id=P1").json()
    assert report["patient_name"] == "DUPONT^Éloïse"
    assert [
        (one["actor_name"], one["event_class"], one["study_description"])
        for one in report["accesses"]
    ] == [
        ("Alice", "break glass", None),
        ("CT1", "retrieve", "Scanner thoracique"),
        ("Alice", "view", "Scanner thoracique"),
    ]
    every = api.get("/api/v1/audit/patient?patient_id=P1&every_class=true").json()
    assert len(every["accesses"]) >= 4
    newest = audit.search(trail.services.database)[0]
    assert (newest.action, newest.patient_id, newest.actor_name) == (
        "read audit",
        "P1",
        "test-administrator",
    )


def test_the_patients_page(trail, api, helpers):
    """French or English, with or without names; nothing of a peer's text becomes markup."""
    with trail.services.database.connection() as connection:
        audit.record_in(
            connection,
            actor=ALICE,
            action="view",
            patient_id="P1",
            reason="<script>alert(1)</script>",
        )
    path = "/api/v1/audit/patient/export?patient_id=P1"
    french = api.get(path)
    assert french.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Accès à vos examens" in french.text
    assert "Radiologue" in french.text
    assert "Alice" not in french.text
    assert "Accès d’urgence" in french.text
    assert "<script" not in french.text
    assert "&lt;script&gt;" in french.text
    english = api.get(f"{path}&language=en&names=true").text
    assert "Alice (Radiologist)" in english
    table = api.get(f"{path}&format=csv&names=true").content.decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(table)))[:2] == ["Date", "Qui"]


def test_the_state_and_a_verification_on_request(trail, api):
    """Chains, what waits; a request is taken once and the worker answers it."""
    state = api.get("/api/v1/audit/state").json()
    assert {one["chain"]: one["seq"] for one in state["chains"]}["access"] == 3
    assert state["waiting_count"] >= 3
    asked = api.post("/api/v1/audit/verifications")
    assert asked.status_code == 202
    assert api.post("/api/v1/audit/verifications").json()["id"] == asked.json()["id"]
    audit.verification.run_due(trail.services.database, every_s=3600, files=())
    (done,) = api.get("/api/v1/audit/state").json()["verifications"]
    assert (done["findings"], done["record_count"], done["requested_by"]) == (
        [],
        3,
        "test-administrator",
    )
