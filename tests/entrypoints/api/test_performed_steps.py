"""What modalities performed, over HTTP: lists, details, what waits for a person."""

from datetime import UTC, datetime

import pytest

from department import Department
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
    return {"first": first.id, "second": second.id, "third": third.id, "step": step, "other": other}


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
