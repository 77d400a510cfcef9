"""Who gets in: tokens, sessions, other sites; on every route there is."""

import re

from negatoscope.domain.identity import Action, tokens

STUDY = "1.2.826.0.1.3680043.10.1.1"
ROOT = f"/dicom-web/studies/{STUDY}"
INSTANCE = f"{ROOT}/series/{STUDY}.1/instances/{STUDY}.1.1"
OPEN = {
    "/healthz": 200,
    "/readyz": 200,
    "/": 200,
    "/sign-in": 200,
    "/studies": 200,
    "/admin/users": 200,
}
DICOMWEB = {
    ROOT: Action.RETRIEVE,
    f"{ROOT}/metadata": Action.RETRIEVE,
    INSTANCE: Action.RETRIEVE,
    f"{INSTANCE}/metadata": Action.RETRIEVE,
    f"{INSTANCE}/frames/1": Action.RETRIEVE,
    f"{INSTANCE}/bulkdata/7FE00010": Action.RETRIEVE,
    "/dicom-web/studies": Action.QUERY,
    "/dicom-web/series": Action.QUERY,
    f"{ROOT}/instances": Action.QUERY,
    "/metrics": Action.METRICS,
}


def api_routes(served):
    """Method and path of every route of the OpenAPI document, parameters filled."""
    paths = served.client().get("/api/v1/openapi.json").json()["paths"]
    for path, methods in paths.items():
        filled = path.replace("{study_instance_uid}", STUDY).replace("{number}", "1")
        filled = filled.replace("{ae_title}", "CT1").replace("{name}", "nobody")
        if filled.startswith("/api/v1/session"):  # the door itself
            continue
        filled = filled.replace("{patient_key}", "1").replace("{key}", "k")
        filled = re.sub(r"\{\w+_uid\}", "1.2.3", filled)
        for method in methods:
            yield method.upper(), filled


def test_nothing_is_open_but_what_must_be(served):
    """401 with a challenge on every route, whatever the credential's defect."""
    client = served.client(None)
    for path, status in OPEN.items():
        assert client.get(path).status_code == status, path
    routes = [("GET", path) for path in DICOMWEB] + [("POST", "/dicom-web/studies")]
    routes += [*list(api_routes(served)), ("GET", "/api/v1/openapi.json")]
    for method, path in routes:
        answer = client.request(method, path)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer"), path
    for credential in ("Bearer nsc_nonsense", "Basic YTpi", "Bearer", "nonsense"):
        answer = client.get(ROOT, headers={"Authorization": credential})
        assert answer.status_code == 401


def test_reads_are_in_the_audit_trail(served, helpers):
    """One row per reader, study and minute, the number of reads in it."""
    served.store(helpers.make_ct(1))
    client = served.client("clinician")
    for _ in range(5):
        assert client.get(f"{INSTANCE}/frames/1").status_code == 200
    served.services.access.close()
    with served.services.database.connection() as connection:
        rows = connection.execute(
            "SELECT action, outcome, study_instance_uid, sum(event_count) FROM audit_event"
            " WHERE actor_name = 'test-clinician' GROUP BY 1, 2, 3"
        ).fetchall()
    assert rows == [("retrieve", "SUCCESS", STUDY, 5)]


def test_a_revoked_token_ends(served):
    """At once in the process that revokes it."""
    token = served.token()
    client = served.client(None)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    tokens.revoke(served.services.database, token)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_other_sites_are_not_answered_by_default(served):
    """No CORS header without a setting; a preflight is a request without credential."""
    client = served.client(None)
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = client.request("OPTIONS", "/dicom-web/studies", headers=headers)
    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers


def test_a_listed_origin_may_call(served, settings):
    """``cors_origins``: preflight and answers name that origin, no other."""
    from negatoscope.entrypoints.web.app import create_app

    allowed = settings.model_copy(update={"cors_origins": ("https://viewer.example",)})
    served.application = create_app(allowed, served.services)
    client = served.client()
    preflight = client.request(
        "OPTIONS",
        "/dicom-web/studies",
        headers={"Origin": "https://viewer.example", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://viewer.example"
    answer = client.get("/dicom-web/studies", headers={"Origin": "https://viewer.example"})
    assert answer.headers["access-control-allow-origin"] == "https://viewer.example"
    other = client.get("/dicom-web/studies", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_the_host_header_cannot_point_elsewhere(served):
    """A host that is none is not repeated in URLs."""
    client = served.client()
    client.headers["Host"] = 'evil"/><script>'
    answer = client.get("/api/v1/addresses")
    assert answer.status_code == 200
    assert "evil" not in answer.text
