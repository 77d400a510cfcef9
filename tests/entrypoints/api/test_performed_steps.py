"""What modalities performed, over HTTP: lists, details, what waits for a person."""

from datetime import UTC, datetime, timedelta

import pytest

from department import Department
from negatoscope.domain.performed import mpps_desk
from negatoscope.domain.performed.mpps import PerformedSteps

STEPS = "/api/v1/performed-steps"


def data_set(step_id="", study="1.2.3", **patient):
    item = {
        "0020000D": {"vr": "UI", "Value": [study]},
        "00400009": {"vr": "SH", "Value": [step_id]} if step_id else {"vr": "SH"},
    }
    found = {
        "00400270": {"vr": "SQ", "Value": [item]},
        "00400253": {"vr": "SH", "Value": ["PPS1"]},
        "00400241": {"vr": "AE", "Value": ["CT1"]},
        "00400244": {"vr": "DA", "Value": [f"{datetime.now(UTC):%Y%m%d}"]},
        "00400245": {"vr": "TM", "Value": ["0900"]},
        "00400252": {"vr": "CS", "Value": ["IN PROGRESS"]},
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00400310": {"vr": "ST", "Value": ["DLP 412"]},
    }
    for tag, value in patient.items():
        found[tag.removeprefix("_")] = {"vr": "LO", "Value": [value]}
    return found


@pytest.fixture
def made(served):
    """One for a step, one that names none of its patient's."""
    database = served.services.database
    with database.connection() as connection:
        department = Department(connection)
        patient = department.patient("DUPONT", "ZOÉ", ipp="8001")
        procedure = department.requested(department.order(patient))
        step = department.step(procedure, datetime.now(UTC))
        study, step_id = connection.execute(
            "SELECT p.study_instance_uid, s.scheduled_procedure_step_id FROM requested_procedure p"
            " JOIN scheduled_procedure_step s ON s.procedure_fk = p.id WHERE s.id = %s",
            (step,),
        ).fetchone()
        other = department.step(procedure, datetime.now(UTC))
    steps = PerformedSteps(database=database, zone=served.services.settings.zone)
    who = {"_00100020": "8001", "_00100021": "CHU"}
    first = steps.create("1.2.1", data_set(step_id, study, **who), calling_ae_title="CT1")
    second = steps.create("1.2.2", data_set(**who), calling_ae_title="CT1")
    third = steps.create("1.2.4", data_set(_00100020="77"), calling_ae_title="CT1")
    return {
        "first": first.id,
        "second": second.id,
        "third": third.id,
        "step": step,
        "other": other,
        "steps": steps,
    }


def test_lists_pages_and_what_waits(served, made):
    api = served.client("technologist")
    page = api.get(STEPS, params={"limit": 2}).json()
    assert [one["id"] for one in page["items"]] == [made["third"], made["second"]]
    rest = api.get(STEPS, params={"before": page["next_before"]}).json()
    assert [one["id"] for one in rest["items"]] == [made["first"]]
    assert rest["items"][0]["scheduled"][0]["step"] == made["step"]
    waiting = api.get(STEPS, params={"flagged": True}).json()["items"]
    assert [one["flags"] for one in waiting] == [
        ["PATIENT UNKNOWN", "UNSCHEDULED"],
        ["UNSCHEDULED"],
    ]
    of_step = api.get(STEPS, params={"step": made["step"]}).json()["items"]
    assert [one["id"] for one in of_step] == [made["first"]]


def test_a_detail_has_everything_that_was_said(served, made):
    found = served.client("technologist").get(f"{STEPS}/{made['first']}").json()
    assert found["data_set"]["00400310"]["Value"] == ["DLP 412"]
    assert served.client("technologist").get(f"{STEPS}/999999").status_code == 404


def test_a_link_by_hand_begins_the_step(served, made):
    api = served.client("technologist")
    path = f"{STEPS}/{made['second']}/links"
    stale = api.post(path, json={"step": made["other"], "version": 7})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
    done = api.post(path, json={"step": made["other"], "version": 1}).json()
    assert (done["flags"], done["seen_by"], done["scheduled"][0]["state"]) == (
        [],
        done["seen_by"],
        "STARTED",
    )
    assert done["seen_by"].startswith("user:")


def test_another_patients_step_is_refused(served, made):
    api = served.client("technologist")
    answer = api.post(f"{STEPS}/{made['third']}/links", json={"step": made["step"], "version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_seen_leaves_the_work_list(served, made):
    api = served.client("technologist")
    assert api.post(f"{STEPS}/{made['third']}/seen", json={"version": 1}).status_code == 200
    waiting = api.get(STEPS, params={"flagged": True}).json()["items"]
    assert [one["id"] for one in waiting] == [made["second"]]


def test_who_may_not_is_refused(served, made):
    assert served.client("clinician").get(STEPS).status_code == 403
    answer = served.client("clinician").post(f"{STEPS}/{made['third']}/seen", json={"version": 1})
    assert answer.status_code == 403


def state_of(served, step):
    with served.services.database.connection() as connection:
        query = "SELECT state FROM scheduled_procedure_step WHERE id = %s"
        return connection.execute(query, (step,)).fetchone()[0]


def flag_overdue(served, hours):
    with served.services.database.connection() as connection:
        now = datetime.now(UTC) + timedelta(hours=hours)
        return mpps_desk.flag_overdue(connection, age=timedelta(hours=8), now=now)


def test_what_never_ends_is_flagged_once(served, made):
    api = served.client("technologist")
    api.post(f"{STEPS}/{made['third']}/seen", json={"version": 1})
    assert flag_overdue(served, 7.9) == []
    assert flag_overdue(served, 8.1) == [made["first"], made["second"], made["third"]]
    assert flag_overdue(served, 9) == []
    waiting = {one["id"]: one for one in api.get(STEPS, params={"flagged": True}).json()["items"]}
    assert waiting[made["first"]]["flags"] == ["NOT ENDED"]
    assert "NOT ENDED" in waiting[made["third"]]["flags"]  # although somebody had seen it
    (row,) = [one for one in api.get("/api/v1/board").json()["rows"] if one["step"] == made["step"]]
    assert (row["mpps_is_overdue"], "NOT ENDED" in row["flags"]) == (True, True)


def ending(**more):
    return data_set() | {
        "00400252": {"vr": "CS", "Value": [more.pop("state", "COMPLETED")]},
        "00400250": {"vr": "DA", "Value": [f"{datetime.now(UTC):%Y%m%d}"]},
        "00400251": {"vr": "TM", "Value": ["0930"]},
        **more,
    }


def test_it_is_ended_by_hand_and_the_modality_may_still_say_so(served, made):
    api = served.client("technologist")
    path = f"{STEPS}/{made['first']}/end"
    flag_overdue(served, 9)
    assert state_of(served, made["step"]) == "STARTED"
    bare = api.post(path, json={"version": 2, "state": "DISCONTINUED", "reason": " "})
    assert (bare.status_code, bare.json()["code"]) == (422, "invalid-input")
    stale = api.post(path, json={"version": 1, "state": "COMPLETED"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
    said = {"version": 2, "state": "DISCONTINUED", "reason": "panne"}
    done = api.post(path, json=said).json()
    assert (done["state"], done["flags"], done["discontinuation_reason"]) == (
        "DISCONTINUED", [], "panne"
    )  # fmt: skip
    assert done["ended_by"].startswith("user:")
    assert state_of(served, made["step"]) == "DISCONTINUED"
    over = api.post(path, json={"version": 3, "state": "COMPLETED"})
    assert (over.status_code, over.json()["code"]) == (409, "conflict")
    series = {"vr": "SQ", "Value": [{"0020000E": {"vr": "UI", "Value": ["1.2.9"]}}]}
    named = {
        "00081050": {"vr": "PN"},
        "00081070": {"vr": "PN"},
        "00081140": {"vr": "SQ"},
        "0008103E": {"vr": "LO"},
        "00080054": {"vr": "AE"},
        "00181030": {"vr": "LO", "Value": ["Thorax"]},
        "00400220": {"vr": "SQ"},
    }
    series["Value"][0].update(named)
    made["steps"].update("1.2.1", ending(**{"00400340": series}), calling_ae_title="CT1")
    late = api.get(f"{STEPS}/{made['first']}").json()["performed_step"]
    assert (late["state"], late["ended_by"], late["series_count"]) == ("COMPLETED", "", 1)
    assert state_of(served, made["step"]) == "COMPLETED"


def test_ending_is_for_who_performs(served, made):
    path = f"{STEPS}/{made['second']}/end"
    said = {"version": 1, "state": "COMPLETED"}
    assert served.client("clinician").post(path, json=said).status_code == 403
    assert served.client("technologist").post(path, json=said).status_code == 200
