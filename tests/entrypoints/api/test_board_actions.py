"""What people say on the board: every step of a morning, what holds it up, and how it is taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from department import Department

STEPS = "/api/v1/board/steps"
NOW = datetime.now(UTC)


@pytest.fixture
def made(served):
    """An MR with two questions, for a woman of thirty; the urgent procedure and devices of two kinds."""
    with served.services.database.connection() as connection:
        department = Department(connection)
        room = department.room("IRM 1")
        found = {
            "mr": department.device("MR-A", room, "MR", "MR_A"),
            "ct": department.device("CT-A", room, "CT", "CT_A"),
            "brain": department.procedure(
                "ACQN001", "IRM", "MR", safety_questions=["MR_IMPLANTS", "PREGNANCY"]
            ),
            "thorax": department.procedure("ZBQH001", "Scanner", "CT"),
            "vetted": department.procedure("ZBQH002", "Scanner injecté", "CT", needs_vetting=True),
            "patient": department.patient("LEFÈVRE", "Zoé", birth_date=f"{NOW.year - 30}0101"),
        }
        found["request"] = department.order(found["patient"])
        procedure = department.requested(found["request"], catalogue=found["brain"])
        found["step"] = department.step(
            procedure, datetime.now(UTC), modality="MR", device_fk=found["mr"]
        )
    return found


@pytest.fixture
def say(served, made):
    """Says something of the step; gives the answer."""
    api = served.client("technologist")

    def say(action, *, step=None, **more):
        body = {"action": action, **more}
        return api.post(f"{STEPS}/{step or made['step']}/actions", json=body)

    return say


def row(served, step):
    rows = served.client("technologist").get("/api/v1/board").json()["rows"]
    return next(one for one in rows if one["step"] == step)


def events(served, made):
    with served.services.database.connection() as connection:
        return connection.execute(
            "SELECT kind, detail, source FROM workflow_event WHERE request_fk = %s ORDER BY id",
            (made["request"],),
        ).fetchall()


def reply(served, made, *replies, role="technologist"):
    body = {"replies": list(replies)}
    answer = served.client(role).request(
        "PUT", f"/api/v1/board/requests/{made['request']}/safety", json=body
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


NO = [
    {"question": "MR_IMPLANTS", "answer": "NO"},
    {"question": "PREGNANCY", "answer": "NO"},
]


def test_a_morning(served, made, say):
    assert say("arrive", version=1).json()["is_changed"]
    assert say("arrive").json()["is_changed"] is False
    said = say("identity", document="IDENTITY_CARD")
    assert said.json() == {"is_changed": False, "safety_blocking": ["PREGNANCY", "MR_IMPLANTS"]}
    checked = row(served, made["step"])
    assert (checked["state"], checked["identity_checked_by"]) == ("ARRIVED", "test-technologist")
    refused = say("start")
    assert (refused.status_code, refused.json()["code"]) == (409, "safety-questions")
    assert refused.json()["questions"] == ["PREGNANCY", "MR_IMPLANTS"]
    assert [one["is_blocking"] for one in reply(served, made, *NO)] == [False, False]
    assert say("ready").json()["is_changed"]
    assert say("start").json()["is_changed"]
    assert say("end").json()["is_changed"]
    done = row(served, made["step"])
    assert (done["state"], done["flags"]) == ("COMPLETED", ["NO IMAGES"])
    assert done["started_at"] <= done["ended_at"]
    kinds = [(kind, source) for kind, _, source in events(served, made)]
    assert {source for _, source in kinds} == {"user:test-technologist"}
    assert [kind for kind, _ in kinds] == [
        "ARRIVED", "IDENTITY CHECKED", "SAFETY ANSWERED", "SAFETY ANSWERED",
        "IDENTITY CHECKED", "STARTED", "COMPLETED",
    ]  # fmt: skip
    assert events(served, made)[1][1]["document"] == "IDENTITY_CARD"


def test_everything_is_taken_back(served, made, say):
    reply(served, made, *NO)
    say("identity", document="WRISTBAND")
    for action, state in (("start", "STARTED"), ("end", "COMPLETED")):
        say(action)
        assert row(served, made["step"])["state"] == state
    for state in ("STARTED", "READY", "ARRIVED", "SCHEDULED"):
        assert say("undo").json()["is_changed"]
        assert row(served, made["step"])["state"] == state
    assert row(served, made["step"])["arrived_at"] is None
    assert say("undo").status_code == 409


def test_a_check_is_taken_back_before_the_arrival(served, made, say):
    say("identity", document="WRISTBAND")
    assert row(served, made["step"])["identity_checked_at"]
    assert say("undo").json()["is_changed"]
    shown = row(served, made["step"])
    assert (shown["state"], shown["identity_checked_at"]) == ("ARRIVED", None)
    assert shown["identity_checked_by"] == ""
    say("undo")
    assert row(served, made["step"])["state"] == "SCHEDULED"


def test_nobody_begins_unchecked_without_a_reason(served, made, say):
    reply(served, made, *NO)
    refused = say("start")
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-unchecked")
    assert row(served, made["step"])["state"] == "SCHEDULED"
    assert say("start", reason="unconscious, alone").json()["is_changed"]
    assert events(served, made)[-1][1]["identity_unchecked"] == "unconscious, alone"


def test_an_answer_that_forbids_is_cleared_by_a_radiologist(served, made, say):
    reply(served, made, {"question": "MR_IMPLANTS", "answer": "YES", "detail": "hip"}, NO[1])
    say("identity", document="PASSPORT")
    assert say("start").json()["questions"] == ["MR_IMPLANTS"]
    path = f"/api/v1/board/requests/{made['request']}/safety/clearances"
    body = {"question": "MR_IMPLANTS", "reason": "MR conditional, 1.5 T"}
    assert served.client("technologist").post(path, json=body).status_code == 403
    cleared = served.client("radiologist").post(path, json=body).json()
    assert cleared[1]["cleared_by"] == "test-radiologist"
    assert say("start").json()["is_changed"]


def test_what_cannot_be(served, made, say):
    assert say("identity").status_code == 422
    assert say("identity", document="LIBRARY CARD").status_code == 422
    assert say("fly").status_code == 422
    assert say("end").status_code == 409
    assert say("ready").json()["code"] == "identity-unchecked"
    assert say("arrive", step=1 << 40).status_code == 404
    assert say("arrive", version=7).json()["code"] == "stale-version"
    say("start", reason="r")
    reply(served, made, *NO)
    say("start", reason="r")
    assert say("discontinue", reason="  ").status_code == 422
    assert say("discontinue", reason="claustrophobia").json()["is_changed"]
    for role in ("clinician", "physicist", "partner"):
        answer = served.client(role).post(
            f"{STEPS}/{made['step']}/actions", json={"action": "undo"}
        )
        assert answer.status_code == 403


def test_a_device_is_assigned(served, made):
    api = served.client("technologist")
    path = f"{STEPS}/{made['step']}/device"
    assert api.request("PUT", path, json={"device": made["ct"]}).status_code == 409
    assert api.request("PUT", path, json={"device": 1 << 40}).status_code == 409
    with served.services.database.connection() as connection:
        other = Department(connection).device("MR-B", None, "MR", "MR_B")
    assert api.request("PUT", path, json={"device": other}).status_code == 204
    shown = row(served, made["step"])
    assert (shown["device_name"], shown["scheduled_station_ae_title"]) == ("MR-B", "MR_B")


def test_somebody_comes_without_appointment(served, made):
    api = served.client("technologist")
    wanted = {"patient": made["patient"], "procedure": made["thorax"], "device": made["ct"]}
    answer = api.post("/api/v1/board/urgent", json=wanted)
    assert answer.status_code == 201, answer.text
    (step,) = answer.json()["steps"]
    shown = row(served, step)
    assert (shown["state"], shown["priority"], shown["device_name"]) == ("ARRIVED", "STAT", "CT-A")
    assert abs(datetime.fromisoformat(shown["start_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert shown["accession_number"]
    assert shown["study_instance_uid"]
    vetted = api.post("/api/v1/board/urgent", json=wanted | {"procedure": made["vetted"]}).json()
    assert row(served, vetted["steps"][0])["flags"] == ["URGENT", "UNVETTED"]
    assert api.post("/api/v1/board/urgent", json=wanted | {"patient": 1 << 40}).status_code == 404
    assert api.post("/api/v1/board/urgent", json=wanted | {"procedure": 99999}).status_code == 404
    assert api.post("/api/v1/board/urgent", json=wanted | {"device": made["mr"]}).status_code == 409


def test_an_examination_shows_everything(served, made):
    api = served.client("technologist")
    with served.services.database.connection() as connection:
        department = Department(connection)
        (procedure,) = connection.execute(
            "SELECT procedure_fk FROM scheduled_procedure_step WHERE id = %s", (made["step"],)
        ).fetchone()
        other = department.requested(
            department.order(made["patient"]), catalogue=made["thorax"], study_instance_uid="1.9"
        )
        department.study("1.9", images=7)
        department.study("1.8", images=3)
        connection.execute(
            "INSERT INTO study_binding (study_instance_uid, procedure_fk, state) VALUES ('1.8', %s, 'BOUND')",
            (procedure,),
        )
        old = department.study("1.7", images=2, study_description="Ancien")
        connection.execute(
            "UPDATE patient SET registered_fk = %s WHERE id = (SELECT patient_fk FROM study WHERE id = %s)",
            (made["patient"], old),
        )
        connection.execute(
            "WITH f AS (INSERT INTO performed_procedure_step (sop_instance_uid, state, data_set)"
            " VALUES ('1.6', 'IN PROGRESS', '{}') RETURNING id) INSERT INTO performed_for"
            " SELECT id, %s FROM f",
            (made["step"],),
        )
    file = api.get(f"/api/v1/examinations/{procedure}").json()
    assert (file["head"]["patient"], file["head"]["request"]) == (made["patient"], made["request"])
    assert [one["step"] for one in file["steps"]] == [made["step"]]
    assert [(one["sop_instance_uid"], one["state"]) for one in file["performed"]] == [
        ("1.6", "IN PROGRESS")
    ]
    assert file["study_instance_uids"] == ["1.8"]
    assert [(one["procedure"], one["instance_count"]) for one in file["others"]] == [(other, 7)]
    assert [one["study_instance_uid"] for one in file["unordered"]] == ["1.7"]
    assert api.get("/api/v1/examinations/999999").status_code == 404
    assert served.client("clinician").get(f"/api/v1/examinations/{procedure}").status_code == 403


def test_a_note_is_seen_by_all_and_taken_away(served, made):
    api = served.client("technologist")
    path = f"{STEPS}/{made['step']}/notes"
    first = api.post(path, json={"text": "  Voie veineuse\nposée <b> "}).json()["id"]
    assert served.client("secretary").post(path, json={"text": "Fille au téléphone"}).is_success
    notes = row(served, made["step"])["notes"]
    assert [one["text"] for one in notes] == ["Voie veineuse posée <b>", "Fille au téléphone"]
    assert notes[0]["noted_by"] != notes[1]["noted_by"] != ""
    assert datetime.fromisoformat(notes[0]["noted_at"]) >= NOW
    assert api.request("DELETE", f"{path}/{first}").status_code == 204
    assert api.request("DELETE", f"{path}/{first}").status_code == 404
    assert [one["text"] for one in row(served, made["step"])["notes"]] == ["Fille au téléphone"]
    for text in ("", "x" * 301, " \n "):
        assert api.post(path, json={"text": text}).status_code == 422
    assert api.post(f"{STEPS}/999999/notes", json={"text": "x"}).status_code == 404
    assert served.client("clinician").post(path, json={"text": "x"}).status_code == 403
    with served.services.database.connection() as connection:
        kinds = connection.execute(
            "SELECT kind, detail FROM workflow_event WHERE step_fk = %s ORDER BY id",
            (made["step"],),
        ).fetchall()
    assert [kind for kind, _ in kinds] == ["NOTED"] * 3
    assert kinds[2][1] == {"note": first, "is_removed": True}
    for number in range(19):
        assert api.post(path, json={"text": str(number)}).is_success
    assert api.post(path, json={"text": "one more"}).status_code == 422
