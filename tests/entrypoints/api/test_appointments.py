"""Appointments over HTTP: booked, in the way, moved, taken back; slots, waiting list, downtime, calendar."""

from types import SimpleNamespace

import pytest

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry

NINE, HALF, TEN = (f"2027-03-02T{at}:00+01:00" for at in ("09:00", "09:30", "10:00"))


def first(connection, sql, *parameters):
    return connection.execute(sql, parameters).fetchone()[0]


@pytest.fixture
def ct(served):
    """A CT room, open on weekdays, and three orders of one step; of the second patient two."""
    with served.services.database.connection() as connection:
        room = first(
            connection, "INSERT INTO resource (kind, name) VALUES ('ROOM', 'CT 1') RETURNING id"
        )
        device = first(
            connection,
            "INSERT INTO resource (kind, name, room_fk, modality, ae_title)"
            " VALUES ('DEVICE', 'Somatom', %s, 'CT', 'CT1') RETURNING id",
            room,
        )
        for day in range(1, 6):
            connection.execute(
                "INSERT INTO opening_hours (resource_fk, weekday, opens, closes)"
                " VALUES (%s, %s, '08:00', '18:00')",
                (room, day),
            )
        steps, patients = [], []
        for number in range(1, 4):
            patient = Registry(connection).register(
                updates={"birth_name": PersonName(family="MARTIN", given="Zoé"), "sex": "F"},
                identifiers=[
                    Identifier(
                        value=f"IPP{number}", authority=Authority(namespace="CHU"), type_code="PI"
                    )
                ],
                source="test",
            )
            request = first(
                connection,
                "INSERT INTO imaging_service_request (patient_fk, accession_number, filler_order_number,"
                " state, source) VALUES (%s, %s, %s, 'REQUESTED', 'test') RETURNING id",
                patient.patient,
                f"A{number}",
                f"F{number}",
            )
            procedure = first(
                connection,
                "INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid,"
                " description, modality, state) VALUES (%s, %s, %s, 'Scanner', 'CT', 'REQUESTED') RETURNING id",
                request,
                f"RP{number}",
                f"1.2.3.{number}",
            )
            steps.append(
                first(
                    connection,
                    "INSERT INTO scheduled_procedure_step (procedure_fk, scheduled_procedure_step_id, modality)"
                    " VALUES (%s, %s, 'CT') RETURNING id",
                    procedure,
                    f"SPS{number}",
                )
            )
            patients.append(patient.patient)
    return SimpleNamespace(room=room, device=device, steps=steps, patients=patients)


def booked(api, ct, step=0, start=NINE, end=HALF, **more):
    place = {"step": ct.steps[step], "room": ct.room, "start_at": start, "end_at": end}
    return api.post("/api/v1/appointments", json={"steps": [place], **more})


def test_booked_moved_cancelled_and_taken_back(served, ct):
    api = served.client("secretary")
    waiting = api.get("/api/v1/waiting-steps", params={"modality": "CT"}).json()
    assert [one["step"] for one in waiting] == ct.steps
    assert waiting[0]["patient"]["patient_id"] == "IPP1"
    answer = booked(api, ct, note="à jeun")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    path = f"/api/v1/appointments/{made['id']}"
    assert (made["state"], made["resources"]) == ("BOOKED", [ct.room, ct.device])
    assert (made["patient"]["family"], made["steps"][0]["device"]) == ("MARTIN", ct.device)
    assert len(api.get("/api/v1/waiting-steps").json()) == 2

    moved = api.request("PATCH", path, json={"version": made["version"], "start_at": HALF})
    assert (moved.status_code, moved.json()["end_at"]) == (200, "2027-03-02T09:00:00Z")
    stale = api.request("PATCH", path, json={"version": made["version"], "start_at": TEN})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
    assert stale.json()["version"] == moved.json()["version"]

    gone = api.post(f"{path}/cancel", json={"version": moved.json()["version"], "reason": "grève"})
    assert gone.json()["state"] == "CANCELLED"
    back = api.post(f"{path}/undo", json={"version": gone.json()["version"]}).json()
    assert (back["state"], back["start_at"]) == ("BOOKED", "2027-03-02T08:30:00Z")
    noted = api.request("PATCH", path, json={"version": back["version"], "note": "x\0y"}).json()
    assert noted["note"] == "xy"
    missed = api.post(f"{path}/no-show", json={"version": noted["version"]}).json()
    assert missed["state"] == "NOSHOW"
    history = api.get(path).json()["history"]
    assert [one["kind"] for one in history] == [
        "BOOKED",
        "MOVED",
        "APPOINTMENT CANCELLED",
        "UNDONE",
        "APPOINTMENT CHANGED",
        "NO SHOW",
    ]
    assert {one["source"] for one in history} == {"user:test-secretary"}
    mine = api.get(f"/api/v1/registered-patients/{ct.patients[0]}/appointments").json()
    assert [one["id"] for one in mine] == [made["id"]]


def test_what_is_in_the_way_is_said_and_nothing_of_the_other_patient(served, ct):
    api = served.client("secretary")
    made = booked(api, ct).json()
    refused = booked(api, ct, step=1, end=TEN)
    assert (refused.status_code, refused.json()["code"]) == (409, "slot-taken")
    ways = refused.json()["obstacles"]
    assert {(o["name"], o["appointment"]) for o in ways} == {
        ("CT 1", made["id"]),
        ("Somatom", made["id"]),
    }
    assert ways[0]["start_at"] == "2027-03-02T08:00:00Z"
    assert "MARTIN" not in refused.text
    over = booked(api, ct, step=1, end=TEN, reason="urgence").json()
    assert over["overbooked"] == [ct.room, ct.device]
    closed = booked(
        api, ct, step=2, start="2027-03-07T09:00:00+01:00", end="2027-03-07T09:20:00+01:00"
    )
    assert (closed.status_code, closed.json()["code"]) == (409, "outside-hours")
    assert {o["kind"] for o in closed.json()["obstacles"]} == {"CLOSED"}
    assert booked(api, ct, step=0).json()["code"] == "not-bookable"
    assert booked(api, ct, step=2, end=NINE).status_code == 422
    assert booked(api, ct, step=2, start="2027-03-02T09:00:00").status_code == 422
    assert api.get("/api/v1/appointments/999999").status_code == 404


def test_a_calendar_shows_a_range(served, ct):
    api = served.client("technologist")
    made = booked(api, ct).json()
    span = {"start_at": "2027-03-01T00:00:00+01:00", "end_at": "2027-03-08T00:00:00+01:00"}
    listed = api.get("/api/v1/appointments", params={**span, "resource": [ct.room]}).json()
    assert ([one["id"] for one in listed["appointments"]], listed["is_cut"]) == (
        [made["id"]],
        False,
    )
    assert api.get("/api/v1/appointments", params={**span, "resource": [1 << 40]}).json() == {
        "appointments": [],
        "is_cut": False,
    }
    wide = {"start_at": NINE, "end_at": "2027-06-02T09:00:00+01:00"}
    assert api.get("/api/v1/appointments", params=wide).json()["code"] == "bad-query"
    background = api.get("/api/v1/calendar", params=span).json()
    assert background["time_zone"] == "Europe/Paris"
    room = next(one for one in background["resources"] if one["resource"] == ct.room)
    assert len(room["open"]) == 5
    assert room["open"][0] == {"start_at": "2027-03-01T07:00:00Z", "end_at": "2027-03-01T17:00:00Z"}
    may = {"start_at": "2027-05-01T00:00:00+02:00", "end_at": "2027-05-02T00:00:00+02:00"}
    background = api.get("/api/v1/calendar", params=may).json()
    assert [one["name_fr"] for one in background["holidays"]] == ["Fête du Travail"]


def test_slots_waiting_list_and_downtime(served, ct):
    api = served.client("secretary")
    made = booked(api, ct).json()
    slots = api.get(
        "/api/v1/slots", params={"step": ct.steps[1], "earliest": NINE, "limit": 2}
    ).json()
    assert [one["start_at"] for one in slots] == ["2027-03-02T08:30:00Z", "2027-03-02T08:50:00Z"]
    (place,) = slots[0]["steps"]
    waiting = api.post(
        "/api/v1/waiting-list", json={"steps": [ct.steps[1]], "wished_until": "2027-03-31"}
    )
    assert waiting.status_code == 201
    one = waiting.json()
    changed = api.request(
        "PATCH",
        f"/api/v1/waiting-list/{one['id']}",
        json={"version": one["version"], "note": "tôt"},
    ).json()
    assert [
        w["note"] for w in api.get("/api/v1/waiting-list", params={"modality": "CT"}).json()
    ] == ["tôt"]
    plan = {name: place[name] for name in ("step", "room", "device", "start_at", "end_at")}
    path = f"/api/v1/appointments/{one['id']}"
    second = api.request("PATCH", path, json={"version": changed["version"], "steps": [plan]})
    assert second.json()["state"] == "BOOKED", second.text

    down = {
        "resource": ct.device,
        "kind": "BREAKDOWN",
        "start_at": NINE,
        "end_at": TEN,
        "reason": "tube",
    }
    done = api.post("/api/v1/downtime", json=down)
    assert (done.status_code, done.json()["affected_count"]) == (201, 2)
    path = f"/api/v1/downtime/{done.json()['downtime']['id']}"
    affected = api.get(f"{path}/affected", params={"proposals": 1}).json()
    assert [a["appointment"]["id"] for a in affected] == [made["id"], one["id"]]
    assert affected[0]["proposals"][0]["start_at"] == "2027-03-02T09:00:00Z"
    assert api.request("PUT", path, json={**down, "end_at": NINE}).status_code == 422
    assert api.request("PUT", path, json={**down, "end_at": HALF}).json()["affected_count"] == 1
    span = {"start_at": NINE, "end_at": TEN}
    assert len(api.get("/api/v1/downtime", params=span).json()) == 1
    assert api.request("DELETE", path).status_code == 204
    assert api.request("DELETE", path).status_code == 404


def test_who_may(served, ct):
    assert booked(served.client("clinician"), ct).status_code == 403
    assert served.client("clinician").get("/api/v1/waiting-list").status_code == 403
    assert booked(served.client(None), ct).status_code == 401
