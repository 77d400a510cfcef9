"""The catalogue and the resources over HTTP: read by the department, kept by who may."""

import pytest

from negatoscope.demo.catalogue import load_catalogue

CATALOGUE = "/api/v1/catalogue"
FILES = "/api/v1/catalogue-files"
RESOURCES = "/api/v1/resources"


@pytest.fixture
def api(served):
    load_catalogue(served.services.database)
    return served.client("administrator")


def test_the_demonstration_is_a_department(served):
    database = served.services.database
    assert load_catalogue(database) > 140
    assert load_catalogue(database) == 0
    api = served.client("secretary")
    devices = api.get(RESOURCES, params={"kind": "DEVICE"}).json()
    counts = {}
    for one in devices:
        counts[one["modality"]] = counts.get(one["modality"], 0) + 1
    assert (counts["CT"], counts["MR"], counts["US"], len(devices)) == (4, 3, 10, 31)
    procedures = api.get(CATALOGUE, params={"limit": 500}).json()
    assert len(procedures) >= 80
    assert all(one["label_fr"] and one["label_en"] for one in procedures)
    protocols = api.get(f"{CATALOGUE}/protocols", params={"text": "RACHIS lomb"}).json()
    assert [(one["code_meaning"], one["modalities"]) for one in protocols] == [
        ("IRM du rachis lombaire", ["MR"])
    ]
    found = api.get(f"{CATALOGUE}/protocols", params={"modality": "CT", "limit": 3}).json()
    assert len(found) == 3
    assert all("CT" in one["modalities"] for one in found)
    rooms = api.get(RESOURCES, params={"kind": "ROOM"}).json()
    assert all(one["hours"] for one in rooms)
    night = next(one for one in rooms if one["name"] == "Scanner urgences")
    assert night["hours"][0]["closes"] == "23:59:00"


def test_a_procedure_is_found_changed_and_kept_from_a_late_writer(served, api):
    (found,) = api.get(CATALOGUE, params={"text": "echographie du foie"}).json() or [None]
    assert found is None
    (found,) = api.get(CATALOGUE, params={"text": "IRM du foie"}).json()
    values = {name: value for name, value in found.items() if name != "id"}
    changed = api.request("PUT", f"{CATALOGUE}/{found['id']}", json=values | {"duration_min": 50})
    assert (changed.status_code, changed.json()["duration_min"]) == (200, 50)
    late = api.request("PUT", f"{CATALOGUE}/{found['id']}", json=values | {"duration_min": 10})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert "meanwhile" in late.json()["detail"]
    assert api.post(CATALOGUE, json={**values, "version": 1}).status_code == 422
    del values["version"]
    assert api.post(CATALOGUE, json=values).status_code == 409
    added = api.post(CATALOGUE, json=values | {"code_value": "LOCAL1", "rooms": [10**9]})
    assert added.status_code == 422
    added = api.post(CATALOGUE, json=values | {"code_value": "LOCAL1"}).json()
    assert (
        api.request("DELETE", f"{CATALOGUE}/{added['id']}", params={"version": 1}).status_code
        == 204
    )
    assert api.get(f"{CATALOGUE}/{added['id']}").status_code == 404
    secretary = served.client("secretary")
    assert secretary.get(f"{CATALOGUE}/{found['id']}").json()["duration_min"] == 50
    assert (
        secretary.request("DELETE", f"{CATALOGUE}/{found['id']}", params={"version": 2}).status_code
        == 403
    )
    assert served.client("clinician").get(CATALOGUE).status_code == 403


def test_rooms_devices_and_hours(api):
    room = api.post(RESOURCES, json={"kind": "ROOM", "name": "IRM 4"}).json()
    device = {"kind": "DEVICE", "name": "MR X", "modality": "MR", "room": room["id"]}
    shown = {"shows": "ROOM", "modalities": [], "days_before": 0, "days_after": 3}
    added = api.post(RESOURCES, json=device | {"ae_title": "MR4", "worklist_filter": shown})
    assert added.json()["worklist_filter"] == shown
    again = api.post(RESOURCES, json=device | {"name": "MR Y", "ae_title": "MR4"})
    assert again.status_code == 409
    assert api.post(RESOURCES, json=device | {"ae_title": "a\\b"}).status_code == 422
    path = f"{RESOURCES}/{room['id']}"
    hours = [{"weekday": 1, "opens": "08:00", "closes": "12:00"}]
    kept = api.request("PUT", f"{path}/opening-hours", json={"version": 1, "hours": hours}).json()
    assert (kept["version"], kept["hours"][0]["closes"]) == (2, "12:00:00")
    late = api.request("PUT", f"{path}/opening-hours", json={"version": 1, "hours": []})
    assert late.status_code == 409
    overlap = [*hours, {"weekday": 1, "opens": "11:00", "closes": "13:00"}]
    wrong = api.request("PUT", f"{path}/opening-hours", json={"version": 2, "hours": overlap})
    assert "overlap" in wrong.json()["detail"]
    assert api.request("DELETE", path, params={"version": 2}).status_code == 409
    closed = {name: kept[name] for name in ("kind", "name", "location", "version")}
    assert api.request("PUT", path, json=closed | {"is_active": False}).json()["is_active"] is False


def test_files_go_out_and_in(api):
    answer = api.get(f"{FILES}/PROCEDURES")
    assert answer.headers["content-disposition"] == 'attachment; filename="procedures.csv"'
    text = answer.content.decode().replace(";IRM du genou;", ";IRM d'un genou;")
    looked = api.post(FILES, json={"kind": "PROCEDURES", "content": text}).json()
    assert (looked["changed_count"], looked["error_count"], looked["is_applied"]) == (1, 0, False)
    (line,) = looked["lines"]
    assert line["changes"] == [
        {"column": "label_fr", "before": "IRM du genou", "after": "IRM d'un genou"}
    ]
    done = api.post(FILES, json={"kind": "PROCEDURES", "content": text, "apply": True}).json()
    assert done["is_applied"]
    assert api.get(CATALOGUE, params={"text": "d'un genou"}).json()
    wrong = api.post(FILES, json={"kind": "RESOURCES", "content": text})
    assert (wrong.status_code, "not known" in wrong.json()["detail"]) == (422, True), wrong.text


def test_what_no_database_takes_is_refused(api):
    for query in ({"text": "a\0"}, {"modality": "C\0"}, {"after": 1 << 62 + 1}):
        assert api.get(CATALOGUE, params=query).status_code == 422
    room = api.get(RESOURCES, params={"kind": "ROOM"}).json()[0]
    for opens in ("08:00Z", "08:00+02:00"):
        hours = [{"weekday": 1, "opens": opens, "closes": "12:00"}]
        body = {"version": room["version"], "hours": hours}
        path = f"{RESOURCES}/{room['id']}/opening-hours"
        assert api.request("PUT", path, json=body).status_code == 422
    for content in ("code_value\nA\0\n", 'code_value\n"A\n'):
        assert api.post(FILES, json={"kind": "PROCEDURES", "content": content}).status_code in (
            200,
            422,
        )
    device = {"kind": "DEVICE", "name": "X", "room": 1 << 70}
    assert api.post(RESOURCES, json=device).status_code == 422
    assert api.post(RESOURCES, json=device | {"name": "a\0", "room": None}).status_code == 422
