"""Every kind of event becomes a message that the schema and the tables of PS3.15 §A.5 allow."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from negatoscope.subscribers.audit import AuditEvent
from negatoscope.subscribers.audit.atna.message import Source, audit_message
from negatoscope.subscribers.audit.atna.syslog import WARNING, syslog_message
from subscribers.audit.atna.schema import faults, parse

SOURCE = Source(source_id="negatoscope", site="750000001", ae_title="NEGATOSCOPE", host="archive1")
EVENT = AuditEvent(
    id=7, occurred_at=datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC), last_at=datetime(2026, 3, 1, 9, 1, tzinfo=UTC),
    event_count=3, event_class="view", actor_kind="user", actor_name="alice", actor_roles=("radiologist",),
    credential="session", peer="10.0.0.1", door="dicomweb", action="retrieve", outcome="SUCCESS", reason=None,
    study_instance_uid="1.2.3", patient_id="P1", issuer_of_patient_id="CHU", accession_number="A77", destination=None,
    detail={}, chain="access", seq=1,
)  # fmt: skip
CT1 = {
    "actor_kind": "ae",
    "actor_name": "CT1",
    "actor_roles": ("store",),
    "door": "dimse",
    "credential": None,
}
NOBODY = {
    "study_instance_uid": None,
    "patient_id": None,
    "issuer_of_patient_id": None,
    "accession_number": None,
}

CASES = {
    "a person looks": ({}, "110103", "R", []),
    "a device fetches": ({**CT1, "event_class": "retrieve"}, "110104", "R", []),
    "sent to another device": ({**CT1, "event_class": "export", "destination": "WS7"}, "110104", "R", []),
    "a zip": ({"event_class": "export", "destination": "zip"}, "110106", "R", []),
    "stored": ({**CT1, "event_class": "store", "action": "store"}, "110104", "C", []),
    "deleted": ({"event_class": "delete", "action": "delete study"}, "110105", "D", []),
    "an object decided about": ({"event_class": "change", "action": "task accept"}, "110103", "U", []),
    "a patient corrected": ({"event_class": "change", "action": "merge patients", "study_instance_uid": None}, "110110", "U", []),
    "a query": ({**NOBODY, "event_class": "query", "detail": {"keys": ["00100020"]}}, "110112", "E", []),
    "a query for a patient": ({"event_class": "query", "study_instance_uid": None}, "110112", "E", []),
    "sign-in": ({**NOBODY, "event_class": "sign in"}, "110114", "E", ["110122"]),
    "sign-in refused": (
        {**NOBODY, "event_class": "sign in", "outcome": "REFUSED", "reason": "bad password"},
        "110114", "E", ["110122"],
    ),
    "sign-out": ({**NOBODY, "event_class": "sign out"}, "110114", "E", ["110123"]),
    "an association refused": (
        {**NOBODY, **CT1, "event_class": "connection", "action": "associate", "outcome": "REFUSED"},
        "110113", "E", ["110126"],
    ),
    "emergency access": (
        {"event_class": "break glass", "action": "break glass", "reason": "déchocage"},
        "110113", "E", ["110127"],
    ),
    "emergency access ends": ({"event_class": "break glass", "action": "break glass end"}, "110113", "E", ["110138"]),
    "a user made": ({**NOBODY, "event_class": "configuration", "action": "add user"}, "110113", "E", ["110137"]),
    "a device registered": (
        {**NOBODY, "event_class": "configuration", "action": "write application entity"},
        "110113", "E", ["110128"],
    ),
    "a setting changed": ({**NOBODY, "event_class": "configuration", "action": "change setting"}, "110113", "E", ["110129"]),
    "the trail read": ({**NOBODY, "event_class": "audit", "action": "read audit"}, "110101", "R", []),
    "the trail of a patient read": (
        {"event_class": "audit", "action": "read audit", "study_instance_uid": None},
        "110101", "R", [],
    ),
    "started": (
        {**NOBODY, "event_class": "system", "action": "start", "actor_kind": "system", "peer": None},
        "110100", "E", ["110120"],
    ),
    "stopped": (
        {**NOBODY, "event_class": "system", "action": "stop", "actor_kind": "system", "peer": None},
        "110100", "E", ["110121"],
    ),
    "an operator's command": ({**NOBODY, "event_class": "system", "action": "command", "peer": None}, "110113", "E", ["110132"]),
    "a retrieval refused": ({**NOBODY, **CT1, "event_class": "retrieve", "outcome": "REFUSED"}, "110113", "E", ["110132"]),
    "a study without patient": ({"patient_id": None, "issuer_of_patient_id": None}, "110103", "R", []),
    "a patient without study": ({"study_instance_uid": None}, "110110", "R", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_event(name: str) -> None:
    """The right EventID, and no rule broken."""
    changes, code, action, types = CASES[name]
    document = audit_message(replace(EVENT, **changes), SOURCE)  # type: ignore[arg-type]
    assert faults(document) == []
    event = parse(document)[0]
    assert event.get("EventActionCode") == action
    assert event[0].get("csd-code") == code
    assert [one.get("csd-code") for one in event.iter("EventTypeCode")] == types


def test_who_what_and_when_are_told() -> None:
    """The facts of the record, where PS3.15 wants them."""
    root = parse(audit_message(EVENT, SOURCE))
    assert root[0].attrib == {
        "EventActionCode": "R",
        "EventDateTime": "2026-03-01T09:00:00.123Z",
        "EventOutcomeIndicator": "0",
    }
    who = root.findall("ActiveParticipant")[0]
    assert (
        who.get("UserID"),
        who.get("NetworkAccessPointID"),
        who.get("NetworkAccessPointTypeCode"),
    ) == ("alice", "10.0.0.1", "2")
    study, patient = root.findall("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == "1.2.3"
    assert study.find("Accession").get("Number") == "A77"  # type: ignore[union-attr]
    details = {
        one.get("type"): b64decode(one.get("value", "")).decode()
        for one in study.iter("ParticipantObjectDetail")
    }
    assert details == {"action": "retrieve", "record": "7", "events": "3"}
    assert patient.get("ParticipantObjectID") == "P1^^^CHU"
    source = root.find("AuditSourceIdentification")
    assert source is not None
    assert source.attrib == {"AuditSourceID": "negatoscope", "AuditEnterpriseSiteID": "750000001"}


def test_hostile_text_stays_text() -> None:
    """Markup, characters XML does not have, what looks like a header."""
    evil = "</AuditMessage>\ufffe<x a='\"'>&\U0010fffe"
    document = audit_message(
        replace(
            EVENT,
            actor_name=evil,
            peer=evil,
            reason=evil,
            outcome="FAILED",
            detail={evil: [evil, None]},
        ),
        SOURCE,
    )
    assert faults(document) == []
    assert parse(document).find("ActiveParticipant").get("UserID", "").startswith("</AuditMessage>")  # type: ignore[union-attr]
    message = syslog_message(
        document, at=EVENT.occurred_at, host="höst name", process_id=3, severity=WARNING
    )
    assert message.startswith(
        b"<84>1 2026-03-01T09:00:00.123Z hstname negatoscope 3 DICOM+RFC3881 - \xef\xbb\xbf<AuditMessage>"
    )


def test_a_query_keeps_what_was_asked() -> None:
    """As JSON, with its encoding named."""
    root = parse(
        audit_message(replace(EVENT, event_class="query", detail={"keys": ["00100020"]}), SOURCE)
    )
    query = next(root.iter("ParticipantObjectQuery")).text or ""
    assert json.loads(b64decode(query)) == {"keys": ["00100020"]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'UserIsRequestor="true"', b'UserIsRequestor="yes"'),
        (b'csd-code="110103"', b'code="110103"'),
        (b'EventOutcomeIndicator="0"', b'EventOutcomeIndicator="1"'),
        (b"<ParticipantObjectName>Study</ParticipantObjectName>", b""),
        (b'ParticipantObjectTypeCode="1"', b'ParticipantObjectTypeCode="2"'),
        (b'EventDateTime="2026-03-01T09:00:00.123Z"', b'EventDateTime="2026-03-01"'),
        (b"</AuditMessage>", b"<Extra/></AuditMessage>"),
    ],
)
def test_the_rules_find_faults(old: bytes, new: bytes) -> None:
    """A message that breaks a rule does not pass."""
    document = audit_message(EVENT, SOURCE)
    assert old in document
    assert faults(document.replace(old, new)) != []
