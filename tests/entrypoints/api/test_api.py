"""Our own JSON: the registry, accounts, tasks, lists; described by OpenAPI."""

import pytest

STUDY = "1.2.826.0.1.3680043.10.1.1"
ENTITY = {"ae_title": "CT1", "host": "127.0.0.1", "port": 104, "roles": ["store"]}


@pytest.fixture
def api(served):
    """An administrator's client."""
    return served.client("administrator")


def test_application_entities(api, free_port):
    """Add, read, change, echo, remove."""
    path = "/api/v1/application-entities"
    assert api.get(path).json() == []
    made = api.post(path, json=ENTITY)
    assert (made.status_code, made.json()["ae_title"]) == (201, "CT1")
    assert api.post(path, json=ENTITY).json()["code"] == "conflict"
    changed = api.request("PUT", f"{path}/CT1", json={"host": "127.0.0.1", "port": free_port})
    assert changed.json()["port"] == free_port
    assert sorted(changed.json()["roles"]) == ["query", "retrieve", "store"]
    echo = api.post(f"{path}/CT1/echo").json()
    assert echo["answers"] is False
    assert echo["reason"]
    assert api.request("DELETE", f"{path}/CT1").status_code == 204
    assert api.get(f"{path}/CT1").json()["code"] == "not-found"
    assert api.request("DELETE", f"{path}/CT1").status_code == 404


@pytest.mark.parametrize(
    "change", [{"ae_title": "A\\B"}, {"port": 0}, {"roles": ["king"]}, {"host": ""}, {"x": 1}]
)
def test_entities_that_cannot_be(api, change):
    """422 that says where."""
    answer = api.post("/api/v1/application-entities", json=ENTITY | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_users_and_tokens(served, api, helpers):
    """A new account's token opens the door."""
    user = {"name": "bea", "roles": ["clinician"], "password": helpers.password}
    assert api.post("/api/v1/users", json=user).status_code == 201
    assert api.post("/api/v1/users", json=user).json()["code"] == "conflict"
    weak = api.post("/api/v1/users", json=user | {"name": "carl", "password": "short"})
    assert weak.json()["code"] == "weak-password"
    assert "bea" in [one["name"] for one in api.get("/api/v1/users").json()]
    assert "argon2" not in api.get("/api/v1/users").text
    token = api.post("/api/v1/users/bea/tokens", json={}).json()["token"]
    client = served.client(None)
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me == {"kind": "user", "name": "bea", "roles": ["clinician"]}
    assert api.post("/api/v1/users/nobody/tokens", json={}).json()["code"] == "not-found"


def test_objects_set_aside(served, api, helpers):
    """Dismissed: the first one stays, the task is closed."""
    served.store(helpers.make_ct(1))
    served.store(helpers.make_ct(1, ImageComments="changed"))
    (aside,) = api.get("/api/v1/set-aside").json()
    assert aside["reason"] == "CONTENT DIFFERS"
    assert len(api.get("/api/v1/tasks").json()) == 1
    path = f"/api/v1/set-aside/{aside['id']}/decision"
    assert api.post(path, json={"decision": "dismiss"}).status_code == 204
    assert api.post(path, json={"decision": "accept"}).json()["code"] == "conflict"
    assert api.get("/api/v1/set-aside").json() == []
    assert api.get("/api/v1/tasks").json() == []


def test_tasks_are_closed(served, api):
    """Once."""
    with served.services.database.connection() as connection:
        number = connection.execute(
            "INSERT INTO task (kind, subject) VALUES ('test', '1.2.3') RETURNING id"
        ).fetchone()[0]
    assert api.post(f"/api/v1/tasks/{number}/done").status_code == 204
    assert api.post(f"/api/v1/tasks/{number}/done").status_code == 404


def test_studies(served, helpers):
    """A page of studies, one with its series, the totals."""
    served.store(helpers.make_ct(1), helpers.make_ct(1, series=2))
    client = served.client("clinician")
    found = client.get("/api/v1/studies", params={"text": "eloise", "limit": 1}).json()
    assert (found["next_cursor"], found["total"]) == (None, 1)
    assert found["studies"][0]["study_instance_uid"] == STUDY
    detail = client.get(f"/api/v1/studies/{STUDY}").json()
    assert [one["series_number"] for one in detail["series"]] == [1, 2]
    assert client.get("/api/v1/studies/1.2.3").json()["code"] == "study-not-found"
    assert client.get("/api/v1/totals").json()["instance_count"] == 2


def test_health(api):
    """Volumes with their free space."""
    health = api.get("/api/v1/system/health").json()
    assert health["ready"] is True
    assert health["volumes"][0]["free_bytes"] > 0


def test_metrics(served):
    """Prometheus text; histograms of the HTTP side are in it."""
    text = served.client("physicist").get("/metrics").text
    assert "negatoscope_http_seconds_bucket" in text


def test_openapi_describes_every_route(api):
    """With a summary, and the shape of refusals."""
    document = api.get("/api/v1/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) >= 15
    for operation in operations:
        assert operation["description"]
        assert "4XX" in operation["responses"]
