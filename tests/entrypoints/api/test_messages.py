"""HL7 messages over HTTP: found, explained, replayed; for administrators only."""

import pytest

from negatoscope.domain.messages import Messages, Processor
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle

MESSAGES = "/api/v1/hl7/messages"


def adt(number, event, identifier, more=""):
    header = f"MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^{event}|{number}|P|2.5|||||FRA|UNICODE UTF-8"
    return f"{header}\rPID|||{identifier}^^^CHU-X&750&N^PI||<b>Été</b>^Zoé\r{more}".encode()


@pytest.fixture
def kept(served):
    """Three messages: done, passed over, for a person; their numbers."""
    database = served.services.database
    contents = [adt(1, "A28", "P1"), adt(2, "A49", "P2"), adt(3, "A29", "P1"), b"noise"]
    arrivals = [examine(one, peer="10.1.2.3")[0] for one in contents]
    receipts = Messages(database).store(arrivals)
    Processor(database, handle).process_waiting()
    return [one.id for one in receipts]


def test_messages_are_found(served, kept):
    api = served.client("administrator")

    def found(**query):
        answer = api.get(MESSAGES, params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    assert found() == kept[::-1]
    (_, place, *_) = [one["place"] for one in api.get(MESSAGES).json()]
    assert found(limit=1, before=place) == [kept[1]]
    assert api.get(MESSAGES, params={"before": "yesterday"}).status_code == 400
    assert found(patient_identifier="P1") == [kept[2], kept[0]]
    assert found(patient_identifier="P1^CHU-X") == [kept[2], kept[0]]
    assert found(message_type="ADT^A49") == [kept[1]]
    assert found(state="FAILED") == [kept[3], kept[2]]
    assert found(partner="GAM", control_id="1") == [kept[0]]
    assert api.get(MESSAGES, params={"state": "ELSE"}).status_code == 422


def test_a_message_is_explained(served, kept):
    answer = served.client("administrator").get(f"{MESSAGES}/{kept[0]}").json()
    assert answer["message"]["effect"]["patients"][0]["done"] == "created"
    pid = next(one for one in answer["segments"] if one["id"] == "PID")
    assert pid["name"] == "Patient Identification"
    names = {one["number"]: (one["name"], one["value"]) for one in pid["fields"]}
    assert names[5] == ("Patient Name", "<b>Été</b>^Zoé")
    assert next(one for one in pid["fields"] if one["number"] == 5)["name_fr"] == "Noms du patient"
    noise = served.client("administrator").get(f"{MESSAGES}/{kept[3]}").json()
    assert (noise["segments"], noise["text"]) == ([], "noise")
    assert noise["message"]["verdict"]["code"] == "AR"


def test_only_what_had_no_effect_is_replayed(served, kept):
    api = served.client("administrator")
    assert api.post(f"{MESSAGES}/{kept[0]}/replay").status_code == 409
    assert api.post(f"{MESSAGES}/{kept[1]}/replay").json()["state"] == "PENDING"
    assert api.get("/api/v1/hl7/overview").json()["pending_count"] == 1
    assert api.post(f"{MESSAGES}/{10**9}/replay").status_code == 404
    assert api.get(f"{MESSAGES}/{10**9}").status_code == 404


def test_senders_are_listed(served, kept):
    (noise, sender) = served.client("administrator").get("/api/v1/hl7/overview").json()["senders"]
    assert (noise["sending_application"], noise["failed_count"]) == ("", 1)
    assert (sender["sending_application"], sender["message_count"]) == ("GAM", 3)
    assert sender["last_peer"] == "10.1.2.3"


def test_it_is_not_for_everybody(served, kept):
    for role in ("radiologist", "clinician", "secretary"):
        assert served.client(role).get(MESSAGES).status_code == 403
        assert served.client(role).post(f"{MESSAGES}/{kept[1]}/replay").status_code == 403
