"""Destinations of HL7 messages over HTTP: configured, paused, tried; what waits is seen and decided on."""

import dataclasses

import pytest

from negatoscope.domain.messages import Draft, Messages
from negatoscope.domain.messages import outbound as queue
from negatoscope.entrypoints.hl7v2.acceptance import examine

DESTINATIONS = "/api/v1/hl7/destinations"
WISHED = {"name": "PACS", "host": "pacs.example", "port": 2575, "kinds": ["ORDERS"]}


def draft(destination, number, **more):
    content = f"MSH|^~\\&|N||R||2026||OMI^O23|C{number}|P|2.5.1\rPID|||P{number}^^^CHU\r"
    made = Draft(
        destination=destination,
        origin=f"o{number}",
        kind="ORDERS",
        action="NW_SC",
        message_code="OMI",
        trigger_event="O23",
        control_id=f"C{number}",
        patient_identifiers=(f"P{number}", f"P{number}^CHU"),
        content=content.encode(),
    )
    return dataclasses.replace(made, **more)


def put_in_queue(served, *drafts):
    with served.services.database.connection() as connection:
        return [queue.enqueue(connection, one) for one in drafts]


def test_a_destination_is_made_changed_and_taken_away(served):
    api = served.client("administrator")
    made = api.post(DESTINATIONS, json=WISHED)
    assert made.status_code == 201, made.text
    one = made.json()
    assert (one["order_profile"], one["acknowledgment_mode"]) == ("OMI^O23", "ORIGINAL")
    assert (one["state"]["is_served"], one["state"]["waiting_count"]) == (False, 0)
    path = f"{DESTINATIONS}/{one['id']}"
    assert api.post(DESTINATIONS, json=WISHED).status_code == 409

    changed = WISHED | {"host": "other.example", "version": one["version"], "modalities": ["CT"]}
    answer = api.request("PUT", path, json=changed)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["host"], answer.json()["modalities"]) == ("other.example", ["CT"])
    assert api.request("PUT", path, json=changed).status_code == 409  # an old version

    assert api.post(f"{path}/pause").json()["is_paused"] is True
    again = changed | {"version": api.get(DESTINATIONS).json()[0]["version"]}
    assert api.request("PUT", path, json=again).json()["is_paused"] is True
    assert api.post(f"{path}/resume").json()["is_paused"] is False
    put_in_queue(served, draft(one["id"], 1))
    assert api.request("DELETE", path).status_code == 422  # a message waits
    assert api.post("/api/v1/hl7/outbound/1/give-up").status_code == 202
    assert api.request("DELETE", path).status_code == 204
    assert api.request("DELETE", path).status_code == 404
    assert api.get("/api/v1/hl7/outbound/1").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": []},
        {"kinds": ["PATIENTS", "ADT FORWARD"]},
        {"port": 0},
        {"character_set": "EBCDIC"},
        {"host": "a\r\nb"},
        {"receiving_application": "x\0"},
        {"name": "  "},
        {"answer_timeout_s": -1},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_used_is_refused(served, wrong):
    answer = served.client("administrator").post(DESTINATIONS, json=WISHED | wrong)
    assert answer.status_code == 422, answer.text
    assert served.client("administrator").get(DESTINATIONS).json() == []


def test_both_directions_in_one_list(served):
    api = served.client("administrator")
    number = api.post(DESTINATIONS, json=WISHED).json()["id"]
    header = "MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^A28|1|P|2.5"
    content = f"{header}\rPID|||P1^^^CHU\r".encode()
    Messages(served.services.database).store([examine(content, peer="10.1.2.3")[0]])
    put_in_queue(served, draft(number, 1), draft(number, 2, refusal="no code there", request=7))

    def found(**query):
        answer = api.get("/api/v1/hl7/messages", params=query)
        assert answer.status_code == 200, answer.text
        return [(one["direction"], one["control_id"], one["state"]) for one in answer.json()]

    first, second = ("out", "C1", "WAITING"), ("out", "C2", "REFUSED")
    came = ("in", "1", "PENDING")
    assert found() == [second, first, came]
    assert found(direction="in") == [came]
    assert found(patient_identifier="P1") == [first, came]
    assert found(state="FAILED") == [second]
    assert found(state="PENDING") == [first, came]
    assert found(partner="PACS", message_type="OMI^O23") == [second, first]
    assert found(destination=number, request=7) == [second]
    pages, place = [], ""
    while lines := api.get("/api/v1/hl7/messages", params={"limit": 1, "before": place}).json():
        pages += [(one["direction"], one["control_id"], one["state"]) for one in lines]
        place = lines[-1]["place"]
    assert pages == found()


def test_what_went_is_explained_and_decided_on(served):
    api = served.client("administrator")
    number = api.post(DESTINATIONS, json=WISHED).json()["id"]
    (waits, refused) = put_in_queue(
        served, draft(number, 1), draft(number, 2, refusal="U+0152 has no code in 8859/1")
    )
    shown = api.get(f"/api/v1/hl7/outbound/{refused}").json()
    assert shown["message"]["state"] == "REFUSED"
    assert shown["message"]["destination_name"] == "PACS"
    assert [one["id"] for one in shown["segments"]] == ["MSH", "PID"]
    assert api.post(f"/api/v1/hl7/outbound/{waits}/replay").status_code == 409
    assert api.post(f"/api/v1/hl7/outbound/{refused}/replay").json()["state"] == "WAITING"
    assert api.post(f"/api/v1/hl7/outbound/{waits}/give-up").json()["state"] == "GIVEN UP"
    assert api.post(f"/api/v1/hl7/outbound/{waits}/give-up").status_code == 409


def test_a_test_message_names_no_patient(served):
    api = served.client("administrator")
    number = api.post(DESTINATIONS, json=WISHED).json()["id"]
    queued = api.post(f"{DESTINATIONS}/{number}/test")
    assert queued.status_code == 202
    shown = api.get(f"/api/v1/hl7/outbound/{queued.json()['message']}").json()
    assert [one["id"] for one in shown["segments"]] == ["MSH", "NCK"]
    assert api.post(f"{DESTINATIONS}/999/test").status_code == 404


def test_only_an_administrator_says_where_messages_go(served):
    for role in ("radiologist", "technologist", "secretary", "physicist"):
        api = served.client(role)
        assert api.get(DESTINATIONS).status_code == 403
        assert api.post(DESTINATIONS, json=WISHED).status_code == 403
