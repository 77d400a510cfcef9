"""Orders over HTTP: asked for, found, changed, held, vetted; who may do what."""

import pytest

from ordering import catalogue_entry, register

ORDERS = "/api/v1/orders"


@pytest.fixture
def desk(served):
    """A secretary, a radiologist and a clinician with their tokens; a patient and two procedures."""

    class Desk:
        pass

    made = Desk()
    for role in ("secretary", "radiologist", "clinician"):
        setattr(made, role, served.client(role))
    with served.services.database.connection() as connection:
        made.patient = register(connection, "IPP1")
        made.other = register(connection, "IPP2", sex="M")
        made.ct = catalogue_entry(
            connection,
            "ACQH003",
            needs_vetting=True,
            questions=("PREGNANCY", "RENAL_FUNCTION"),
            contrast="REQUIRED",
        )
        made.cr = catalogue_entry(connection, "ZBQK002", modality="CR")
    return made


def ordered(desk, *procedures, **more):
    body = {
        "patient": desk.patient,
        "procedures": [{"catalogue": one} for one in procedures or (desk.ct,)],
        **more,
    }
    answer = desk.secretary.post(ORDERS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_order_is_made_and_opened(desk):
    """With answers to its questions; its history says who asked."""
    made = ordered(
        desk,
        priority="HIGH",
        clinical_question="Embolie pulmonaire ?",
        answers={"PREGNANCY": {"answer": "NO"}, "RENAL_FUNCTION": {"value": 25}},
    )
    assert made["state"] == "REQUESTED"
    assert made["patient"]["family_name"] == "MARTIN"
    assert made["patient_id"] == "IPP1"
    assert [(one["question"], one["answer"], one["is_blocking"]) for one in made["safety"]] == [
        ("PREGNANCY", "NO", False),
        ("RENAL_FUNCTION", "YES", True),
    ]
    assert made["procedures"][0]["steps"][0]["requested_contrast_agent"] == "Iode"
    assert {one["source"] for one in made["events"]} == {"user:test-secretary"}
    assert desk.radiologist.get(f"{ORDERS}/{made['id']}").json() == made
    assert desk.clinician.get(f"{ORDERS}/{made['id']}").status_code == 403
    assert desk.secretary.get(f"{ORDERS}/{made['id'] + 1}").status_code == 404


def test_orders_are_found_by_what_is_known_of_them(desk):
    """Words, numbers, states and modalities; with how many there are in each state."""
    first = ordered(desk, desk.ct, requesting_service="Pneumologie", placer_order_number="PL-7")
    second = ordered(desk, desk.cr, priority="STAT")
    third = ordered(desk, desk.ct, desk.cr)
    body = {"version": third["version"], "reason": "doublon"}
    assert desk.secretary.post(f"{ORDERS}/{third['id']}/cancel", json=body).status_code == 200
    with_words = desk.secretary.post(
        ORDERS,
        json={
            "patient": desk.other,
            "procedures": [{"description": "Échographie de l'épaule", "modality": "US"}],
        },
    ).json()

    def found(**asked):
        page = desk.secretary.get(ORDERS, params=asked).json()
        return [one["id"] for one in page["orders"]]

    all_of_them = [with_words["id"], third["id"], second["id"], first["id"]]
    assert found() == all_of_them
    assert found(text="martin lea") == all_of_them
    assert found(text="PNEUMO") == found(text="pl-7") == [first["id"]]
    assert found(text=first["accession_number"]) == [first["id"]]
    assert found(text="epaule") == [with_words["id"]]
    assert found(text="IPP2") == found(patient=desk.other) == [with_words["id"]]
    assert found(text="100%") == found(text="_") == []
    assert found(modality="CR") == [second["id"]]
    assert found(state="CANCELED") == [third["id"]]
    assert found(priority=["STAT", "LOW"]) == [second["id"]]
    assert found(vetting="WAITING") == [third["id"], first["id"]]
    assert found(not_in_catalogue=True) == [with_words["id"]]
    assert found(created_from="2100-01-01T00:00:00Z") == []
    page = desk.secretary.get(ORDERS, params={"state": "CANCELED"}).json()
    assert page["counts"] == {"REQUESTED": 3, "CANCELED": 1}
    assert page["waiting_for_vetting"] == 1
    page = desk.secretary.get(ORDERS, params={"limit": 3}).json()
    assert found(before=page["next_before"], limit=3) == [first["id"]]


def test_a_change_needs_the_version_that_was_read(desk):
    """Null empties; what is left out stays; a second writer is told."""
    made = ordered(desk, clinical_question="?", comments="x", wished_at="2026-12-01T08:00:00+01:00")
    path = f"{ORDERS}/{made['id']}"
    body = {"version": made["version"], "clinical_question": "Fracture ?", "wished_at": None}
    changed = desk.secretary.request("PATCH", path, json=body).json()
    assert (changed["clinical_question"], changed["comments"]) == ("Fracture ?", "x")
    assert changed["wished_at"] is None
    refused = desk.secretary.request("PATCH", path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    for wrong in (
        {"wished_at": "2026-12-01T08:00:00"},
        {"patient_weight_kg": 0},
        {"priority": "NOW"},
        {"state": "COMPLETED"},
    ):
        body = {"version": changed["version"], **wrong}
        assert desk.secretary.request("PATCH", path, json=body).status_code == 422


def test_held_released_called_off_and_back(desk):
    """Each needs the version; what the table has not is a conflict."""
    made = ordered(desk)
    path = f"{ORDERS}/{made['id']}"

    def tell(deed):
        version = desk.secretary.get(path).json()["version"]
        return desk.secretary.post(f"{path}/{deed}", json={"version": version, "reason": "r"})

    assert tell("hold").json()["state"] == "ON HOLD"
    assert tell("release").json()["state"] == "REQUESTED"
    assert tell("release").json()["code"] == "conflict"
    called_off = tell("cancel").json()
    assert (called_off["state"], called_off["state_reason"]) == ("CANCELED", "r")
    assert tell("reopen").json()["state"] == "REQUESTED"
    assert tell("explode").status_code == 422


def test_a_radiologist_has_a_list(desk):
    """The most urgent first; accepted, refused, replaced, and taken back."""
    low = ordered(desk, priority="LOW")
    stat = ordered(desk, priority="STAT")
    page = desk.radiologist.get(f"{ORDERS}/vetting", params={"limit": 1}).json()
    assert [one["order"]["id"] for one in page["waiting"]] == [stat["id"]]
    assert page["counts"] == {"CT": 2}
    more = {"limit": 1, "after": page["next_after"]}
    page = desk.radiologist.get(f"{ORDERS}/vetting", params=more).json()
    assert [one["order"]["id"] for one in page["waiting"]] == [low["id"]]

    def vet(order, deed, **body):
        procedure = order["procedures"][0]
        path = f"/api/v1/requested-procedures/{procedure['id']}/{deed}"
        return desk.radiologist.post(path, json={"version": procedure["version"], **body})

    accepted = vet(
        stat,
        "accept",
        protocol="Sans injection",
        protocol_codes=[{"code_value": "LOW", "code_meaning": "Basse dose"}],
        contrast_agent="",
    ).json()
    procedure = accepted["procedures"][0]
    assert (procedure["vetting"], procedure["protocol"]) == ("ACCEPTED", "Sans injection")
    assert procedure["steps"][0]["requested_contrast_agent"] == ""
    assert procedure["steps"][0]["protocol_codes"][0]["code_value"] == "LOW"
    assert vet(accepted, "accept", wished_room=99).status_code == 422
    again = vet(accepted, "reconsider").json()
    assert again["procedures"][0]["vetting"] == "WAITING"
    assert vet(low, "refuse").status_code == 422
    refused = vet(low, "refuse", reason="Non indiqué").json()
    assert (refused["state"], refused["procedures"][0]["vetting"]) == ("CANCELED", "REFUSED")
    replaced = vet(
        again,
        "replace",
        catalogue=desk.cr,
        reason="Radiographie d'abord",
        protocol_codes=[{"code_value": "FACE", "code_meaning": "De face"}],
    ).json()
    assert replaced["procedures"][1]["steps"][0]["description"] == "De face"
    assert [one["vetting"] for one in replaced["procedures"]] == ["REPLACED", "ACCEPTED"]
    assert replaced["procedures"][1]["modality"] == "CR"


def test_safety_answers_block_until_a_radiologist_clears_them(desk):
    """A secretary answers, only a radiologist clears."""
    made = ordered(desk)
    path = f"{ORDERS}/{made['id']}/answers/PREGNANCY"
    answered = desk.secretary.request("PUT", path, json={"answer": "YES", "detail": "12 SA"}).json()
    assert answered["safety"][0]["is_blocking"] is True
    body = {"version": answered["version"], "reason": "urgence vitale"}
    assert desk.secretary.post(f"{path}/clear", json=body).status_code == 403
    cleared = desk.radiologist.post(f"{path}/clear", json=body).json()
    assert cleared["safety"][0]["is_blocking"] is False
    assert cleared["safety"][0]["cleared_by"] == "test-radiologist"
    renal = f"{ORDERS}/{made['id']}/answers/RENAL_FUNCTION"
    assert desk.secretary.request("PUT", renal, json={"answer": "NO"}).status_code == 422
    assert (
        desk.secretary.request("PUT", renal, json={"value": 90}).json()["safety"][1]["answer"]
        == "NO"
    )


def test_steps_of_two_procedures_are_one_acquisition(desk):
    """Grouped and taken apart again."""
    made = ordered(desk, desk.cr, desk.cr)
    steps = [one["steps"][0]["id"] for one in made["procedures"]]
    assert desk.secretary.post("/api/v1/step-groups", json={"steps": steps}).json() == steps
    found = desk.secretary.get(f"{ORDERS}/{made['id']}").json()["procedures"]
    assert len({one["study_instance_uid"] for one in found}) == 1
    assert {one["steps"][0]["acquired_with"] for one in found} == {steps[0]}
    assert desk.secretary.request("DELETE", f"/api/v1/step-groups/{steps[0]}").status_code == 204
    assert (
        desk.secretary.post("/api/v1/step-groups", json={"steps": [steps[0]] * 2}).status_code
        == 422
    )


def test_who_may_not_order_does_not(desk):
    """Nobody without a session; a radiologist's word is not a secretary's."""
    made = ordered(desk)
    procedure = made["procedures"][0]
    body = {"version": procedure["version"]}
    path = f"/api/v1/requested-procedures/{procedure['id']}/accept"
    assert desk.secretary.post(path, json=body).status_code == 403
    assert desk.clinician.post(path, json=body).status_code == 403
    unknown = {"patient": made["patient"]["id"], "procedures": [{"catalogue": 999_999}]}
    assert desk.secretary.post(ORDERS, json=unknown).status_code == 422
    nobody = {"patient": 999_999, "procedures": [{"catalogue": desk.cr}]}
    assert desk.secretary.post(ORDERS, json=nobody).status_code == 404
