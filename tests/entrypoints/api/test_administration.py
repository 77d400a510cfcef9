"""Devices, operations and settings as an administrator sees and changes them."""

import time

import pytest

from negatoscope.domain.devices.callers import CallerLedger
from negatoscope.infra import process_reports, runtime_settings
from negatoscope.infra.clock import utc_now
from negatoscope.infra.jobs import submit
from negatoscope.subscribers import audit

ENTITIES = "/api/v1/application-entities"
ENTITY = {"ae_title": "CT1", "host": "127.0.0.1", "port": 104, "roles": ["store"]}
FINGERPRINT = "ab" * 32


@pytest.fixture
def api(served):
    """An administrator's client."""
    return served.client("administrator")


def test_an_entity_proves_who_it_is(api):
    """Certificates, host, limit: kept as asked for, fingerprints in one form."""
    wanted = ENTITY | {
        "tls_required": True,
        "check_host": True,
        "max_associations": 3,
        "certificates": [
            "SHA256:" + ":".join([FINGERPRINT[:2].upper()] * 32),
            "subject:commonName=CT1",
        ],
    }
    made = api.post(ENTITIES, json=wanted)
    assert made.status_code == 201, made.text
    assert made.json()["certificates"] == [f"sha256:{FINGERPRINT}", "subject:commonName=CT1"]
    assert api.get(f"{ENTITIES}/CT1").json()["max_associations"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"host": "169.254.169.254"},
        {"host": "::ffff:169.254.1.1"},
        {"host": "fe80::1%eth0"},
        {"host": "0.0.0.0"},  # noqa: S104
        {"host": "224.0.0.1"},
        {"host": "a/b"},
        {"certificates": ["CN=x"]},
        {"certificates": ["sha256:12"]},
        {"certificates": [f"sha256:{FINGERPRINT}"] * 9},
        {"max_associations": 0},
        {"ae_title": "NEGATOSCOPE"},
    ],
)
def test_what_no_entity_may_be(api, change):
    """Addresses that are no device's, certificates that are none, ourselves."""
    answer = api.post(ENTITIES, json=ENTITY | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert api.get(ENTITIES).json() == []


def test_changes_are_audited_with_before_and_after(served, api):
    """Who, what it was, what it is."""
    api.post(ENTITIES, json=ENTITY)
    api.request("PUT", f"{ENTITIES}/CT1", json={"host": "10.0.0.9", "port": 104})
    written = [
        one
        for one in audit.search(served.services.database)
        if one.action == "write application entity"
    ]
    assert [one.detail["after"]["host"] for one in written] == ["10.0.0.9", "127.0.0.1"]
    assert written[0].detail["before"]["host"] == "127.0.0.1"
    assert written[0].actor_name == "test-administrator"


def test_callers(served, api):
    """Unknown ones are listed with the reason, counted, dismissed; known ones tell when they called."""
    ledger = CallerLedger(served.services.database)
    for _ in range(3):
        ledger.seen("MR\x1b7", "10.0.0.7", refusal="unknown calling AE title")
    ledger.seen("CT1", "10.0.0.1", implementation_version_name="DCMTK")
    ledger.flush()
    api.post(ENTITIES, json=ENTITY)
    (unknown,) = api.get("/api/v1/callers", params={"is_registered": False}).json()
    assert (unknown["ae_title"], unknown["refused_count"]) == ("MR?7", 3)
    assert unknown["last_refusal"] == "unknown calling AE title"
    (known,) = api.get(ENTITIES).json()
    assert (known["accepted_count"], known["refused_count"]) == (1, 0)
    assert known["last_seen_at"]
    path = "/api/v1/callers/MR%3F7/10.0.0.7"
    assert api.request("DELETE", path).status_code == 204
    assert api.request("DELETE", path).status_code == 404


def test_a_scan_of_titles_costs_no_memory(served):
    """Thousands of titles: the ledger is bounded, the table after a while."""
    ledger = CallerLedger(served.services.database)
    for number in range(5000):
        ledger.seen(f"SCAN{number}", "10.0.0.66", refusal="unknown calling AE title")
    ledger.flush()
    with served.services.database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM caller").fetchone() == (1000,)


def test_volumes(served, api, helpers):
    """Space, watermark, what is stored."""
    served.store(helpers.make_ct(1))
    (volume,) = api.get("/api/v1/operations/volumes").json()
    assert volume["name"] == "main"
    assert volume["takes_objects"] is True
    assert volume["total_bytes"] >= volume["free_bytes"] > 0
    assert volume["growth_bytes_per_day"] is None
    assert volume["full_at"] is None


def test_jobs_and_parked_events(served, api):
    """Waiting ones are cancelled, failed ones tried again, parked events delivered again; once each."""
    database = served.services.database
    with database.connection() as connection:
        waiting = submit(connection, "test:waits", study="1.2.3")
        failed = submit(connection, "test:fails")
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", (failed,)
        )
        connection.execute(
            "INSERT INTO job_failure (job_id, reason) VALUES (%s, 'ValueError: no')", (failed,)
        )
        event = connection.execute(
            "INSERT INTO outbox (kind, payload, attempts, parked_at, last_error)"
            " VALUES ('x', '{}', 8, now(), 'OSError') RETURNING id"
        ).fetchone()[0]
    shown = api.get("/api/v1/operations/jobs").json()
    assert {(one["id"], one["status"], one["reason"]) for one in shown["jobs"]} == {
        (waiting, "todo", None),
        (failed, "failed", "ValueError: no"),
    }
    assert [one["reason"] for one in shown["parked"]] == ["OSError"]
    for path in (
        f"jobs/{failed}/retry",
        f"jobs/{waiting}/cancel",
        f"events/{event}/retry",
    ):
        assert api.post(f"/api/v1/operations/{path}").status_code == 204, path
        assert api.post(f"/api/v1/operations/{path}").json()["code"] == "conflict", path
    shown = api.get("/api/v1/operations/jobs").json()
    assert {one["id"]: one["status"] for one in shown["jobs"]} == {
        failed: "todo",
        waiting: "cancelled",
    }
    assert shown["parked"] == []


def test_connections(served, api):
    """What processes said of themselves."""
    database = served.services.database
    association = {
        "calling_ae_title": "CT1",
        "peer_host": "10.0.0.1",
        "tls": "",
        "seconds": 3.0,
        "idle_s": 0.1,
        "requests": 12,
        "last": "C-STORE",
    }
    with database.connection() as connection:
        process_reports.publish(
            connection,
            role="dicom",
            started_at=utc_now(),
            report={"half_open": 2, "associations": [association]},
        )
    shown = api.get("/api/v1/operations/connections").json()
    assert shown["associations"][0]["last"] == "C-STORE"
    assert shown["half_open"] == 2
    assert shown["processes"][0]["role"] == "dicom"
    with database.connection() as connection:
        connection.execute("UPDATE process_report SET reported_at = now() - interval '1 minute'")
    assert api.get("/api/v1/operations/connections").json()["processes"] == []


def test_settings_are_changed_while_everything_runs(served, api):
    """Checked, told to all, remembered, taken back."""
    path = "/api/v1/settings/limits.max_associations"
    before = {one["name"]: one for one in api.get("/api/v1/settings").json()}
    assert before["limits.max_associations"]["value"] == 200
    assert before["database_url"]["value"] == "…"
    assert before["log_level"]["choices"] == ["debug", "info", "warning", "error"]
    assert all(one["english"] for one in before.values() if one["is_changeable"])
    assert all(one["french"] for one in before.values() if one["is_changeable"])
    with served.services.database.connect() as listener:
        listener.execute(f"LISTEN {runtime_settings.CHANNEL}")
        changed = api.request("PUT", path, json={"value": 7})
        assert changed.status_code == 200, changed.text
        assert (changed.json()["value"], changed.json()["source"]) == (7, "administration page")
        assert next(iter(listener.notifies(timeout=5, stop_after=1))).channel == (
            runtime_settings.CHANNEL
        )
    for value in (0, "many", None, [1]):
        refused = api.request("PUT", path, json={"value": value})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input"), value
    for name in ("data_dir", "nothing", "limits"):
        refused = api.request("PUT", f"/api/v1/settings/{name}", json={"value": 1})
        assert refused.status_code == 422, name
    assert api.request("DELETE", path).json()["value"] == 200
    history = api.get("/api/v1/settings/history").json()
    assert [(one["old_value"], one["new_value"]) for one in history] == [(7, None), (None, 7)]
    assert {one["changed_by"] for one in history} == {"test-administrator"}


def test_trusted_proxies_change_at_run_time(served, api):
    """The application takes the new list with its next request; what is no network is refused."""
    path = "/api/v1/settings/trusted_proxies"
    assert api.request("PUT", path, json={"value": ["not a network"]}).status_code == 422
    assert api.request("PUT", path, json={"value": ["10.0.0.0/8"]}).status_code == 200
    with served.services.database.connection() as connection:
        changed = runtime_settings.in_force(served.services.settings, connection)
    served.application.reconfigure(changed)
    assert served.services.settings.trusted_proxies == ("10.0.0.0/8",)
    assert served.services.settings.as_started.trusted_proxies == ()
    assert api.request("DELETE", path).json()["value"] == []


def test_conflicts_side_by_side(served, api, helpers):
    """What differs, by name; accepted, and taken back."""
    served.store(helpers.make_ct(1))
    served.store(helpers.make_ct(1, ImageComments="changed"))
    (aside,) = api.get("/api/v1/set-aside").json()
    shown = api.get(f"/api/v1/set-aside/{aside['id']}").json()
    assert shown["problem"] == ""
    assert [(one["keyword"], one["current"], one["aside"]) for one in shown["differences"]] == [
        ("ImageComments", None, "changed")
    ]
    assert shown["current"]["pixels_sha256"] == shown["aside"]["pixels_sha256"] is not None
    assert shown["equal_count"] > 10
    read = [one for one in audit.search(served.services.database) if one.action == "retrieve"]
    assert read[0].study_instance_uid == shown["study_instance_uid"]

    decision = f"/api/v1/set-aside/{aside['id']}/decision"
    assert api.post(decision, json={"decision": "accept"}).status_code == 204
    (decided,) = api.get("/api/v1/set-aside/decided").json()
    assert decided["state"] == "DISMISSED"
    assert api.post(f"/api/v1/set-aside/{decided['id']}/reopen").status_code == 204
    assert api.post(f"/api/v1/set-aside/{decided['id']}/reopen").json()["code"] == "conflict"
    (again,) = api.get("/api/v1/set-aside").json()
    shown = api.get(f"/api/v1/set-aside/{again['id']}").json()
    assert [(one["current"], one["aside"]) for one in shown["differences"]] == [("changed", None)]
    path = f"/api/v1/set-aside/{again['id']}/decision"
    assert api.post(path, json={"decision": "accept"}).status_code == 204
    assert api.get("/api/v1/set-aside/999999").status_code == 404


def test_health_and_licences(served, api):
    """Each check has a state and, when it is not well, a hint; every package has a licence."""
    shown = api.get("/api/v1/operations/health").json()
    names = {one["name"] for one in shown["checks"]}
    assert {"database", "schema", "clock", "time", "outbox", "jobs", "audit", "processes"} <= names
    assert all(one["hint"] for one in shown["checks"] if one["state"] == "failed")
    assert shown["state"] == "failed"  # no listener, no other process in this test
    components = api.get("/api/v1/operations/licences").json()
    assert components[0]["name"] == "negatoscope"
    assert {"psycopg", "uvloop", "pydicom"} <= {one["name"] for one in components}
    assert not [one for one in components if one["licence"] in {"", "not stated"}]
    text = api.get("/api/v1/operations/licences.txt")
    assert text.headers["content-disposition"].startswith("attachment")
    assert "Permission is hereby granted" in text.text


@pytest.mark.parametrize("role", ["radiologist", "technologist", "physicist", "patient"])
def test_nobody_else(served, role):
    """Every page's data are the administrator's."""
    client = served.client(role)
    for path in (
        "application-entities", "callers", "settings", "settings/history", "set-aside/decided",
        "operations/volumes", "operations/jobs", "operations/connections", "operations/logs",
        "operations/health", "operations/licences",
    ):  # fmt: skip
        assert client.get(f"/api/v1/{path}").json()["code"] == "forbidden", path
    assert client.request("PUT", "/api/v1/settings/log_level", json={"value": "debug"}).json()[
        "code"
    ] == ("forbidden")


def test_logs(served, api, settings):
    """Filtered by level, process and text; lines that are no JSON are passed over."""
    directory = settings.data_dir / "logs"
    directory.mkdir(parents=True)
    lines = [
        f'{{"at":"2026-11-24T10:00:0{n}Z","level":"{level}","role":"{role}","pid":{n},"event":"{event}"}}'
        for n, (level, role, event) in enumerate(
            [("info", "http", "one"), ("error", "http", "two"), ("warning", "dicom", "three")]
        )
    ]
    (directory / "http-1.jsonl").write_text("\n".join([*lines[:2], "{broken", "[]"]))
    (directory / "dicom-2.jsonl").write_text(lines[2] + "\n")
    path = "/api/v1/operations/logs"
    assert [one["event"] for one in api.get(path).json()] == ["three", "two", "one"]
    assert [one["event"] for one in api.get(path, params={"level": "error"}).json()] == ["two"]
    assert [one["event"] for one in api.get(path, params={"role": "dicom"}).json()] == ["three"]
    assert [one["event"] for one in api.get(path, params={"text": "ONE"}).json()] == ["one"]
    assert time.time() > 0
