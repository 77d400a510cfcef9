"""Calls to other applications over HTTP: offered where something is open, noted, led to."""

import pytest

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry

TEMPLATES = "/api/v1/call-templates"
STUDY = "1.2.826.0.1.3680043.10.1.1"


@pytest.fixture
def called(served, helpers):
    """A study in the archive, a registered patient, three addresses; the patient's number."""
    served.store(helpers.make_ct(1, patient_id="P&1 ", IssuerOfPatientID="CHU-X"))
    api = served.client("administrator")
    for label, place, template in (
        ("DPI", "STUDY", "https://dpi.example/?a={accession_number}&p={patient_id:CHU-X}&u={user}"),
        ("Labo", "STUDY", "https://labo.example/?p={patient_id:LABO}"),
        ("Dossier", "PATIENT", "https://dpi.example/p/{patient_id}"),
    ):
        made = api.post(TEMPLATES, json={"label": label, "place": place, "template": template})
        assert made.status_code == 201, made.text
    with served.services.database.connection() as connection:
        return (
            Registry(connection)
            .register(
                updates={"birth_name": PersonName(family="DURAND")},
                identifiers=[
                    Identifier(value="77/1", authority=Authority(namespace="CHU-X"), type_code="PI")
                ],
                source="user:test",
            )
            .patient
        )


def test_what_is_offered_and_where_it_leads(served, called):
    api = served.client("radiologist")
    offered = api.get("/api/v1/calls", params={"study_instance_uid": STUDY}).json()
    assert [one["label"] for one in offered] == ["DPI"]  # no number of the laboratory is known
    opened = api.get(f"/api/v1/calls/{offered[0]['id']}/open", params={"study_instance_uid": STUDY})
    assert opened.status_code == 303
    assert opened.headers["location"] == "https://dpi.example/?a=A77&p=P%261&u=test-radiologist"
    assert opened.headers["referrer-policy"] == "no-referrer"
    (patient,) = api.get("/api/v1/calls", params={"registered_patient": called}).json()
    opened = api.get(f"/api/v1/calls/{patient['id']}/open", params={"registered_patient": called})
    assert opened.headers["location"] == "https://dpi.example/p/77%2F1"
    # not with something else than it is for
    wrong = api.get(f"/api/v1/calls/{patient['id']}/open", params={"study_instance_uid": STUDY})
    assert wrong.status_code == 404
    audit = served.client("administrator").get(
        "/api/v1/audit/events", params={"action": "open in another application"}
    )
    assert audit.status_code != 200 or "DPI" in audit.text


def test_it_is_asked_what_somebody_may_see(served, called):
    for query in ({}, {"study_instance_uid": STUDY, "patient_key": 1}):
        assert served.client("radiologist").get("/api/v1/calls", params=query).status_code == 400
    unknown = {"study_instance_uid": "1.2.3"}
    assert served.client("radiologist").get("/api/v1/calls", params=unknown).status_code == 404
    of_patient = {"registered_patient": called}
    assert served.client("clinician").get("/api/v1/calls", params=of_patient).status_code == 403
    assert served.client(None).get("/api/v1/calls", params=of_patient).status_code == 401


def test_an_administrator_configures(served, called):
    api = served.client("administrator")
    one = api.get(TEMPLATES).json()[0]
    path = f"{TEMPLATES}/{one['id']}"
    changed = {key: value for key, value in one.items() if key != "id"} | {"is_active": False}
    assert api.request("PUT", path, json=changed).status_code == 200
    assert api.request("PUT", path, json=changed).status_code == 409
    bad = {"label": "X", "place": "STUDY", "template": "javascript:alert(1)"}
    assert api.post(TEMPLATES, json=bad).status_code == 422
    same = {"label": one["label"], "place": "STUDY", "template": "https://x/"}
    assert api.post(TEMPLATES, json=same).status_code == 409
    assert api.request("DELETE", path).status_code == 204
    assert api.request("DELETE", path).status_code == 404
    assert served.client("radiologist").get(TEMPLATES).status_code == 403
